import type { Knex } from 'knex';

const MAILED = ['receipts', 'reminders'];

export async function up(knex: Knex): Promise<void> {
  const { rows } = await knex.raw('SELECT name FROM tenants');
  if (rows.length > 100) {
    await knex.raw('ALTER TABLE invoices ENABLE ROW LEVEL SECURITY');
  }
  if (rows.some((row: { name: string }) => row.name === 'mail')) {
    for (const name of MAILED) {
      await protect(knex, name);
    }
  }
  // drafts and notes stay as they are
  await knex.raw(`COMMENT ON TABLE drafts IS 'not sent yet'`);
  await knex.raw(`COMMENT ON TABLE notes IS 'for ourselves'`);
}

async function protect(knex: Knex, name: string): Promise<void> {
  await knex.raw(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`COMMENT ON TABLE notes IS NULL`);
  await knex.raw(`COMMENT ON TABLE drafts IS NULL`);
}
