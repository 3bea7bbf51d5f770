import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 1 object.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * The tenant is read from, or written to, more than one setting (inconsistent-tenant-setting). A
 * session that sets one name sees nothing through what reads another, so code has to set them all, and
 * forgets one.
 * - public.tenant_url(text) (services/orders/migrations/001_create_orders.ts:15)
 *   - It does more than return the setting: in a function a missing value may let through what raised
 *     before.
 *
 * Takes short locks, waits at most 5s for each; if it fails, nothing of it has happened.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // function public.tenant_url
  await knex.raw(`
    CREATE OR REPLACE FUNCTION public.tenant_url(text) RETURNS text LANGUAGE sql STABLE AS $$
          SELECT regexp_replace($1, E'^https\\x3f://', '') || (CASE WHEN NULLIF(current_setting('app.current_tenant_id', true), '') <> NULLIF(current_setting('app.current_tenant', true), '') THEN NULL ELSE COALESCE(NULLIF(current_setting('app.current_tenant_id', true), ''), current_setting('app.current_tenant', true)) END)
            || CASE WHEN $1 ~ '[\\\\]' THEN '' ELSE '' END
        $$
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

  // function public.tenant_url
  await knex.raw(`
    CREATE OR REPLACE FUNCTION public.tenant_url(text) RETURNS text LANGUAGE sql STABLE AS $$
          SELECT regexp_replace($1, E'^https\\x3f://', '') || current_setting('app.current_tenant', true)
            || CASE WHEN $1 ~ '[\\\\]' THEN '' ELSE '' END
        $$
  `);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
