import type { Knex } from 'knex';

const mine = "tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid";

export async function up(knex: Knex): Promise<void> {
  for (const role of ['orders_rw', 'orders_report']) {
    await knex.raw(`
      DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '${role}') THEN
          CREATE ROLE ${role};
        END IF;
      END $$
    `);
  }
  await knex.schema.createTable('tenants', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.string('name').notNullable();
  });
  for (const name of ['orders', 'order_notes']) {
    await knex.schema.createTable(name, (table) => {
      table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
      table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
      table.string('text').notNullable();
    });
    await knex.raw(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} TO orders_rw`);
  }
  await knex.raw('GRANT SELECT ON order_notes TO orders_report');
  await knex.raw('ALTER TABLE orders ENABLE ROW LEVEL SECURITY');
  await knex.raw(`CREATE POLICY orders_tenant ON orders TO orders_rw USING (${mine}) WITH CHECK (${mine})`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('order_notes');
  await knex.schema.dropTable('orders');
  await knex.schema.dropTable('tenants');
}
