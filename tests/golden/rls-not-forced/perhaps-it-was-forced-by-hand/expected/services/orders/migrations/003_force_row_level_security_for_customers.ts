import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 1 object.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * Row level security does not bind the table's owner (rls-not-forced). PostgreSQL lets the owner of a
 * table pass its policies, and services commonly connect as the owner.
 * - public.customers (services/orders/migrations/001_create_customers.ts:13)
 *   - Whether services/orders/migrations/002_force_some.ts:5 ran cannot be told:
 *     process.env.KEEP_AS_IT_IS is not known.
 *
 * Checks first whether public.customers is as it was planned for, and raises if not: then nothing of
 * it has happened. Delete it in that case, and plan again.
 * Locks ACCESS EXCLUSIVE on public.customers: held until the end of the transaction. Waits at most 5s
 * for each.
 * Because of transaction: false, Knex runs every pending file of its batch by itself, not all in one
 * transaction: deploy it by itself where that matters.
 */
export const config = { transaction: false };

export async function up(knex: Knex): Promise<void> {
  // public.customers
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF pg_catalog.to_regclass('public.customers') IS NULL THEN
            RAISE EXCEPTION '% does not exist here; this migration was planned for a database that has it', 'public.customers';
          END IF;
          IF EXISTS (
            SELECT FROM unnest(ARRAY['tenant_id']::name[]) AS wanted(name)
            WHERE NOT EXISTS (
              SELECT FROM pg_catalog.pg_attribute
              WHERE attrelid = pg_catalog.to_regclass('public.customers') AND attname = wanted.name AND NOT attisdropped
            )
          ) THEN
            RAISE EXCEPTION '% has not the columns that this migration was planned for', 'public.customers';
          END IF;
          IF (
            SELECT relrowsecurity <> true OR relforcerowsecurity <> false
            FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass('public.customers')
          ) THEN
            RAISE EXCEPTION 'row level security of % is not as this migration was planned for', 'public.customers';
          END IF;
          IF ARRAY(
            SELECT polname FROM pg_catalog.pg_policy
            WHERE polrelid = pg_catalog.to_regclass('public.customers') ORDER BY polname COLLATE "C"
          ) IS DISTINCT FROM ARRAY['tenant_isolation']::name[] THEN
            RAISE EXCEPTION 'the policies of % are not those that this migration was planned for', 'public.customers';
          END IF;
        END
        $remediate$
    `);
    await trx.raw(`ALTER TABLE public.customers FORCE ROW LEVEL SECURITY`);
  });
}

export async function down(knex: Knex): Promise<void> {
  // public.customers
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`ALTER TABLE public.customers NO FORCE ROW LEVEL SECURITY`);
  });
}
