import { db, pool } from '../config/database';

/** Gives the seats of abandoned carts back, over all tenants. */
export async function expireReservations(): Promise<number> {
  const released = await db('reservations')
    .where({ status: 'PENDING' })
    .andWhere('expires_at', '<', db.fn.now())
    .update({ status: 'EXPIRED', released_at: db.fn.now() });
  await db('ticket_holds').where('held_until', '<', db.fn.now()).delete();
  return released;
}

export async function publishOutbox(publish: (topic: string, payload: unknown) => Promise<void>): Promise<void> {
  const batch = await db('outbox').whereNull('processed_at').orderBy('id').limit(200);
  for (const message of batch) {
    await publish(message.event_type, message.payload);
    await db('outbox').where({ id: message.id }).update({ processed_at: db.fn.now() });
  }
}

export async function sendNotifications(send: (userId: string, type: string) => Promise<void>): Promise<void> {
  const pending = await db('ticket_notifications').where({ status: 'pending' }).limit(100);
  for (const row of pending) {
    await send(row.user_id, row.type);
    await db('ticket_notifications').where({ id: row.id }).update({ status: 'sent', sent_at: db.fn.now() });
  }
}

/** Follows what was sent to the chain; the chain does not know tenants. */
export async function confirmTransactions(lookUp: (signature: string) => Promise<{ slot: number; blockTime: Date } | null>): Promise<void> {
  const { rows } = await pool.query("SELECT tx_signature FROM pending_transactions WHERE status IN ('pending', 'confirming')");
  for (const { tx_signature: signature } of rows) {
    const found = await lookUp(signature);
    if (found) await pool.query('SELECT confirm_transaction($1, $2, $3)', [signature, found.slot, found.blockTime]);
  }
}

export async function purgeIdempotencyKeys(): Promise<void> {
  await pool.query('SELECT cleanup_expired_idempotency_keys()');
}
