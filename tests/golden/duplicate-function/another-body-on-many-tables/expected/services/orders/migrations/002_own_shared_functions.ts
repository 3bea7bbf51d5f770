import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 6 objects.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * Several services create the same function (duplicate-function). The service that runs last decides
 * for all of them, and the down of any one drops it for the others.
 * - public.touch_updated_at() (services/orders/migrations/001_create_orders.ts:6)
 *   - Only one of them is in force, today that of orders; something may rely on it.
 *
 * Runs step by step, each in a transaction of its own: if one fails, those before it stay, and the
 * file can be run again.
 * Locks ACCESS EXCLUSIVE on public.orders, public.order_items, public.invoices and public.payments:
 * each only until the end of its step. Waits at most 5s for each.
 * Because of transaction: false, Knex runs every pending file of its batch by itself, not all in one
 * transaction: deploy it by itself where that matters.
 */
export const config = { transaction: false };

export async function up(knex: Knex): Promise<void> {
  // function public.orders_touch_updated_at
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF pg_catalog.to_regprocedure('public.orders_touch_updated_at()') IS NOT NULL AND pg_catalog.obj_description(
            pg_catalog.to_regprocedure('public.orders_touch_updated_at()'), 'pg_proc'
          ) IS DISTINCT FROM 'remediate:fc989b38b609' THEN
            RAISE EXCEPTION USING MESSAGE = 'public.orders_touch_updated_at is there already, and this migration did not create it';
          END IF;
        END
        $remediate$
    `);
    await trx.raw(`
      CREATE OR REPLACE FUNCTION public.orders_touch_updated_at() RETURNS trigger AS $$
    BEGIN
      NEW.updated_at = clock_timestamp();
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
    `);
    await trx.raw(`
      COMMENT ON FUNCTION public.orders_touch_updated_at() IS 'remediate:fc989b38b609'
    `);
  });

  // public.orders
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`DROP TRIGGER touch ON public.orders`);
    await trx.raw(`
      CREATE TRIGGER touch BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.orders_touch_updated_at()
    `);
  });

  // public.order_items
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`DROP TRIGGER touch ON public.order_items`);
    await trx.raw(`
      CREATE TRIGGER touch BEFORE UPDATE ON public.order_items FOR EACH ROW EXECUTE FUNCTION public.orders_touch_updated_at()
    `);
  });

  // public.invoices
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`DROP TRIGGER touch ON public.invoices`);
    await trx.raw(`
      CREATE TRIGGER touch BEFORE UPDATE ON public.invoices FOR EACH ROW EXECUTE FUNCTION public.orders_touch_updated_at()
    `);
  });

  // public.payments
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`DROP TRIGGER touch ON public.payments`);
    await trx.raw(`
      CREATE TRIGGER touch BEFORE UPDATE ON public.payments FOR EACH ROW EXECUTE FUNCTION public.orders_touch_updated_at()
    `);
  });

  // function public.touch_updated_at
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      CREATE OR REPLACE FUNCTION public.touch_updated_at() RETURNS trigger AS $$
    BEGIN
      NEW.updated_at = now();
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
    `);
  });
}

export async function down(knex: Knex): Promise<void> {
  // function public.touch_updated_at
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      CREATE OR REPLACE FUNCTION public.touch_updated_at() RETURNS trigger AS $$
    BEGIN
      NEW.updated_at = clock_timestamp();
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
    `);
  });

  // public.payments
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`DROP TRIGGER touch ON public.payments`);
    await trx.raw(`
      CREATE TRIGGER touch BEFORE UPDATE ON public.payments FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at()
    `);
  });

  // public.invoices
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`DROP TRIGGER touch ON public.invoices`);
    await trx.raw(`
      CREATE TRIGGER touch BEFORE UPDATE ON public.invoices FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at()
    `);
  });

  // public.order_items
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`DROP TRIGGER touch ON public.order_items`);
    await trx.raw(`
      CREATE TRIGGER touch BEFORE UPDATE ON public.order_items FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at()
    `);
  });

  // public.orders
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`DROP TRIGGER touch ON public.orders`);
    await trx.raw(`
      CREATE TRIGGER touch BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at()
    `);
  });

  // function public.orders_touch_updated_at
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`DROP FUNCTION IF EXISTS public.orders_touch_updated_at()`);
  });
}
