import type { Knex } from 'knex';

const TABLES = ['entries', 'folders'];

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('tenants', (table) => {
    table.uuid('id').primary();
  });
  for (const name of TABLES) {
    await knex.schema.createTable(name, (table) => {
      table.uuid('id').primary();
      table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
    });
    await knex.raw(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
    await knex.raw(`CREATE POLICY by_tenant ON ${name}
      USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid)`);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const name of [...TABLES, 'tenants']) await knex.schema.dropTable(name);
}
