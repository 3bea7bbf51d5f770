import type { Knex } from 'knex';

/** Runs `work` in a transaction that belongs to one tenant. */
export async function withTenant<T>(
  knex: Knex,
  tenant: string,
  work: (trx: Knex.Transaction) => Promise<T>,
): Promise<T> {
  return knex.transaction(async (trx) => {
    await trx.raw("SELECT set_config('app.current_tenant_id', ?, true)", [tenant]);
    return work(trx);
  });
}
