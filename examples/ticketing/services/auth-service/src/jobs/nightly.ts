import { db } from '../config/database';

/** Started by the scheduler at 03:15 UTC, for all tenants at once. */
export async function nightly(): Promise<void> {
  await db.raw('SELECT cleanup_expired_data()');
  const { rows } = await db.raw('SELECT backfill_user_aggregates() AS touched');
  console.log(`user aggregates refreshed: ${rows[0].touched}`);
}
