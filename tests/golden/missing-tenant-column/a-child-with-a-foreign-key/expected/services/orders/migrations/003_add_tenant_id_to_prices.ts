import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 1 object.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * A table belongs to tenants, but has no tenant column (missing-tenant-column). Without the column the
 * table can have no policy of its own, and its rows are as safe as the query that joins them.
 * - public.prices (services/orders/migrations/002_create_prices.ts:4)
 *   - Whose row it is follows from another table as it is today: somebody has to confirm that this
 *     path is the right one, and what becomes of rows on which it ends nowhere.
 *
 * Runs step by step, each in a transaction of its own: if one fails, those before it stay, and the
 * file can be run again.
 * Locks ACCESS EXCLUSIVE on public.prices and public.customers: each only until the end of its step.
 * Waits at most 5s for each.
 * Because of transaction: false, Knex runs every pending file of its batch by itself, not all in one
 * transaction: deploy it by itself where that matters.
 */
export const config = { transaction: false };

export async function up(knex: Knex): Promise<void> {
  // public.prices: the column tenant_id, empty at first
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF NOT EXISTS (
            SELECT 1 FROM pg_catalog.pg_attribute
            WHERE attrelid = 'public.prices'::regclass AND attname = 'tenant_id' AND NOT attisdropped
          ) THEN
            ALTER TABLE public.prices ADD COLUMN tenant_id uuid;
            COMMENT ON COLUMN public.prices.tenant_id IS 'remediate:9ff1cf42024b';
          ELSIF (
            SELECT pg_catalog.col_description(attrelid, attnum) FROM pg_catalog.pg_attribute
            WHERE attrelid = 'public.prices'::regclass AND attname = 'tenant_id'
          ) IS DISTINCT FROM 'remediate:9ff1cf42024b' THEN
            RAISE EXCEPTION USING MESSAGE = 'public.prices.tenant_id is there already, and this migration did not add it';
          END IF;
        END
        $remediate$
    `);
  });

  // public.prices: a trigger that fills tenant_id for code that does not know it
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF pg_catalog.to_regprocedure('public.fill_prices_tenant_id()') IS NOT NULL AND pg_catalog.obj_description(
            pg_catalog.to_regprocedure('public.fill_prices_tenant_id()'), 'pg_proc'
          ) IS DISTINCT FROM 'remediate:9ff1cf42024b' THEN
            RAISE EXCEPTION USING MESSAGE = 'public.fill_prices_tenant_id is there already, and this migration did not create it';
          END IF;
        END
        $remediate$
    `);
    await trx.raw(`
      CREATE OR REPLACE FUNCTION public.fill_prices_tenant_id() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
        AS $fill$
BEGIN
  IF NEW.tenant_id IS NULL THEN
    SELECT parent_1.tenant_id INTO NEW.tenant_id
    FROM public.customers AS parent_1
    WHERE parent_1.id = NEW.customer_id;
  END IF;
  RETURN NEW;
END
$fill$
    `);
    await trx.raw(`
      COMMENT ON FUNCTION public.fill_prices_tenant_id() IS 'remediate:9ff1cf42024b'
    `);
    await trx.raw(`
      DROP TRIGGER IF EXISTS fill_prices_tenant_id ON public.prices
    `);
    await trx.raw(`
      CREATE TRIGGER fill_prices_tenant_id BEFORE INSERT OR UPDATE ON public.prices
        FOR EACH ROW EXECUTE FUNCTION public.fill_prices_tenant_id()
    `);
  });

  // public.prices: the rows that are there, a batch of pages at a time
  const update = `
    UPDATE public.prices AS child
      SET tenant_id = parent_1.tenant_id
      FROM public.customers AS parent_1
      WHERE parent_1.id = child.customer_id
        AND child.tenant_id IS NULL
        AND parent_1.tenant_id IS NOT NULL
        AND child.ctid >= format('(%s,0)', ?::bigint)::tid
        AND child.ctid < format('(%s,0)', ?::bigint)::tid
  `;
  const batches = await knex.raw(`
    SELECT page AS first, page + 250 AS past
      FROM pg_catalog.generate_series(
        0, pg_relation_size('public.prices'::regclass) / current_setting('block_size')::bigint - 1, 250
      ) AS batch(page)
  `);
  for (const { first, past } of batches.rows) {
    await knex.transaction(async (trx) => {
      await trx.raw(`SET LOCAL lock_timeout = '5s'`);
      await trx.raw(`SET LOCAL row_security = off`);
      await trx.raw(`ALTER TABLE public.customers NO FORCE ROW LEVEL SECURITY`);
      await trx.raw(update, [first, past]);
      await trx.raw(`SET CONSTRAINTS ALL IMMEDIATE`);
      await trx.raw(`ALTER TABLE public.customers FORCE ROW LEVEL SECURITY`);
    });
  }
}

export async function down(knex: Knex): Promise<void> {
  // public.prices: a trigger that fills tenant_id for code that does not know it
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF pg_catalog.obj_description(
            pg_catalog.to_regprocedure('public.fill_prices_tenant_id()'), 'pg_proc'
          ) = 'remediate:9ff1cf42024b' THEN
            DROP TRIGGER IF EXISTS fill_prices_tenant_id ON public.prices;
            DROP FUNCTION public.fill_prices_tenant_id();
          END IF;
        END
        $remediate$
    `);
  });

  // public.prices: the column tenant_id, empty at first
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF EXISTS (
            SELECT 1 FROM pg_catalog.pg_attribute
            WHERE attrelid = 'public.prices'::regclass AND attname = 'tenant_id' AND NOT attisdropped
          ) AND (
            SELECT pg_catalog.col_description(attrelid, attnum) FROM pg_catalog.pg_attribute
            WHERE attrelid = 'public.prices'::regclass AND attname = 'tenant_id'
          ) = 'remediate:9ff1cf42024b' THEN
            ALTER TABLE public.prices DROP COLUMN tenant_id;
          END IF;
        END
        $remediate$
    `);
  });
}
