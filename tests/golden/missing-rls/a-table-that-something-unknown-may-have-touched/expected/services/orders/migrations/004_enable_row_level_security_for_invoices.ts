import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 1 object.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * A tenant-scoped table has no row level security (missing-rls). Every query sees the rows of every
 * tenant: one forgotten condition shows a customer the data of another.
 * - public.invoices (services/orders/migrations/002_create_invoices.ts:4)
 *   - Whether services/orders/migrations/003_protect_some.ts:6 ran cannot be told: depends on the rows
 *     of public.tenants.
 *
 * Checks first whether public.invoices is as it was planned for, and raises if not: then nothing of it
 * has happened. Delete it in that case, and plan again.
 * Locks ACCESS EXCLUSIVE on public.invoices: held until the end of the transaction. Waits at most 5s
 * for each.
 * Because of transaction: false, Knex runs every pending file of its batch by itself, not all in one
 * transaction: deploy it by itself where that matters.
 */
export const config = { transaction: false };

export async function up(knex: Knex): Promise<void> {
  // public.invoices
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF pg_catalog.to_regclass('public.invoices') IS NULL THEN
            RAISE EXCEPTION '% does not exist here; this migration was planned for a database that has it', 'public.invoices';
          END IF;
          IF EXISTS (
            SELECT FROM unnest(ARRAY['tenant_id']::name[]) AS wanted(name)
            WHERE NOT EXISTS (
              SELECT FROM pg_catalog.pg_attribute
              WHERE attrelid = pg_catalog.to_regclass('public.invoices') AND attname = wanted.name AND NOT attisdropped
            )
          ) THEN
            RAISE EXCEPTION '% has not the columns that this migration was planned for', 'public.invoices';
          END IF;
          IF (
            SELECT relrowsecurity <> false OR relforcerowsecurity <> false
            FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass('public.invoices')
          ) THEN
            RAISE EXCEPTION 'row level security of % is not as this migration was planned for', 'public.invoices';
          END IF;
          IF ARRAY(
            SELECT polname FROM pg_catalog.pg_policy
            WHERE polrelid = pg_catalog.to_regclass('public.invoices') ORDER BY polname COLLATE "C"
          ) IS DISTINCT FROM ARRAY[]::name[] THEN
            RAISE EXCEPTION 'the policies of % are not those that this migration was planned for', 'public.invoices';
          END IF;
        END
        $remediate$
    `);
    await trx.raw(`
      CREATE POLICY tenant_isolation ON public.invoices
        USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
    `);
    await trx.raw(`ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY`);
    await trx.raw(`ALTER TABLE public.invoices FORCE ROW LEVEL SECURITY`);
  });
}

export async function down(knex: Knex): Promise<void> {
  // public.invoices
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`ALTER TABLE public.invoices NO FORCE ROW LEVEL SECURITY`);
    await trx.raw(`ALTER TABLE public.invoices DISABLE ROW LEVEL SECURITY`);
    await trx.raw(`DROP POLICY tenant_isolation ON public.invoices`);
  });
}
