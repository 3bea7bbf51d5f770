import { inTenant } from './db/tenant';

export function list(tenantId: string) {
  return inTenant(tenantId, (trx) => trx('customers').select());
}
