import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('parcels', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('invoice_id').notNullable().references('id').inTable('invoices').onDelete('RESTRICT').index();
    table.timestamp('updated_at').notNullable().defaultTo(knex.fn.now());
  });
  await knex.raw(`
    DO $guard$ BEGIN IF to_regprocedure('public.touch_updated_at()') IS NULL THEN EXECUTE $create$
CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger AS $$
    BEGIN
      NEW.updated_at = now();
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
$create$; END IF; END $guard$
  `);
  await knex.raw(`
    CREATE TRIGGER touch BEFORE UPDATE ON parcels
      FOR EACH ROW EXECUTE FUNCTION touch_updated_at()
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('parcels');
  await knex.raw('DO $guard$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend WHERE refclassid = \'pg_catalog.pg_proc\'::regclass AND refobjid = to_regprocedure(\'public.touch_updated_at()\') AND deptype = \'n\') THEN DROP FUNCTION IF EXISTS touch_updated_at(); END IF; END $guard$');
}
