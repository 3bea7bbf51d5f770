import type { Knex } from 'knex';

const TABLES = ['orders', 'order_items', 'invoices', 'payments'];

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger AS $$
    BEGIN
      NEW.updated_at = clock_timestamp();
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
  `);
  for (const name of TABLES) {
    await knex.schema.createTable(name, (table) => {
      table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
      table.timestamp('updated_at');
    });
    await knex.raw(`CREATE TRIGGER touch BEFORE UPDATE ON ${name} FOR EACH ROW EXECUTE FUNCTION touch_updated_at()`);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const name of TABLES) {
    await knex.schema.dropTable(name);
  }
  await knex.raw('DROP FUNCTION IF EXISTS touch_updated_at()');
}
