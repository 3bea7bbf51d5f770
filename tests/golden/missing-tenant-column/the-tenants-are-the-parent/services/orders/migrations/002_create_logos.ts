import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('logos', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('owner').notNullable().references('id').inTable('tenants');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('logos');
}
