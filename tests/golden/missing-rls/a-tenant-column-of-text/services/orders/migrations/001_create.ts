import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('tenants', (table) => {
    table.string('id', 26).primary();
  });
  await knex.schema.createTable('customers', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.string('tenant_id', 26).notNullable().references('id').inTable('tenants');
  });
  await knex.schema.createTable('invoices', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.string('tenant_id', 26).notNullable().references('id').inTable('tenants');
  });
  await knex.schema.createTable('notes', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.text('tenant_id').notNullable();
  });
  await knex.raw(`ALTER TABLE customers ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE customers FORCE ROW LEVEL SECURITY`);
  await knex.raw(`
    CREATE POLICY tenant_isolation ON customers
      USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), ''))
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('notes');
  await knex.schema.dropTable('invoices');
  await knex.schema.dropTable('customers');
  await knex.schema.dropTable('tenants');
}
