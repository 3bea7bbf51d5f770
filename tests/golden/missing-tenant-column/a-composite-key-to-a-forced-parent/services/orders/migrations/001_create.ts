import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('tenants', (table) => {
    table.increments('id');
  });
  await knex.schema.createTable('customers', (table) => {
    table.integer('region').notNullable();
    table.integer('number').notNullable();
    table.integer('tenant_id').notNullable().references('id').inTable('tenants');
    table.primary(['region', 'number']);
  });
  await knex.raw(`ALTER TABLE customers ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE customers FORCE ROW LEVEL SECURITY`);
  await knex.raw(`
    CREATE POLICY tenant_isolation ON customers
      USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::integer)
  `);
  await knex.schema.createTable('Customer Cards', (table) => {
    table.increments('id');
    table.integer('customer region').notNullable();
    table.integer('customer number').notNullable();
    table.foreign(['customer region', 'customer number']).references(['region', 'number']).inTable('customers');
  });
  await knex.raw(`ALTER TABLE "Customer Cards" ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE "Customer Cards" FORCE ROW LEVEL SECURITY`);
  await knex.raw(`
    CREATE POLICY "through the customer" ON "Customer Cards"
      USING (EXISTS (
        SELECT 1 FROM customers AS c
        WHERE c.region = "customer region" AND c.number = "customer number"
          AND c.tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::integer
      ))
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('Customer Cards');
  await knex.schema.dropTable('customers');
  await knex.schema.dropTable('tenants');
}
