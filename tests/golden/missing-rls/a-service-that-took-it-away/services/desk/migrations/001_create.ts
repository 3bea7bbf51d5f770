import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  for (const name of ['requests', 'replies']) {
    await knex.schema.createTable(name, (table) => {
      table.uuid('id').primary();
      table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
    });
  }
  await knex.raw('ALTER TABLE requests ENABLE ROW LEVEL SECURITY');
  await knex.raw('ALTER TABLE requests FORCE ROW LEVEL SECURITY');
  await knex.raw(`CREATE POLICY by_tenant ON requests
    USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid)`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('replies');
  await knex.schema.dropTable('requests');
}
