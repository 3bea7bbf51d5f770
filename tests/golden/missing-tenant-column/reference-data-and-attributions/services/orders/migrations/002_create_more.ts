import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('currencies', (table) => {
    table.string('code', 3).primary();
  });
  await knex('currencies').insert({ code: 'EUR' });
  await knex.schema.createTable('rates', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.string('currency', 3).references('code').inTable('currencies');
    table.uuid('created_by').references('id').inTable('customers');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('rates');
  await knex.schema.dropTable('currencies');
}
