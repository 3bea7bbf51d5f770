import knex, { Knex } from 'knex';
import config from '../../knexfile';

const db = knex(config);

export function inTenant<T>(tenantId: string, work: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
  return db.transaction(async (trx) => {
    await trx.raw("SELECT set_config('app.current_tenant_id', ?, true)", [tenantId]);
    return work(trx);
  });
}
