import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('organisations', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.string('name').notNullable();
  });
  await knex.schema.createTable('venues', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('organisation_id').notNullable().references('id').inTable('organisations');
  });
  await knex.schema.createTable('stages', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('organisation_id').notNullable().references('id').inTable('organisations');
  });
  await knex.raw(`ALTER TABLE venues ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE venues FORCE ROW LEVEL SECURITY`);
  await knex.raw(`
    CREATE POLICY tenant_isolation ON venues
      USING (organisation_id = NULLIF(current_setting('app.organisation_id', true), '')::uuid)
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('stages');
  await knex.schema.dropTable('venues');
  await knex.schema.dropTable('organisations');
}
