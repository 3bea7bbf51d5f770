import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 1 object.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * Row level security does not bind the table's owner (rls-not-forced). PostgreSQL lets the owner of a
 * table pass its policies, and services commonly connect as the owner.
 * - public.customers (services/orders/migrations/001_create_customers.ts:13)
 *   - services/orders/seeds/customers.ts:4 reaches it through knex: Knex runs seed
 *     (services/orders/seeds/customers.ts:3) on a connection for which no tenant is set.
 *
 * Runs in one transaction: if it fails, nothing of it has happened.
 * Locks ACCESS EXCLUSIVE on public.customers: held until the end of the transaction, which Knex shares
 * with all other pending files. Waits at most 5s for each.
 */
export const config = { transaction: true };

export async function up(knex: Knex): Promise<void> {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // public.customers
  await knex.raw(`ALTER TABLE public.customers FORCE ROW LEVEL SECURITY`);

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

  // public.customers
  await knex.raw(`ALTER TABLE public.customers NO FORCE ROW LEVEL SECURITY`);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
