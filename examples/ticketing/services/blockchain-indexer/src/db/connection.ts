import knex, { Knex } from 'knex';
import config from '../../knexfile';

export const db: Knex = knex(config);

/** The indexer follows one programme for one tenant; the setting stays on the connection. */
export async function setTenant(tenantId: string): Promise<void> {
  await db.raw("SELECT set_config('app.current_tenant', ?, false)", [tenantId]);
  await db.raw("SELECT set_config('app.tenant_id', ?, false)", [tenantId]);
}
