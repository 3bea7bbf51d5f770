import knex, { Knex } from 'knex';
import { Pool } from 'pg';
import config from '../../knexfile';

export const db: Knex = knex(config);
export const pool = new Pool({ connectionString: process.env.DATABASE_URL });

export async function withTenant<T>(tenantId: string, work: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
  return db.transaction(async (trx) => {
    await trx.raw('SELECT set_tenant_context(?)', [tenantId]);
    return work(trx);
  });
}
