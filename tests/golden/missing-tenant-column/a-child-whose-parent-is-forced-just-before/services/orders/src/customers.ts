import type { Knex } from 'knex';
import { withTenant } from './database';

export function list(knex: Knex, tenant: string) {
  return withTenant(knex, tenant, (trx) => trx('customers').select());
}
