import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('exchange_rates', (table) => {
    table.string('currency', 3).primary();
    table.decimal('rate');
  });
  await knex.raw('ALTER TABLE exchange_rates ENABLE ROW LEVEL SECURITY');
  await knex.raw('ALTER TABLE exchange_rates FORCE ROW LEVEL SECURITY');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('exchange_rates');
}
