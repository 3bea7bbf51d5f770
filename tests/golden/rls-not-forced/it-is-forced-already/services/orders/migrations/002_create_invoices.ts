import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('invoices', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
    table.string('name').notNullable();
  });
  await knex.raw(`ALTER TABLE invoices ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`
    CREATE POLICY tenant_isolation ON invoices
      USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid)
  `);
  await knex.raw('ALTER TABLE ONLY invoices FORCE ROW LEVEL SECURITY');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('invoices');
}
