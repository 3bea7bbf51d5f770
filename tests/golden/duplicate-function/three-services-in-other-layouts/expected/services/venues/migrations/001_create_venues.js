exports.up = async function (knex) {
  await knex.raw(`
    CREATE TABLE venues (id uuid PRIMARY KEY, updated_at timestamptz);
    DO $guard$ BEGIN IF to_regprocedure('public.touch_updated_at()') IS NULL THEN EXECUTE $create$
CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger AS $$
  BEGIN
    NEW.updated_at = now();
    RETURN NEW;
  END;
  $$ LANGUAGE plpgsql
$create$; END IF; END $guard$;
    CREATE TRIGGER touch BEFORE UPDATE ON venues FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
  `);
};

exports.down = async function (knex) {
  await knex.raw('DROP TABLE venues; DO $guard$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend WHERE refclassid = \'pg_catalog.pg_proc\'::regclass AND refobjid = to_regprocedure(\'public.touch_updated_at()\') AND deptype = \'n\') THEN DROP FUNCTION IF EXISTS touch_updated_at() CASCADE; END IF; END $guard$');
};
