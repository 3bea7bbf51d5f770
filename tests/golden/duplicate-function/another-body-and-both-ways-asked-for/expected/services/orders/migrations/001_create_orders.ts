import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    DO $guard$ BEGIN IF to_regprocedure('public.touch_updated_at()') IS NULL THEN EXECUTE $create$
CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger AS $$
    BEGIN
      NEW.updated_at = clock_timestamp();
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
$create$; END IF; END $guard$
  `);
  await knex.schema.createTable('orders', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.timestamp('updated_at');
  });
  await knex.raw('CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch_updated_at()');
  await knex.schema.createTable('baskets', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.timestamp('updated_at');
  });
  await knex.raw('CREATE TRIGGER touch BEFORE UPDATE ON baskets FOR EACH ROW EXECUTE FUNCTION touch_updated_at()');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('orders');
  await knex.raw('DO $guard$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend WHERE refclassid = \'pg_catalog.pg_proc\'::regclass AND refobjid = to_regprocedure(\'public.touch_updated_at()\') AND deptype = \'n\') THEN DROP FUNCTION IF EXISTS touch_updated_at(); END IF; END $guard$');
}
