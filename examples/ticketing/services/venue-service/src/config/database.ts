import knex, { Knex } from 'knex';
import config from '../../knexfile';

export const db: Knex = knex(config);

/** Runs `work` in one transaction that sees the rows of one tenant. */
export async function withTenant<T>(tenantId: string, work: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
  return db.transaction(async (trx) => {
    await trx.raw("SELECT set_config('app.current_tenant_id', ?, true)", [tenantId]);
    return work(trx);
  });
}
