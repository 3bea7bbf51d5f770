import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('customers', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants').onDelete('RESTRICT').index();
    table.string('name').notNullable();
  });
  await knex.raw(`
    CREATE POLICY customers_tenant ON customers
      USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
      WITH CHECK (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
  `);
  await knex.raw('ALTER TABLE customers ENABLE ROW LEVEL SECURITY');
  await knex.raw('ALTER TABLE customers FORCE ROW LEVEL SECURITY');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('customers');
}
