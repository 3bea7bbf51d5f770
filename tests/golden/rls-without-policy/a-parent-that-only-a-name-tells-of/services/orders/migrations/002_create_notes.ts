import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('customer_notes', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('customer_id').notNullable();
    table.string('name').notNullable();
  });
  await knex.raw('ALTER TABLE customer_notes ENABLE ROW LEVEL SECURITY');
  await knex.raw('ALTER TABLE customer_notes FORCE ROW LEVEL SECURITY');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('customer_notes');
}
