import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 1 object.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * The tenant is read from, or written to, more than one setting (inconsistent-tenant-setting). A
 * session that sets one name sees nothing through what reads another, so code has to set them all, and
 * forgets one.
 * - public.stamp_tenant() (services/orders/migrations/001_create_orders.ts:4)
 *   - It does more than return the setting: in a function a missing value may let through what raised
 *     before.
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

  // function public.stamp_tenant
  await knex.raw(`
    CREATE OR REPLACE FUNCTION public.stamp_tenant() RETURNS trigger AS $$
    BEGIN
      NEW.changed_by = 'tenant ' || (CASE WHEN NULLIF(current_setting('app.current_tenant_id', true), '') <> NULLIF(current_setting('app.tenant_id', true), '') THEN NULL ELSE COALESCE(NULLIF(current_setting('app.current_tenant_id', true), ''), current_setting('app.tenant_id', true)) END);
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
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

  // function public.stamp_tenant
  await knex.raw(`
    CREATE OR REPLACE FUNCTION public.stamp_tenant() RETURNS trigger AS $$
    BEGIN
      NEW.changed_by = 'tenant ' || current_setting('app.tenant_id', true);
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
  `);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
