exports.up = async function (knex) {
  await knex.raw(`
    CREATE TABLE venues (id uuid PRIMARY KEY, updated_at timestamptz);
    CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger AS $$
  BEGIN
    NEW.updated_at = now();
    RETURN NEW;
  END;
  $$ LANGUAGE plpgsql;
    CREATE TRIGGER touch BEFORE UPDATE ON venues FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
  `);
};

exports.down = async function (knex) {
  await knex.raw('DROP TABLE venues; DROP FUNCTION IF EXISTS touch_updated_at() CASCADE');
};
