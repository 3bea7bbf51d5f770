import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('invoices', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
  });
  await knex.raw('CREATE POLICY nobody ON invoices USING (false)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('invoices');
}
