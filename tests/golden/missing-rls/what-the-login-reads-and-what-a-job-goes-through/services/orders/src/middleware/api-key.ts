import type { Knex } from 'knex';

/** Whose key it is tells whose request it is. */
export function tenantOf(knex: Knex, key: string) {
  return knex('api_keys').where({ key }).first('tenant_id');
}
