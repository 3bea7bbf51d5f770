import type { Knex } from 'knex';

interface UniqueIndex {
  name: string;
  table: string;
  columns: string[];
  where?: string;
}

const INDEXES: UniqueIndex[] = [
  { name: 'uq_tickets_qr_code', table: 'tickets', columns: ['qr_code'], where: 'qr_code IS NOT NULL' },
  { name: 'uq_tickets_token_mint', table: 'tickets', columns: ['token_mint'], where: 'token_mint IS NOT NULL' },
  { name: 'uq_tickets_barcode', table: 'tickets', columns: ['barcode'], where: 'barcode IS NOT NULL' },
  { name: 'uq_tickets_seat', table: 'tickets', columns: ['event_id', 'section', 'row', 'seat'], where: 'seat IS NOT NULL' },
  { name: 'uq_ticket_holds_active', table: 'ticket_holds', columns: ['ticket_type_id', 'held_by'], where: 'held_until > NOW()' },
];

export async function up(knex: Knex): Promise<void> {
  for (const index of INDEXES) {
    const columns = index.columns.map((column) => `"${column}"`).join(', ');
    const where = index.where ? ` WHERE ${index.where}` : '';
    await knex.raw(`CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ${index.name} ON ${index.table} (${columns})${where}`);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const index of INDEXES) {
    await knex.raw(`DROP INDEX CONCURRENTLY IF EXISTS ${index.name}`);
  }
}
