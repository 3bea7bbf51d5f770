import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const { rows } = await knex.raw('SELECT name FROM tenants');
          if (rows.length < 100) {
            await knex.raw('ALTER TABLE invoices ADD COLUMN note text');
          }
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE invoices DROP COLUMN IF EXISTS note');
}
