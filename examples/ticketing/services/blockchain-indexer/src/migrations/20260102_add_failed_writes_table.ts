import type { Knex } from 'knex';

async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('failed_mongodb_writes', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    t.uuid('indexed_transaction_id');
    t.string('collection', 100).notNullable();
    t.string('operation', 20).notNullable();
    t.jsonb('document').notNullable();
    t.text('error_message').notNullable();
    t.integer('retry_count').notNullable().defaultTo(0);
    t.timestamp('next_retry_at', { useTz: true }).index();
    t.timestamp('resolved_at', { useTz: true });
    t.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });
  await knex.raw(`
    CREATE INDEX idx_failed_mongodb_writes_pending ON failed_mongodb_writes (created_at) WHERE resolved_at IS NULL
  `);
}

async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('failed_mongodb_writes');
}

module.exports = { up, down };
