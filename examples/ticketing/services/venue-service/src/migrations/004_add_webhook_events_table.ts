import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('webhook_events', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.string('event_id', 255).notNullable().unique().comment('the id that the sender gave it');
    table.string('event_type', 100).notNullable();
    table.string('source', 50).notNullable().defaultTo('stripe');
    table.uuid('tenant_id').references('id').inTable('tenants').onDelete('SET NULL');
    table.timestamp('processed_at', { useTz: true });
    table.jsonb('metadata').notNullable().defaultTo('{}');
    table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.index(['source', 'processed_at']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('webhook_events');
}
