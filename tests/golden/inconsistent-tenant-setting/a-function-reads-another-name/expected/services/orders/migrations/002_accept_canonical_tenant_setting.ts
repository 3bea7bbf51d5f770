import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 1 object.
 *
 * The tenant is read from, or written to, more than one setting (inconsistent-tenant-setting). A
 * session that sets one name sees nothing through what reads another, so code has to set them all, and
 * forgets one.
 * - public.current_tenant() (services/orders/migrations/001_create_orders.ts:9)
 *
 * Runs in one transaction: if it fails, nothing of it has happened.
 */
export const config = { transaction: true };

export async function up(knex: Knex): Promise<void> {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // function public.current_tenant
  await knex.raw(`
    CREATE OR REPLACE FUNCTION public.current_tenant() RETURNS uuid AS $$
          -- the tenant of the session: \`\${tenant}\` is not known here, is it$1
          SELECT NULLIF((CASE WHEN NULLIF(current_setting('app.current_tenant_id', true), '') <> NULLIF(current_setting('app.current_tenant', true), '') THEN NULL ELSE COALESCE(NULLIF(current_setting('app.current_tenant_id', true), ''), current_setting('app.current_tenant', true)) END), '')::uuid;
        $$ LANGUAGE sql STABLE
  `);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}

export async function down(knex: Knex): Promise<void> {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // function public.current_tenant
  await knex.raw(`
    CREATE OR REPLACE FUNCTION public.current_tenant() RETURNS uuid AS $$
          -- the tenant of the session: \`\${tenant}\` is not known here, is it$1
          SELECT NULLIF(current_setting('app.current_tenant', true), '')::uuid;
        $$ LANGUAGE sql STABLE
  `);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
