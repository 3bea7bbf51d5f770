import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 2 objects.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * A tenant-scoped table has no row level security (missing-rls). Every query sees the rows of every
 * tenant: one forgotten condition shows a customer the data of another.
 * - public.order_notes (services/orders/migrations/20260105090000_create_orders.ts:20)
 *   - The policies would let in orders_rw alone, as those of its siblings do: forced, its owner
 *     reaches nothing, and what connects as the owner is not known ([roles] application says it).
 *   - services/orders/migrations/20260105090000_create_orders.ts:27 grants it to orders_report:
 *     policies for orders_rw do not let that in.
 *
 * Row level security does not bind the table's owner (rls-not-forced). PostgreSQL lets the owner of a
 * table pass its policies, and services commonly connect as the owner.
 * - public.orders (services/orders/migrations/20260105090000_create_orders.ts:28)
 *   - No policy for all roles lets anybody SELECT, INSERT, UPDATE and DELETE: forced, its owner could
 *     not either.
 *
 * Runs in one transaction: if it fails, nothing of it has happened.
 * Locks ACCESS EXCLUSIVE on public.order_notes and public.orders: held until the end of the
 * transaction, which Knex shares with all other pending files. Waits at most 5s for each.
 */
export const config = { transaction: true };

export async function up(knex: Knex): Promise<void> {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // public.order_notes
  await knex.raw(`
    CREATE POLICY order_notes_tenant ON public.order_notes
      TO orders_rw
      USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
      WITH CHECK (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
  `);
  await knex.raw(`ALTER TABLE public.order_notes ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.order_notes FORCE ROW LEVEL SECURITY`);

  // public.orders
  await knex.raw(`ALTER TABLE public.orders FORCE ROW LEVEL SECURITY`);

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

  // public.orders
  await knex.raw(`ALTER TABLE public.orders NO FORCE ROW LEVEL SECURITY`);

  // public.order_notes
  await knex.raw(`ALTER TABLE public.order_notes NO FORCE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.order_notes DISABLE ROW LEVEL SECURITY`);
  await knex.raw(`DROP POLICY order_notes_tenant ON public.order_notes`);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
