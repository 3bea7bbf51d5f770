import knex, { Knex } from 'knex';
import config from '../knexfile';

export const db: Knex = knex(config);

/** One statement, one tenant: dashboards run a single query each and need no transaction. */
export async function useTenant(tenantId: string): Promise<Knex> {
  await db.raw(`SET app.current_tenant = '${tenantId}'`);
  return db;
}
