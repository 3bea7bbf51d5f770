import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 1 object.
 *
 * A tenant-scoped table has no row level security (missing-rls). Every query sees the rows of every
 * tenant: one forgotten condition shows a customer the data of another.
 * - public.order_items (services/orders/migrations/20260105090000_create_orders.ts:15)
 *
 * Runs in one transaction: if it fails, nothing of it has happened.
 * Locks ACCESS EXCLUSIVE on public.order_items: held until the end of the transaction, which Knex
 * shares with all other pending files. Waits at most 5s for each.
 */
export const config = { transaction: true };

export async function up(knex: Knex): Promise<void> {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // public.order_items
  await knex.raw(`
    CREATE POLICY order_items_tenant ON public.order_items
      USING (tenant_id = (SELECT auth.tenant_id()))
  `);
  await knex.raw(`ALTER TABLE public.order_items ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.order_items FORCE ROW LEVEL SECURITY`);

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

  // public.order_items
  await knex.raw(`ALTER TABLE public.order_items NO FORCE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.order_items DISABLE ROW LEVEL SECURITY`);
  await knex.raw(`DROP POLICY order_items_tenant ON public.order_items`);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
