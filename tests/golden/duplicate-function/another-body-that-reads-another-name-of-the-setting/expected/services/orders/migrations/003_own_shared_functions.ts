import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 3 objects.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * Several services create the same function (duplicate-function). The service that runs last decides
 * for all of them, and the down of any one drops it for the others.
 * - public.stamp_tenant() (services/orders/migrations/001_create_orders.ts:4)
 *   - Only one of them is in force, today that of orders; something may rely on it.
 *
 * Runs in one transaction: if it fails, nothing of it has happened.
 * Locks ACCESS EXCLUSIVE on public.orders: held until the end of the transaction, which Knex shares
 * with all other pending files. Waits at most 5s for each.
 */
export const config = { transaction: true };

export async function up(knex: Knex): Promise<void> {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // function public.orders_stamp_tenant
  await knex.raw(`
    CREATE FUNCTION public.orders_stamp_tenant() RETURNS trigger AS $$
    BEGIN
      NEW.changed_by = 'tenant ' || (CASE WHEN NULLIF(current_setting('app.current_tenant_id', true), '') <> NULLIF(current_setting('app.tenant_id', true), '') THEN NULL ELSE COALESCE(NULLIF(current_setting('app.current_tenant_id', true), ''), current_setting('app.tenant_id', true)) END);
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
  `);

  // public.orders
  await knex.raw(`DROP TRIGGER stamp ON public.orders`);
  await knex.raw(`
    CREATE TRIGGER stamp BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.orders_stamp_tenant()
  `);

  // function public.stamp_tenant
  await knex.raw(`
    CREATE OR REPLACE FUNCTION public.stamp_tenant() RETURNS trigger AS $$
    BEGIN
      NEW.changed_by = (CASE WHEN NULLIF(current_setting('app.current_tenant_id', true), '') <> NULLIF(current_setting('app.tenant_id', true), '') THEN NULL ELSE COALESCE(NULLIF(current_setting('app.current_tenant_id', true), ''), current_setting('app.tenant_id', true)) END);
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
      NEW.changed_by = 'tenant ' || (CASE WHEN NULLIF(current_setting('app.current_tenant_id', true), '') <> NULLIF(current_setting('app.tenant_id', true), '') THEN NULL ELSE COALESCE(NULLIF(current_setting('app.current_tenant_id', true), ''), current_setting('app.tenant_id', true)) END);
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
  `);

  // public.orders
  await knex.raw(`DROP TRIGGER stamp ON public.orders`);
  await knex.raw(`
    CREATE TRIGGER stamp BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.stamp_tenant()
  `);

  // function public.orders_stamp_tenant
  await knex.raw(`DROP FUNCTION public.orders_stamp_tenant()`);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
