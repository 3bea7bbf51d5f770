import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    DO $remediate$
    BEGIN
      IF pg_catalog.to_regprocedure('public.touch_updated_at()') IS NULL THEN
        CREATE FUNCTION touch_updated_at() RETURNS trigger AS $$
    BEGIN
      NEW.updated_at = now();
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;
      END IF;
    END
    $remediate$
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    DO $remediate$
    BEGIN
      DROP FUNCTION IF EXISTS touch_updated_at() RESTRICT;
    EXCEPTION WHEN dependent_objects_still_exist THEN
      NULL;
    END
    $remediate$
  `);
}
