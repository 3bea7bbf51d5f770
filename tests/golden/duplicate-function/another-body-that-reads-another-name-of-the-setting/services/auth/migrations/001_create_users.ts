import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE OR REPLACE FUNCTION stamp_tenant() RETURNS trigger AS $$
    BEGIN
      NEW.changed_by = current_setting('app.tenant_id', true);
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
  `);
  await knex.schema.createTable('users', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable();
    table.text('changed_by');
  });
  await knex.raw('CREATE TRIGGER stamp BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION stamp_tenant()');
  await knex.raw(`
    CREATE POLICY tenant_isolation ON users
      USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid)
  `);
  await knex.raw('ALTER TABLE users ENABLE ROW LEVEL SECURITY');
  await knex.raw('ALTER TABLE users FORCE ROW LEVEL SECURITY');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('users');
  await knex.raw('DROP FUNCTION IF EXISTS stamp_tenant()');
}
