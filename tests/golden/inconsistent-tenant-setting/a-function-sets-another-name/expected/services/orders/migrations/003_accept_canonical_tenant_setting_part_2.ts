import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 1 object.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * The tenant is read from, or written to, more than one setting (inconsistent-tenant-setting). A
 * session that sets one name sees nothing through what reads another, so code has to set them all, and
 * forgets one.
 * - public.set_tenant_context(uuid) (services/orders/migrations/001_create_orders.ts:9)
 *   - It sets app.current_tenant: its callers and all that reads that name have to move together.
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

  // function public.set_tenant_context
  await knex.raw(`
    CREATE OR REPLACE FUNCTION public.set_tenant_context(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM set_config('app.current_tenant_id', set_config('app.current_tenant', tenant::text, true), true);
        END$$
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

  // function public.set_tenant_context
  await knex.raw(`
    CREATE OR REPLACE FUNCTION public.set_tenant_context(tenant uuid) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM set_config('app.current_tenant', tenant::text, true);
        END$$
  `);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
