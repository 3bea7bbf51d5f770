import type { Knex } from 'knex';

/**
 * Follow-up migration for schema, planned by remediate: changes 1 object.
 *
 * A tenant-scoped table has no row level security (missing-rls). Every query sees the rows of every
 * tenant: one forgotten condition shows a customer the data of another.
 * - public.invoices (services/schema/migrations/002_create_more.ts:14)
 *
 * Runs in one transaction: if it fails, nothing of it has happened.
 * Locks ACCESS EXCLUSIVE on public.invoices: held until the end of the transaction, which Knex shares
 * with all other pending files. Waits at most 5s for each.
 */
export const config = { transaction: true };

export async function up(knex: Knex): Promise<void> {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // public.invoices
  await knex.raw(`
    CREATE POLICY tenant_isolation ON public.invoices
      USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
  `);
  await knex.raw(`ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.invoices FORCE ROW LEVEL SECURITY`);

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

  // public.invoices
  await knex.raw(`ALTER TABLE public.invoices NO FORCE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.invoices DISABLE ROW LEVEL SECURITY`);
  await knex.raw(`DROP POLICY tenant_isolation ON public.invoices`);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
