import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 2 objects.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * A tenant-scoped table has no row level security (missing-rls). Every query sees the rows of every
 * tenant: one forgotten condition shows a customer the data of another.
 * - public.api_keys (services/orders/migrations/002_create_more.ts:4)
 *   - services/orders/src/middleware/api-key.ts:5 names it, in code that runs before the tenant is
 *     known.
 * - public.deliveries (services/orders/migrations/002_create_more.ts:9)
 *   - services/orders/src/jobs/redeliver.ts:4 reaches it through knex: knex is a parameter
 *     (services/orders/src/jobs/redeliver.ts:3), and what callers hand over is not known.
 *
 * Runs in one transaction: if it fails, nothing of it has happened.
 * Locks ACCESS EXCLUSIVE on public.api_keys and public.deliveries: held until the end of the
 * transaction, which Knex shares with all other pending files. Waits at most 5s for each.
 */
export const config = { transaction: true };

export async function up(knex: Knex): Promise<void> {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // public.api_keys
  await knex.raw(`
    CREATE POLICY tenant_isolation ON public.api_keys
      USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
  `);
  await knex.raw(`ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.api_keys FORCE ROW LEVEL SECURITY`);

  // public.deliveries
  await knex.raw(`
    CREATE POLICY tenant_isolation ON public.deliveries
      USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
  `);
  await knex.raw(`ALTER TABLE public.deliveries ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.deliveries FORCE ROW LEVEL SECURITY`);

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

  // public.deliveries
  await knex.raw(`ALTER TABLE public.deliveries NO FORCE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.deliveries DISABLE ROW LEVEL SECURITY`);
  await knex.raw(`DROP POLICY tenant_isolation ON public.deliveries`);

  // public.api_keys
  await knex.raw(`ALTER TABLE public.api_keys NO FORCE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.api_keys DISABLE ROW LEVEL SECURITY`);
  await knex.raw(`DROP POLICY tenant_isolation ON public.api_keys`);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
