import type { Knex } from 'knex';

export interface Address {
  id: string;
  address_type: string;
  line1: string;
  city: string;
  country_code: string;
  is_default: boolean;
}

/** Takes the transaction that tenantContext opened. */
export class AddressRepository {
  constructor(private readonly trx: Knex.Transaction) {}

  list(userId: string): Promise<Address[]> {
    return this.trx('user_addresses').where({ user_id: userId }).orderBy('created_at');
  }

  async add(tenantId: string, userId: string, address: Omit<Address, 'id'>): Promise<string> {
    const [row] = await this.trx('user_addresses').insert({ ...address, tenant_id: tenantId, user_id: userId }).returning('id');
    return row.id;
  }

  remove(id: string): Promise<number> {
    return this.trx('user_addresses').where({ id }).delete();
  }
}
