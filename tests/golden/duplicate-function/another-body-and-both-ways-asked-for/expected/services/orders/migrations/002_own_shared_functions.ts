import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 4 objects.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * Several services create the same function (duplicate-function). The service that runs last decides
 * for all of them, and the down of any one drops it for the others.
 * - public.touch_updated_at() (services/orders/migrations/001_create_orders.ts:4)
 *   - Only one of them is in force, today that of orders; something may rely on it.
 *
 * Runs in one transaction: if it fails, nothing of it has happened.
 * Locks ACCESS EXCLUSIVE on public.orders and public.baskets: held until the end of the transaction,
 * which Knex shares with all other pending files. Waits at most 5s for each.
 */
export const config = { transaction: true };

export async function up(knex: Knex): Promise<void> {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // function public.orders_touch_updated_at
  await knex.raw(`
    CREATE FUNCTION public.orders_touch_updated_at() RETURNS trigger AS $$
    BEGIN
      NEW.updated_at = clock_timestamp();
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
  `);

  // public.orders
  await knex.raw(`DROP TRIGGER touch ON public.orders`);
  await knex.raw(`
    CREATE TRIGGER touch BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.orders_touch_updated_at()
  `);

  // public.baskets
  await knex.raw(`DROP TRIGGER touch ON public.baskets`);
  await knex.raw(`
    CREATE TRIGGER touch BEFORE UPDATE ON public.baskets FOR EACH ROW EXECUTE FUNCTION public.orders_touch_updated_at()
  `);

  // function public.touch_updated_at
  await knex.raw(`
    CREATE OR REPLACE FUNCTION public.touch_updated_at() RETURNS trigger AS $$
    BEGIN
      NEW.updated_at = now();
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

  // function public.touch_updated_at
  await knex.raw(`
    CREATE OR REPLACE FUNCTION public.touch_updated_at() RETURNS trigger AS $$
    BEGIN
      NEW.updated_at = clock_timestamp();
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
  `);

  // public.baskets
  await knex.raw(`DROP TRIGGER touch ON public.baskets`);
  await knex.raw(`
    CREATE TRIGGER touch BEFORE UPDATE ON public.baskets FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at()
  `);

  // public.orders
  await knex.raw(`DROP TRIGGER touch ON public.orders`);
  await knex.raw(`
    CREATE TRIGGER touch BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at()
  `);

  // function public.orders_touch_updated_at
  await knex.raw(`DROP FUNCTION public.orders_touch_updated_at()`);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
