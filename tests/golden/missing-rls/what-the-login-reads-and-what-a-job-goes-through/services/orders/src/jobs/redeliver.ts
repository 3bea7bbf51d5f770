import type { Knex } from 'knex';

export function redeliver(knex: Knex) {
  return knex('deliveries').update({ name: 'again' });
}
