import knex from 'knex';
import { CustomerRepository } from './customers';
import { withTenant } from './database';

const db = knex({ client: 'pg', connection: process.env.DATABASE_URL });

export async function countCustomers(tenant: string) {
  const customers = await withTenant(db, tenant, (trx) => new CustomerRepository(trx).list());
  return customers.length;
}
