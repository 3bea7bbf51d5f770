import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
               DO $$
               BEGIN
                 IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'app_user') THEN
                   CREATE ROLE app_user;
                 END IF;
               END
               $$
             `);
  await knex.schema.createTable('tenants', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.string('name').notNullable();
  });
  await knex.schema.createTable('orders', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
    table.string('name').notNullable();
  });
  await knex.schema.createTable('order_items', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
    table.integer('quantity');
  });
  await knex.raw('ALTER TABLE orders ENABLE ROW LEVEL SECURITY');
  await knex.raw('ALTER TABLE orders FORCE ROW LEVEL SECURITY');
  const mine = "tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid";
  await knex.raw(`CREATE POLICY orders_select_policy ON orders FOR SELECT TO app_user USING (${mine})`);
  await knex.raw(`CREATE POLICY orders_insert_policy ON orders FOR INSERT TO app_user WITH CHECK (${mine})`);
  await knex.raw(`CREATE POLICY orders_update_policy ON orders FOR UPDATE TO app_user USING (${mine}) WITH CHECK (${mine})`);
  await knex.raw(`CREATE POLICY orders_delete_policy ON orders FOR DELETE TO app_user USING (${mine})`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('order_items');
  await knex.schema.dropTable('orders');
  await knex.schema.dropTable('tenants');
}
