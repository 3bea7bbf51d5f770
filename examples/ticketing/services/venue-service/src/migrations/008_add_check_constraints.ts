import type { Knex } from 'knex';

const CHECKS: Array<[table: string, name: string, expression: string]> = [
  ['venue_settings', 'chk_venue_settings_max_tickets', 'max_tickets_per_order BETWEEN 1 AND 100'],
  ['venue_settings', 'chk_venue_settings_service_fee', 'service_fee_percent BETWEEN 0 AND 100'],
  ['venues', 'chk_venues_capacity', 'max_capacity > 0'],
  ['venues', 'chk_venues_status', `status IN ('PENDING', 'ACTIVE', 'INACTIVE', 'SUSPENDED', 'CLOSED')`],
  ['venue_integrations', 'chk_venue_integrations_status', `status IN ('active', 'inactive', 'error', 'pending')`],
];

export const up = async (knex: Knex): Promise<void> => {
  for (const [table, name, expression] of CHECKS) {
    await knex.raw(`
      DO $$
      BEGIN
        ALTER TABLE ${table} ADD CONSTRAINT ${name} CHECK (${expression});
      EXCEPTION WHEN duplicate_object THEN
        RAISE NOTICE '${name} is already there';
      END $$
    `);
  }
};

export const down = async (knex: Knex): Promise<void> => {
  for (const [table, name] of CHECKS) {
    await knex.raw(`ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS ${name}`);
  }
};
