import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('orders', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.text('tenant_id').notNullable().references('id').inTable('tenants');
    table.string('name').notNullable();
  });
  await knex.raw('ALTER TABLE orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
  for (const command of ['SELECT', 'DELETE']) {
            await knex.raw(`
              CREATE POLICY "orders for ${command}" ON orders FOR ${command}
                USING (tenant_id = current_setting('app.current_tenant', true))
            `);
          }
          await knex.raw(`
            CREATE POLICY "orders for INSERT" ON orders FOR INSERT
              WITH CHECK (tenant_id = current_setting('app.current_tenant', true))
          `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('orders');
}
