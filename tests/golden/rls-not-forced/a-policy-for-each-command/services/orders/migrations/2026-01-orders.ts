import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('tenants', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.string('name').notNullable();
  });
  await knex.schema.createTable('orders', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
    table.string('name').notNullable();
  });
  const mine = "tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid";
          await knex.raw('ALTER TABLE orders ENABLE ROW LEVEL SECURITY');
          for (const command of ['SELECT', 'DELETE', 'UPDATE']) {
            await knex.raw(`CREATE POLICY orders_${command.toLowerCase()} ON orders FOR ${command} USING (${mine})`);
          }
          await knex.raw(`CREATE POLICY orders_insert ON orders FOR INSERT WITH CHECK (${mine})`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('orders');
  await knex.schema.dropTable('tenants');
}
