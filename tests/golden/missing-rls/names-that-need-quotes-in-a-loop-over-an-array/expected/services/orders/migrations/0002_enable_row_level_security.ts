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
 * Takes short locks, waits at most 5s for each; if it fails, nothing of it has happened.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // public.Order
  await knex.raw(`
    CREATE POLICY "Order_isolation" ON public."Order"
      USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
  `);
  await knex.raw(`ALTER TABLE public."Order" ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public."Order" FORCE ROW LEVEL SECURITY`);

  // public.line items
  await knex.raw(`
    CREATE POLICY "line items_isolation" ON public."line items"
      USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
  `);
  await knex.raw(`ALTER TABLE public."line items" ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public."line items" FORCE ROW LEVEL SECURITY`);

  // public.select
  await knex.raw(`
    CREATE POLICY select_isolation ON public."select"
      USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
  `);
  await knex.raw(`ALTER TABLE public."select" ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public."select" FORCE ROW LEVEL SECURITY`);

  // public.user
  await knex.raw(`
    CREATE POLICY user_isolation ON public."user"
      USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
  `);
  await knex.raw(`ALTER TABLE public."user" ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public."user" FORCE ROW LEVEL SECURITY`);

  // public.weird`${name}$1
  await knex.raw(`
    CREATE POLICY "weird\`\${name}$1_isolation" ON public."weird\`\${name}$1"
      USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid))
  `);
  await knex.raw(`
    ALTER TABLE public."weird\`\${name}$1" ENABLE ROW LEVEL SECURITY
  `);
  await knex.raw(`
    ALTER TABLE public."weird\`\${name}$1" FORCE ROW LEVEL SECURITY
  `);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // public.weird`${name}$1
  await knex.raw(`
    ALTER TABLE public."weird\`\${name}$1" NO FORCE ROW LEVEL SECURITY
  `);
  await knex.raw(`
    ALTER TABLE public."weird\`\${name}$1" DISABLE ROW LEVEL SECURITY
  `);
  await knex.raw(`
    DROP POLICY "weird\`\${name}$1_isolation" ON public."weird\`\${name}$1"
  `);

  // public.user
  await knex.raw(`ALTER TABLE public."user" NO FORCE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public."user" DISABLE ROW LEVEL SECURITY`);
  await knex.raw(`DROP POLICY user_isolation ON public."user"`);

  // public.select
  await knex.raw(`ALTER TABLE public."select" NO FORCE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public."select" DISABLE ROW LEVEL SECURITY`);
  await knex.raw(`DROP POLICY select_isolation ON public."select"`);

  // public.line items
  await knex.raw(`ALTER TABLE public."line items" NO FORCE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public."line items" DISABLE ROW LEVEL SECURITY`);
  await knex.raw(`DROP POLICY "line items_isolation" ON public."line items"`);

  // public.Order
  await knex.raw(`ALTER TABLE public."Order" NO FORCE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public."Order" DISABLE ROW LEVEL SECURITY`);
  await knex.raw(`DROP POLICY "Order_isolation" ON public."Order"`);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
