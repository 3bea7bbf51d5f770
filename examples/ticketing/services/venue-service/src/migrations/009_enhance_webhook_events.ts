import type { Knex } from 'knex';

// The index is built next to running deliveries.
export const config = { transaction: false };

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('webhook_events', (table) => {
    table.string('status', 20).notNullable().defaultTo('pending');
    table.timestamp('processing_started_at', { useTz: true });
    table.timestamp('processing_completed_at', { useTz: true });
    table.jsonb('payload');
    table.text('error_message');
    table.integer('retry_count').notNullable().defaultTo(0);
    table.timestamp('last_retry_at', { useTz: true });
    table.specificType('source_ip', 'inet');
    table.string('headers_hash', 64);
    table.string('lock_key', 100);
    table.timestamp('lock_expires_at', { useTz: true });
  });
  await knex.raw(`
    CREATE INDEX CONCURRENTLY idx_webhook_events_retry ON webhook_events (status, retry_count, last_retry_at)
      WHERE status = 'failed'
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX CONCURRENTLY IF EXISTS idx_webhook_events_retry');
  await knex.schema.alterTable('webhook_events', (table) => {
    table.dropColumns(
      'status',
      'processing_started_at',
      'processing_completed_at',
      'payload',
      'error_message',
      'retry_count',
      'last_retry_at',
      'source_ip',
      'headers_hash',
      'lock_key',
      'lock_expires_at'
    );
  });
}
