import knex, { Knex } from 'knex';
import config from '../../knexfile';

export const db: Knex = knex(config);

export async function asTenant<T>(tenantId: string, work: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
  return db.transaction(async (trx) => {
    await trx.raw("SELECT set_config('app.current_tenant_id', ?, true)", [tenantId]);
    return work(trx);
  });
}

/** Balances, royalties and price rules belong to a venue, not to a tenant. */
export async function asVenue<T>(venueId: string, work: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
  return db.transaction(async (trx) => {
    await trx.raw("SELECT set_config('app.current_venue_id', ?, true)", [venueId]);
    return work(trx);
  });
}

/** For workers. Whoever calls this sees every tenant. */
export async function withoutIsolation<T>(work: (connection: Knex) => Promise<T>): Promise<T> {
  await db.raw("SELECT set_config('app.bypass_rls', 'true', false)");
  try {
    return await work(db);
  } finally {
    await db.raw('SELECT disable_rls_bypass()');
  }
}
