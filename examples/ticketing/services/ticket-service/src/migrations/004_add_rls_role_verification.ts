import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    DO $$
    BEGIN
      CREATE ROLE ticket_service_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
    EXCEPTION WHEN duplicate_object THEN
      RAISE NOTICE 'role ticket_service_app exists';
    END $$
  `);

  await knex.schema.createTable('tenant_access_violations', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').comment('the tenant that the session worked for');
    table.uuid('attempted_tenant_id').notNullable();
    table.uuid('user_id');
    table.string('table_name', 100).notNullable();
    table.string('operation', 20).notNullable();
    table.jsonb('details');
    table.timestamp('occurred_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.index(['attempted_tenant_id', 'occurred_at']);
  });

  await knex.raw(`
    CREATE OR REPLACE FUNCTION current_tenant_id() RETURNS UUID AS $$
      SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid
    $$ LANGUAGE sql STABLE
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION set_tenant_context(p_tenant_id UUID) RETURNS void AS $$
    BEGIN
      IF p_tenant_id IS NULL THEN
        RAISE EXCEPTION 'a tenant is required';
      END IF;
      PERFORM set_config('app.current_tenant_id', p_tenant_id::text, true);
    END;
    $$ LANGUAGE plpgsql;

    CREATE OR REPLACE FUNCTION clear_tenant_context() RETURNS void AS $$
    BEGIN
      PERFORM set_config('app.current_tenant_id', '', true);
    END;
    $$ LANGUAGE plpgsql;

    CREATE OR REPLACE FUNCTION verify_tenant_context() RETURNS UUID AS $$
    DECLARE
      tenant UUID := current_tenant_id();
    BEGIN
      IF tenant IS NULL THEN
        RAISE EXCEPTION 'no tenant in this session' USING ERRCODE = 'insufficient_privilege';
      END IF;
      RETURN tenant;
    END;
    $$ LANGUAGE plpgsql STABLE;
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION log_tenant_violation(
      p_attempted_tenant_id UUID, p_table_name TEXT, p_operation TEXT, p_details JSONB DEFAULT NULL
    ) RETURNS void AS $$
    BEGIN
      INSERT INTO tenant_access_violations (tenant_id, attempted_tenant_id, user_id, table_name, operation, details)
      VALUES (
        current_tenant_id(),
        p_attempted_tenant_id,
        NULLIF(current_setting('app.current_user_id', true), '')::uuid,
        p_table_name,
        p_operation,
        p_details
      );
    END;
    $$ LANGUAGE plpgsql SECURITY DEFINER
  `);

  await knex.raw(`
    CREATE OR REPLACE VIEW rls_role_status AS
    SELECT rolname, rolsuper, rolbypassrls, NOT (rolsuper OR rolbypassrls) AS bound_by_rls
    FROM pg_roles
    WHERE rolname IN ('ticket_service_app', current_user)
  `);

  const { rows } = await knex.raw(`SELECT rolname FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)`);
  if (rows.length > 0) {
    console.warn(`${rows[0].rolname} is not bound by row level security; connect as ticket_service_app`);
  }

  await knex.raw('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ticket_service_app');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    DROP VIEW IF EXISTS rls_role_status;
    DROP FUNCTION IF EXISTS log_tenant_violation(UUID, TEXT, TEXT, JSONB);
    DROP FUNCTION IF EXISTS verify_tenant_context();
    DROP FUNCTION IF EXISTS clear_tenant_context();
    DROP FUNCTION IF EXISTS set_tenant_context(UUID);
    DROP FUNCTION IF EXISTS current_tenant_id();
  `);
  await knex.schema.dropTableIfExists('tenant_access_violations');
}
