import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(
               "CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$\n  BEGIN\n    NEW.updated_at = now();\n    RETURN NEW;\n  END;\n  $$",
             );
  await knex.schema.createTable('orders', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.timestamp('updated_at');
  });
  await knex.raw('CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch_updated_at()');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('orders');
  await knex.raw('DROP FUNCTION IF EXISTS touch_updated_at()');
}
