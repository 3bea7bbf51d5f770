import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 1 object.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * A table belongs to tenants, but has no tenant column (missing-tenant-column). Without the column the
 * table can have no policy of its own, and its rows are as safe as the query that joins them.
 * - public.refund_steps (services/orders/migrations/002_create_refunds.ts:20)
 *   - Whose row it is follows from another table as it is today: somebody has to confirm that this
 *     path is the right one, and what becomes of rows on which it ends nowhere.
 *
 * Runs step by step, each in a transaction of its own: if one fails, those before it stay, and the
 * file can be run again.
 * Locks ACCESS EXCLUSIVE on public.refund_steps and public.refund_policies: each only until the end of
 * its step. Waits at most 5s for each.
 * Because of transaction: false, Knex runs every pending file of its batch by itself, not all in one
 * transaction: deploy it by itself where that matters.
 */
export const config = { transaction: false };

export async function up(knex: Knex): Promise<void> {
  // public.refund_steps: the column tenant_id, empty at first
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF NOT EXISTS (
            SELECT 1 FROM pg_catalog.pg_attribute
            WHERE attrelid = 'public.refund_steps'::regclass AND attname = 'tenant_id' AND NOT attisdropped
          ) THEN
            ALTER TABLE public.refund_steps ADD COLUMN tenant_id uuid;
            COMMENT ON COLUMN public.refund_steps.tenant_id IS 'remediate:1c61901d2668';
          ELSIF (
            SELECT pg_catalog.col_description(attrelid, attnum) FROM pg_catalog.pg_attribute
            WHERE attrelid = 'public.refund_steps'::regclass AND attname = 'tenant_id'
          ) IS DISTINCT FROM 'remediate:1c61901d2668' THEN
            RAISE EXCEPTION USING MESSAGE = 'public.refund_steps.tenant_id is there already, and this migration did not add it';
          END IF;
        END
        $remediate$
    `);
  });

  // public.refund_steps: a trigger that fills tenant_id for code that does not know it
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF pg_catalog.to_regprocedure('public.fill_refund_steps_tenant_id()') IS NOT NULL AND pg_catalog.obj_description(
            pg_catalog.to_regprocedure('public.fill_refund_steps_tenant_id()'), 'pg_proc'
          ) IS DISTINCT FROM 'remediate:1c61901d2668' THEN
            RAISE EXCEPTION USING MESSAGE = 'public.fill_refund_steps_tenant_id is there already, and this migration did not create it';
          END IF;
        END
        $remediate$
    `);
    await trx.raw(`
      CREATE OR REPLACE FUNCTION public.fill_refund_steps_tenant_id() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
        AS $fill$
BEGIN
  IF NEW.tenant_id IS NULL THEN
    SELECT parent_2.tenant_id INTO NEW.tenant_id
    FROM public.refund_policy_rules AS parent_1 JOIN public.refund_policies AS parent_2 ON parent_2.id = parent_1.policy_id
    WHERE parent_1.id = NEW.rule_id;
  END IF;
  RETURN NEW;
END
$fill$
    `);
    await trx.raw(`
      COMMENT ON FUNCTION public.fill_refund_steps_tenant_id() IS 'remediate:1c61901d2668'
    `);
    await trx.raw(`
      DROP TRIGGER IF EXISTS fill_refund_steps_tenant_id ON public.refund_steps
    `);
    await trx.raw(`
      CREATE TRIGGER fill_refund_steps_tenant_id BEFORE INSERT OR UPDATE ON public.refund_steps
        FOR EACH ROW EXECUTE FUNCTION public.fill_refund_steps_tenant_id()
    `);
  });

  // public.refund_steps: the rows that are there, a batch of pages at a time
  const update = `
    UPDATE public.refund_steps AS child
      SET tenant_id = parent_2.tenant_id
      FROM public.refund_policy_rules AS parent_1 JOIN public.refund_policies AS parent_2 ON parent_2.id = parent_1.policy_id
      WHERE parent_1.id = child.rule_id
        AND child.tenant_id IS NULL
        AND parent_2.tenant_id IS NOT NULL
        AND child.ctid >= format('(%s,0)', ?::bigint)::tid
        AND child.ctid < format('(%s,0)', ?::bigint)::tid
  `;
  const batches = await knex.raw(`
    SELECT page AS first, page + 250 AS past
      FROM pg_catalog.generate_series(
        0, pg_relation_size('public.refund_steps'::regclass) / current_setting('block_size')::bigint - 1, 250
      ) AS batch(page)
  `);
  for (const { first, past } of batches.rows) {
    await knex.transaction(async (trx) => {
      await trx.raw(`SET LOCAL lock_timeout = '5s'`);
      await trx.raw(`SET LOCAL row_security = off`);
      await trx.raw(`
        ALTER TABLE public.refund_steps NO FORCE ROW LEVEL SECURITY
      `);
      await trx.raw(`
        ALTER TABLE public.refund_policies NO FORCE ROW LEVEL SECURITY
      `);
      await trx.raw(update, [first, past]);
      await trx.raw(`SET CONSTRAINTS ALL IMMEDIATE`);
      await trx.raw(`ALTER TABLE public.refund_steps FORCE ROW LEVEL SECURITY`);
      await trx.raw(`
        ALTER TABLE public.refund_policies FORCE ROW LEVEL SECURITY
      `);
    });
  }
}

export async function down(knex: Knex): Promise<void> {
  // public.refund_steps: a trigger that fills tenant_id for code that does not know it
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF pg_catalog.obj_description(
            pg_catalog.to_regprocedure('public.fill_refund_steps_tenant_id()'), 'pg_proc'
          ) = 'remediate:1c61901d2668' THEN
            DROP TRIGGER IF EXISTS fill_refund_steps_tenant_id ON public.refund_steps;
            DROP FUNCTION public.fill_refund_steps_tenant_id();
          END IF;
        END
        $remediate$
    `);
  });

  // public.refund_steps: the column tenant_id, empty at first
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF EXISTS (
            SELECT 1 FROM pg_catalog.pg_attribute
            WHERE attrelid = 'public.refund_steps'::regclass AND attname = 'tenant_id' AND NOT attisdropped
          ) AND (
            SELECT pg_catalog.col_description(attrelid, attnum) FROM pg_catalog.pg_attribute
            WHERE attrelid = 'public.refund_steps'::regclass AND attname = 'tenant_id'
          ) = 'remediate:1c61901d2668' THEN
            ALTER TABLE public.refund_steps DROP COLUMN tenant_id;
          END IF;
        END
        $remediate$
    `);
  });
}
