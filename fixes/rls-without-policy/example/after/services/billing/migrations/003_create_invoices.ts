import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('invoices', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants').onDelete('RESTRICT').index();
    table.integer('amount_cents').notNullable();
  });
  await knex.raw('ALTER TABLE invoices ENABLE ROW LEVEL SECURITY');
  await knex.raw('ALTER TABLE invoices FORCE ROW LEVEL SECURITY');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('invoices');
}
