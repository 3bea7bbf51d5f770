import type { Knex } from 'knex';

const quoted = (values: string[]): string => values.map((value) => `'${value}'`).join(', ');

const TICKET_STATUSES = [
  'available',
  'reserved',
  'sold',
  'active',
  'transferred',
  'checked_in',
  'used',
  'refunded',
  'expired',
  'cancelled',
];

async function addCheck(knex: Knex, table: string, name: string, expression: string): Promise<void> {
  await knex.raw(`
    DO $$
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = '${name}') THEN
        ALTER TABLE ${table} ADD CONSTRAINT ${name} CHECK (${expression});
      END IF;
    END $$
  `);
}

export async function up(knex: Knex): Promise<void> {
  await addCheck(knex, 'tickets', 'chk_tickets_status', `status::text IN (${quoted(TICKET_STATUSES)})`);
  await addCheck(knex, 'tickets', 'chk_tickets_price_positive', 'price >= 0');
  await addCheck(knex, 'tickets', 'chk_tickets_face_value_positive', 'face_value >= 0');
  await addCheck(knex, 'tickets', 'chk_tickets_resale_price_positive', 'resale_price IS NULL OR resale_price >= 0');
  await addCheck(knex, 'tickets', 'chk_tickets_max_resale_price', 'max_resale_price IS NULL OR max_resale_price >= price');
  await addCheck(knex, 'tickets', 'chk_tickets_scan_count_positive', 'scan_count >= 0');
  await addCheck(knex, 'tickets', 'chk_tickets_transfer_count_positive', 'transfer_count >= 0');
  await addCheck(knex, 'tickets', 'chk_tickets_max_transfers_positive', 'max_transfers >= 0');
  await addCheck(knex, 'tickets', 'chk_tickets_seat_number_positive', 'seat_number IS NULL OR seat_number > 0');
  await addCheck(knex, 'tickets', 'chk_tickets_valid_dates', 'valid_from IS NULL OR valid_from <= expires_at');

  await addCheck(
    knex,
    'ticket_transfers',
    'chk_ticket_transfers_status',
    `status IN (${quoted(['pending', 'accepted', 'rejected', 'cancelled', 'completed', 'expired'])})`
  );
  await addCheck(knex, 'reservations', 'chk_reservations_quantity', 'quantity > 0');
  await addCheck(knex, 'pending_transactions', 'chk_pending_transactions_retries', 'retry_count <= max_retries');
  await addCheck(knex, 'ticket_types', 'chk_ticket_types_available', 'available_quantity BETWEEN 0 AND quantity');
  await addCheck(knex, 'idempotency_keys', 'chk_idempotency_keys_operation', `operation <> ''`);

  if (await knex.schema.hasTable('orders')) {
    await addCheck(knex, 'orders', 'chk_orders_total_positive', 'total_cents >= 0');
  }
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    DO $$
    DECLARE
      item RECORD;
    BEGIN
      FOR item IN
        SELECT conrelid::regclass AS relation, conname FROM pg_constraint
         WHERE contype = 'c' AND conname LIKE 'chk\\_%' AND conrelid::regclass::text IN ('tickets', 'ticket_transfers', 'reservations')
      LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', item.relation, item.conname);
      END LOOP;
    END $$
  `);
}
