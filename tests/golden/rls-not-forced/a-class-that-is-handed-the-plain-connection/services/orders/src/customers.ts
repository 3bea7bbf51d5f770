import type { Knex } from 'knex';

/** Takes a transaction, as its name says. */
export class CustomerRepository {
  constructor(private readonly trx: Knex.Transaction) {}

  list() {
    return this.trx('customers').orderBy('name');
  }
}
