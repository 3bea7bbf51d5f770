import type { Knex } from 'knex';

const UUID_PATTERN = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';

// No foreign key is possible where the other table belongs to a service that deploys on its own.
const SOFT_REFERENCES = [
  { table: 'spending_limits', column: 'user_id' },
  { table: 'spending_transactions', column: 'user_id' },
  { table: 'multisig_approval_requests', column: 'requester_id' },
  { table: 'multisig_approvals', column: 'approver_id' },
  { table: 'order_discounts', column: 'order_id' },
];

// order-service may or may not be installed in this database.
const ORDER_REFERENCES = [
  { table: 'refunds', name: 'fk_refunds_order' },
  { table: 'order_discounts', name: 'fk_order_discounts_order' },
];

export async function up(knex: Knex): Promise<void> {
  for (const { table, column } of SOFT_REFERENCES) {
    await knex.raw(`
      ALTER TABLE ${table} ADD CONSTRAINT chk_${table}_${column}_uuid CHECK (${column}::text ~ '${UUID_PATTERN}')
    `);
  }

  if (await knex.schema.hasTable('orders')) {
    for (const { table, name } of ORDER_REFERENCES) {
      await knex.schema.alterTable(table, (t) => {
        t.foreign('order_id', name).references('id').inTable('orders').onDelete('RESTRICT');
      });
    }
  }

  await knex.schema
    .raw('CREATE INDEX IF NOT EXISTS idx_ticket_validations_ticket ON ticket_validations (ticket_id)')
    .raw('CREATE INDEX IF NOT EXISTS idx_refunds_ticket ON refunds (ticket_id)')
    .raw('CREATE INDEX IF NOT EXISTS idx_bundle_items_bundle ON ticket_bundle_items (bundle_id)');
}

export async function down(knex: Knex): Promise<void> {
  for (const index of ['idx_bundle_items_bundle', 'idx_refunds_ticket', 'idx_ticket_validations_ticket']) {
    await knex.raw(`DROP INDEX IF EXISTS ${index}`);
  }
  for (const { table, name } of ORDER_REFERENCES) {
    await knex.raw(`ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS ${name}`);
  }
  for (const { table, column } of SOFT_REFERENCES) {
    await knex.raw(`ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS chk_${table}_${column}_uuid`);
  }
}
