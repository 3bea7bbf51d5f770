import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 5 objects.
 *
 * A tenant-scoped table has no row level security (missing-rls). Every query sees the rows of every
 * tenant: one forgotten condition shows a customer the data of another.
 * - public.Order (services/orders/migrations/0001_everything.ts:7)
 * - public.line items (services/orders/migrations/0001_everything.ts:7)
 * - public.select (services/orders/migrations/0001_everything.ts:7)
 * - public.user (services/orders/migrations/0001_everything.ts:7)
 * - public.weird`${name}$1 (services/orders/migrations/0001_everything.ts:7)
 *
 * Runs step by step, each in a transaction of its own: if one fails, those before it stay, and the
 * file can be run again.
 * Locks ACCESS EXCLUSIVE on public.Order, public.line items, public.select, public.user and
 * public.weird`${name}$1: each only until the end of its step. Waits at most 5s for each.
 * Because of transaction: false, Knex runs every pending file of its batch by itself, not all in one
 * transaction: deploy it by itself where that matters.
 */
export const config = { transaction: false };

export async function up(knex: Knex): Promise<void> {
  // public.Order
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF EXISTS (
            SELECT 1 FROM pg_catalog.pg_policy
            WHERE polrelid = 'public."Order"'::regclass AND polname = 'Order_isolation'
              AND pg_catalog.obj_description(oid, 'pg_policy') = 'remediate:4c443bc59a53'
          ) THEN
            DROP POLICY "Order_isolation" ON public."Order";
          END IF;
        END
        $remediate$
    `);
    await trx.raw(`
      CREATE POLICY "Order_isolation" ON public."Order"
        USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
    `);
    await trx.raw(`
      COMMENT ON POLICY "Order_isolation" ON public."Order" IS 'remediate:4c443bc59a53'
    `);
    await trx.raw(`ALTER TABLE public."Order" ENABLE ROW LEVEL SECURITY`);
    await trx.raw(`ALTER TABLE public."Order" FORCE ROW LEVEL SECURITY`);
  });

  // public.line items
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF EXISTS (
            SELECT 1 FROM pg_catalog.pg_policy
            WHERE polrelid = 'public."line items"'::regclass AND polname = 'line items_isolation'
              AND pg_catalog.obj_description(oid, 'pg_policy') = 'remediate:b3a746088d0f'
          ) THEN
            DROP POLICY "line items_isolation" ON public."line items";
          END IF;
        END
        $remediate$
    `);
    await trx.raw(`
      CREATE POLICY "line items_isolation" ON public."line items"
        USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
    `);
    await trx.raw(`
      COMMENT ON POLICY "line items_isolation" ON public."line items" IS 'remediate:b3a746088d0f'
    `);
    await trx.raw(`ALTER TABLE public."line items" ENABLE ROW LEVEL SECURITY`);
    await trx.raw(`ALTER TABLE public."line items" FORCE ROW LEVEL SECURITY`);
  });

  // public.select
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF EXISTS (
            SELECT 1 FROM pg_catalog.pg_policy
            WHERE polrelid = 'public."select"'::regclass AND polname = 'select_isolation'
              AND pg_catalog.obj_description(oid, 'pg_policy') = 'remediate:93ab4ce94b29'
          ) THEN
            DROP POLICY select_isolation ON public."select";
          END IF;
        END
        $remediate$
    `);
    await trx.raw(`
      CREATE POLICY select_isolation ON public."select"
        USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
    `);
    await trx.raw(`
      COMMENT ON POLICY select_isolation ON public."select" IS 'remediate:93ab4ce94b29'
    `);
    await trx.raw(`ALTER TABLE public."select" ENABLE ROW LEVEL SECURITY`);
    await trx.raw(`ALTER TABLE public."select" FORCE ROW LEVEL SECURITY`);
  });

  // public.user
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF EXISTS (
            SELECT 1 FROM pg_catalog.pg_policy
            WHERE polrelid = 'public."user"'::regclass AND polname = 'user_isolation'
              AND pg_catalog.obj_description(oid, 'pg_policy') = 'remediate:9cf2c66cd85a'
          ) THEN
            DROP POLICY user_isolation ON public."user";
          END IF;
        END
        $remediate$
    `);
    await trx.raw(`
      CREATE POLICY user_isolation ON public."user"
        USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
    `);
    await trx.raw(`
      COMMENT ON POLICY user_isolation ON public."user" IS 'remediate:9cf2c66cd85a'
    `);
    await trx.raw(`ALTER TABLE public."user" ENABLE ROW LEVEL SECURITY`);
    await trx.raw(`ALTER TABLE public."user" FORCE ROW LEVEL SECURITY`);
  });

  // public.weird`${name}$1
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      DO $remediate$
        BEGIN
          IF EXISTS (
            SELECT 1 FROM pg_catalog.pg_policy
            WHERE polrelid = 'public."weird\`\${name}$1"'::regclass AND polname = 'weird\`\${name}$1_isolation'
              AND pg_catalog.obj_description(oid, 'pg_policy') = 'remediate:2bcfe20c32c1'
          ) THEN
            DROP POLICY "weird\`\${name}$1_isolation" ON public."weird\`\${name}$1";
          END IF;
        END
        $remediate$
    `);
    await trx.raw(`
      CREATE POLICY "weird\`\${name}$1_isolation" ON public."weird\`\${name}$1"
        USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
    `);
    await trx.raw(`
      COMMENT ON POLICY "weird\`\${name}$1_isolation" ON public."weird\`\${name}$1" IS 'remediate:2bcfe20c32c1'
    `);
    await trx.raw(`
      ALTER TABLE public."weird\`\${name}$1" ENABLE ROW LEVEL SECURITY
    `);
    await trx.raw(`
      ALTER TABLE public."weird\`\${name}$1" FORCE ROW LEVEL SECURITY
    `);
  });
}

export async function down(knex: Knex): Promise<void> {
  // public.weird`${name}$1
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      ALTER TABLE public."weird\`\${name}$1" NO FORCE ROW LEVEL SECURITY
    `);
    await trx.raw(`
      ALTER TABLE public."weird\`\${name}$1" DISABLE ROW LEVEL SECURITY
    `);
    await trx.raw(`
      DROP POLICY IF EXISTS "weird\`\${name}$1_isolation" ON public."weird\`\${name}$1"
    `);
  });

  // public.user
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`ALTER TABLE public."user" NO FORCE ROW LEVEL SECURITY`);
    await trx.raw(`ALTER TABLE public."user" DISABLE ROW LEVEL SECURITY`);
    await trx.raw(`DROP POLICY IF EXISTS user_isolation ON public."user"`);
  });

  // public.select
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`ALTER TABLE public."select" NO FORCE ROW LEVEL SECURITY`);
    await trx.raw(`ALTER TABLE public."select" DISABLE ROW LEVEL SECURITY`);
    await trx.raw(`DROP POLICY IF EXISTS select_isolation ON public."select"`);
  });

  // public.line items
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`
      ALTER TABLE public."line items" NO FORCE ROW LEVEL SECURITY
    `);
    await trx.raw(`ALTER TABLE public."line items" DISABLE ROW LEVEL SECURITY`);
    await trx.raw(`
      DROP POLICY IF EXISTS "line items_isolation" ON public."line items"
    `);
  });

  // public.Order
  await knex.transaction(async (trx) => {
    await trx.raw(`SET LOCAL lock_timeout = '5s'`);
    await trx.raw(`ALTER TABLE public."Order" NO FORCE ROW LEVEL SECURITY`);
    await trx.raw(`ALTER TABLE public."Order" DISABLE ROW LEVEL SECURITY`);
    await trx.raw(`DROP POLICY IF EXISTS "Order_isolation" ON public."Order"`);
  });
}
