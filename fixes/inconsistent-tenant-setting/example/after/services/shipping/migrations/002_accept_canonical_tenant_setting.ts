import type { Knex } from 'knex';

/**
 * Follow-up migration for shipping, planned by remediate: changes 1 object.
 *
 * The tenant is read from, or written to, more than one setting (inconsistent-tenant-setting). A
 * session that sets one name sees nothing through what reads another, so code has to set them all, and
 * forgets one.
 * - public.parcels.parcels_tenant (services/shipping/migrations/001_create_parcels.ts:9)
 *
 * Runs in one transaction: if it fails, nothing of it has happened.
 * Locks ACCESS EXCLUSIVE on public.parcels: held until the end of the transaction, which Knex shares
 * with all other pending files. Waits at most 5s for each.
 */
export const config = { transaction: true };

export async function up(knex: Knex): Promise<void> {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // public.parcels
  await knex.raw(`
    ALTER POLICY parcels_tenant ON public.parcels
      USING (tenant_id = (
        SELECT CASE
          WHEN setting.current_tenant_id <> setting.current_tenant THEN NULL
          ELSE COALESCE(setting.current_tenant_id, setting.current_tenant)
        END
        FROM (SELECT
          NULLIF(current_setting('app.current_tenant_id', true), '')::uuid AS current_tenant_id,
          NULLIF(current_setting('app.current_tenant', true), '')::uuid AS current_tenant
        ) AS setting
      ))
  `);

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

  // public.parcels
  await knex.raw(`
    ALTER POLICY parcels_tenant ON public.parcels
      USING (tenant_id = current_setting('app.current_tenant', true)::uuid)
  `);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
