import type { Knex } from 'knex';

const INDEXES: Array<{ name: string; on: string; where?: string }> = [
  { name: 'idx_payment_transactions_tenant_created', on: 'payment_transactions (tenant_id, created_at DESC)' },
  { name: 'idx_payment_transactions_order', on: 'payment_transactions (order_id)', where: 'order_id IS NOT NULL' },
  { name: 'idx_payment_transactions_venue_status', on: 'payment_transactions (venue_id, status)' },
  { name: 'idx_payment_refunds_transaction', on: 'payment_refunds (transaction_id)' },
  { name: 'idx_payment_intents_order', on: 'payment_intents (order_id)' },
  { name: 'idx_royalty_distributions_transaction', on: 'royalty_distributions (transaction_id)' },
  { name: 'idx_royalty_distributions_recipient', on: 'royalty_distributions (recipient_id, status)' },
  { name: 'idx_group_members_group', on: 'group_payment_members (group_payment_id)' },
  { name: 'idx_fraud_checks_user', on: 'fraud_checks (user_id, created_at DESC)' },
  { name: 'idx_payment_escrows_due', on: 'payment_escrows (release_at)', where: `status = 'funded'` },
  { name: 'idx_webhook_inbox_pending', on: 'webhook_inbox (created_at)', where: `status = 'pending'` },
  { name: 'idx_group_payments_open', on: 'group_payments (expires_at)', where: 'expires_at > NOW()' },
];

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`SET lock_timeout = '5s'`);
  for (const { name, on, where } of INDEXES) {
    await knex.raw(`CREATE INDEX CONCURRENTLY IF NOT EXISTS ${name} ON ${on}${where ? ` WHERE ${where}` : ''}`);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const { name } of [...INDEXES].reverse()) {
    await knex.raw(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
  }
}
