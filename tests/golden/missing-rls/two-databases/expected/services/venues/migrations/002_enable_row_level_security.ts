import type { Knex } from 'knex';

/**
 * Follow-up migration for venues, planned by remediate: changes 1 object.
 *
 * A tenant-scoped table has no row level security (missing-rls). Every query sees the rows of every
 * tenant: one forgotten condition shows a customer the data of another.
 * - public.stages (services/venues/migrations/001_create_customers.ts:12)
 *
 * Runs in one transaction: if it fails, nothing of it has happened.
 * Locks ACCESS EXCLUSIVE on public.stages: held until the end of the transaction, which Knex shares
 * with all other pending files. Waits at most 5s for each.
 */
export const config = { transaction: true };

export async function up(knex: Knex): Promise<void> {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // public.stages
  await knex.raw(`
    CREATE POLICY tenant_isolation ON public.stages
      USING (organisation_id = (
        SELECT CASE
          WHEN setting.organisation_id <> setting.tenant_id THEN NULL
          ELSE COALESCE(setting.organisation_id, setting.tenant_id)
        END
        FROM (SELECT
          NULLIF(current_setting('app.organisation_id', true), '')::uuid AS organisation_id,
          NULLIF(current_setting('app.tenant_id', true), '')::uuid AS tenant_id
        ) AS setting
      ))
  `);
  await knex.raw(`ALTER TABLE public.stages ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.stages FORCE ROW LEVEL SECURITY`);

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

  // public.stages
  await knex.raw(`ALTER TABLE public.stages NO FORCE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE public.stages DISABLE ROW LEVEL SECURITY`);
  await knex.raw(`DROP POLICY tenant_isolation ON public.stages`);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
