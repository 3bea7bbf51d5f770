import knex, { Knex } from "knex";
import config from "../../knexfile";

export const db: Knex = knex(config);

/** The tenant id comes out of a verified token, so it is a UUID. */
export async function forTenant<T>(tenantId: string, work: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
  return db.transaction(async (trx) => {
    await trx.raw(`SET LOCAL app.current_tenant = '${tenantId}'`);
    return work(trx);
  });
}
