/**
 * Follow-up migration for orders, planned by remediate: changes 1 object.
 *
 * A tenant-scoped table has no row level security (missing-rls). Every query sees the rows of every
 * tenant: one forgotten condition shows a customer the data of another.
 * - public.invoices (services/orders/migrations/20250301080000_invoices.js:2)
 *
 * Runs in one transaction: if it fails, nothing of it has happened.
 * Locks ACCESS EXCLUSIVE on public.invoices: held until the end of the transaction, which Knex shares
 * with all other pending files. Waits at most 5s for each.
 */
exports.config = { transaction: true };

exports.up = async (knex) => {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // public.invoices
  await knex.raw(`
    CREATE POLICY invoices_isolation ON public.invoices
      USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::integer))
      WITH CHECK (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::integer))
  `);
  await knex.raw(`ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.invoices FORCE ROW LEVEL SECURITY`);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
};

exports.down = async (knex) => {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // public.invoices
  await knex.raw(`ALTER TABLE public.invoices NO FORCE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.invoices DISABLE ROW LEVEL SECURITY`);
  await knex.raw(`DROP POLICY invoices_isolation ON public.invoices`);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
};
