import type { Knex } from 'knex';
import { withTenant } from '@shop/schema';

export function list(knex: Knex, tenant: string) {
  return withTenant(knex, tenant, (trx) => trx('invoices').select());
}
