import type { Knex } from 'knex';

const NO_TENANT = '00000000-0000-0000-0000-000000000000';

const TENANT_TABLES = [
  'payment_transactions',
  'payment_refunds',
  'payment_intents',
  'royalty_distributions',
  'royalty_payouts',
  'group_payments',
  'group_payment_members',
  'tax_collections',
  'fraud_checks',
  'fraud_review_queue',
  'aml_checks',
  'webhook_inbox',
  'payment_reserves',
  'payment_escrows',
  'payment_notifications',
  'outbound_webhooks',
];

const VENUE_TABLES = ['venue_balances', 'venue_royalty_settings', 'venue_price_rules', 'resale_listings'];

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    DO $$
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'payment_app') THEN
        CREATE ROLE payment_app NOLOGIN;
      END IF;
    END $$
  `);

  for (const table of TENANT_TABLES) {
    await knex(table).whereNull('tenant_id').update({ tenant_id: NO_TENANT });
    await knex.schema.alterTable(table, (t) => {
      t.dropNullable('tenant_id');
    });
    await knex.raw(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
    await knex.raw(`
      CREATE POLICY tenant_isolation ON ${table}
        USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
        WITH CHECK (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
    `);
    await knex.raw(`
      CREATE POLICY service_bypass ON ${table}
        USING (current_setting('app.bypass_rls', true) = 'true')
    `);
    await knex.raw(`GRANT SELECT, INSERT, UPDATE ON ${table} TO payment_app`);
  }

  for (const table of VENUE_TABLES) {
    await knex.raw(`
      ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
      CREATE POLICY venue_isolation ON ${table}
        USING (venue_id = current_setting('app.current_venue_id', true)::uuid);
    `);
  }
  await knex.raw(`
    ALTER TABLE event_royalty_settings ENABLE ROW LEVEL SECURITY;
    CREATE POLICY venue_isolation ON event_royalty_settings
      USING (event_id IN (SELECT id FROM events WHERE venue_id = current_setting('app.current_venue_id', true)::uuid));
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION set_tenant_context(p_tenant_id UUID) RETURNS void AS $$
    BEGIN
      PERFORM set_config('app.current_tenant_id', p_tenant_id::text, false);
      PERFORM set_config('app.bypass_rls', 'false', false);
    END;
    $$ LANGUAGE plpgsql;

    CREATE OR REPLACE FUNCTION clear_tenant_context() RETURNS void AS $$
    BEGIN
      PERFORM set_config('app.current_tenant_id', '', false);
      PERFORM set_config('app.current_venue_id', '', false);
    END;
    $$ LANGUAGE plpgsql;

    CREATE OR REPLACE FUNCTION enable_rls_bypass() RETURNS void AS $$
    BEGIN
      PERFORM set_config('app.bypass_rls', 'true', false);
    END;
    $$ LANGUAGE plpgsql SECURITY DEFINER;

    CREATE OR REPLACE FUNCTION disable_rls_bypass() RETURNS void AS $$
    BEGIN
      PERFORM set_config('app.bypass_rls', 'false', false);
    END;
    $$ LANGUAGE plpgsql SECURITY DEFINER;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    DROP FUNCTION IF EXISTS disable_rls_bypass();
    DROP FUNCTION IF EXISTS enable_rls_bypass();
    DROP FUNCTION IF EXISTS clear_tenant_context();
    DROP FUNCTION IF EXISTS set_tenant_context(UUID);
  `);
  for (const table of [...VENUE_TABLES, 'event_royalty_settings']) {
    await knex.raw(`DROP POLICY IF EXISTS venue_isolation ON ${table}`);
    await knex.raw(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`);
  }
  for (const table of TENANT_TABLES) {
    await knex.raw(`DROP POLICY IF EXISTS service_bypass ON ${table}`);
    await knex.raw(`DROP POLICY IF EXISTS tenant_isolation ON ${table}`);
    await knex.raw(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`);
    await knex.schema.alterTable(table, (t) => {
      t.setNullable('tenant_id');
    });
  }
}
