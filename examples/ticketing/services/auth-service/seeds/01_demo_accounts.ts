import type { Knex } from 'knex';

const DEMO_TENANT = '00000000-0000-0000-0000-000000000001';

export async function seed(knex: Knex): Promise<void> {
  const accounts = ['owner@example.com', 'door@example.com', 'fan@example.com'];
  for (const email of accounts) {
    await knex('users').insert({ tenant_id: DEMO_TENANT, email, display_name: email.split('@')[0] }).onConflict().ignore();
  }
}
