import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const { rows } = await knex.raw('SELECT name FROM tenants');
          if (rows.length > 100) {
            await knex.raw('ALTER TABLE invoices ENABLE ROW LEVEL SECURITY');
          }
}

export async function down(knex: Knex): Promise<void> {
  // nothing to take back
}
