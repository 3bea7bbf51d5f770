import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('notes', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
    table.uuid('user_id');
  });
  await knex.raw(`ALTER TABLE notes ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE notes FORCE ROW LEVEL SECURITY`);
  await knex.raw(`
    CREATE POLICY tenant_isolation ON notes
      USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid
        AND (user_id = NULLIF(current_setting('app.current_user_id', true), '')::uuid
          OR current_setting('app.is_admin', true) = 'true'))
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('notes');
}
