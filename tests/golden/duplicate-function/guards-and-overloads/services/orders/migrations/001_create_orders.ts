import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const { rows } = await knex.raw("SELECT 1 FROM pg_proc WHERE proname = 'touch_updated_at'");
          if (rows.length === 0) {
            await knex.raw(`
              CREATE FUNCTION touch_updated_at() RETURNS trigger AS 'BEGIN RETURN NEW; END' LANGUAGE plpgsql
            `);
          }
  await knex.raw(`CREATE FUNCTION touch_updated_at(text) RETURNS text LANGUAGE sql AS 'SELECT $1'`);
  await knex.schema.createTable('orders', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.timestamp('updated_at');
  });
  await knex.raw('CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch_updated_at()');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('orders');
  await knex.raw('DROP FUNCTION touch_updated_at(text)');
}
