import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw('CREATE SCHEMA auth');
  await knex.raw(`
    CREATE FUNCTION auth.tenant_id() RETURNS uuid LANGUAGE sql STABLE AS $$
      SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid
    $$
  `);
  await knex.schema.createTable('tenants', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.string('name').notNullable();
  });
  for (const name of ['orders', 'order_items']) {
    await knex.schema.createTable(name, (table) => {
      table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
      table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
      table.string('name').notNullable();
    });
  }
  await knex.raw('ALTER TABLE orders ENABLE ROW LEVEL SECURITY');
  await knex.raw('ALTER TABLE orders FORCE ROW LEVEL SECURITY');
  await knex.raw('CREATE POLICY orders_tenant ON orders USING (tenant_id = auth.tenant_id())');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('order_items');
  await knex.schema.dropTable('orders');
  await knex.schema.dropTable('tenants');
  await knex.raw('DROP SCHEMA auth CASCADE');
}
