import { Knex } from 'knex';

const DEFAULT_TENANT_ID = '00000000-0000-0000-0000-000000000001';

const RLS_TABLES = [
  'users',
  'user_sessions',
  'user_venue_roles',
  'audit_logs',
  'invalidated_tokens',
  'token_refresh_log',
  'oauth_connections',
  'wallet_connections',
  'biometric_credentials',
  'trusted_devices',
  'user_addresses',
];

const TABLES_WITH_UPDATED_AT = ['tenants', 'users', 'user_venue_roles', 'oauth_connections', 'user_addresses'];

export async function up(knex: Knex): Promise<void> {
  await knex.raw('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"');
  await knex.raw('CREATE EXTENSION IF NOT EXISTS "pgcrypto"');

  // ---------------------------------------------------------------- tenants
  await knex.schema.createTable('tenants', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.string('name', 255).notNullable();
    table.string('slug', 100).notNullable().unique();
    table.string('status', 50).notNullable().defaultTo('active');
    table.string('plan', 50).notNullable().defaultTo('standard');
    table.jsonb('settings').notNullable().defaultTo('{}');
    table.timestamps(true, true);
  });

  await knex('tenants').insert({
    id: DEFAULT_TENANT_ID,
    name: process.env.DEFAULT_TENANT_NAME || 'Default Tenant',
    slug: 'default',
  });

  // ------------------------------------------------------------------ users
  await knex.schema.createTable('users', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants').onDelete('RESTRICT');
    table.string('email', 255).notNullable();
    table.string('password_hash', 255);
    table.boolean('email_verified').notNullable().defaultTo(false);
    table.string('phone', 32);
    table.string('first_name', 100);
    table.string('last_name', 100);
    table.string('display_name', 200);
    table.string('role', 50).notNullable().defaultTo('customer');
    table.string('status', 50).notNullable().defaultTo('active');
    table.string('country_code', 2);
    table.string('tax_id', 64);
    table.string('preferred_language', 10).notNullable().defaultTo('en');
    table.boolean('marketing_consent').notNullable().defaultTo(false);
    table.string('loyalty_tier', 50);
    table.decimal('lifetime_value', 12, 2).notNullable().defaultTo(0);
    table.integer('events_attended').notNullable().defaultTo(0);
    table.string('referral_code', 20).unique();
    table.uuid('referred_by').references('id').inTable('users').onDelete('SET NULL');
    table.integer('referral_count').notNullable().defaultTo(0);
    table.integer('failed_login_attempts').notNullable().defaultTo(0);
    table.timestamp('locked_until', { useTz: true });
    table.timestamp('last_login_at', { useTz: true });
    table.timestamps(true, true);
    table.timestamp('deleted_at', { useTz: true });
    table.index(['tenant_id', 'status']);
  });
  await knex.raw('CREATE UNIQUE INDEX idx_users_email_active ON users (LOWER(email)) WHERE deleted_at IS NULL');

  // --------------------------------------------------- sessions and tokens
  await knex.schema.createTable('user_sessions', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants').onDelete('CASCADE');
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.string('refresh_token_hash', 255).notNullable().unique();
    table.specificType('ip_address', 'inet');
    table.text('user_agent');
    table.timestamp('started_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.timestamp('expires_at', { useTz: true }).notNullable();
    table.timestamp('revoked_at', { useTz: true });
    table.index(['user_id', 'expires_at']);
  });

  await knex.schema.createTable('user_venue_roles', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants').onDelete('CASCADE');
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.uuid('venue_id').notNullable(); // venues live in venue-service
    table.string('role', 50).notNullable();
    table.uuid('granted_by').references('id').inTable('users').onDelete('SET NULL');
    table.timestamp('expires_at', { useTz: true });
    table.boolean('is_active').notNullable().defaultTo(true);
    table.timestamps(true, true);
    table.unique(['user_id', 'venue_id', 'role']);
  });

  await knex.schema.createTable('audit_logs', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id');
    table.string('service', 50).notNullable();
    table.string('action', 50).notNullable();
    table.string('table_name', 100);
    table.uuid('record_id');
    table.uuid('user_id');
    table.jsonb('old_data');
    table.jsonb('new_data');
    table.specificType('ip_address', 'inet');
    table.boolean('success').notNullable().defaultTo(true);
    table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.index(['tenant_id', 'created_at']);
    table.index(['table_name', 'record_id']);
  });

  await knex.schema.createTable('invalidated_tokens', (table) => {
    table.string('token_hash', 255).primary();
    table.uuid('tenant_id').notNullable();
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.timestamp('invalidated_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.timestamp('expires_at', { useTz: true }).notNullable().index();
  });

  await knex.schema.createTable('token_refresh_log', (table) => {
    table.bigIncrements('id');
    table.uuid('tenant_id').notNullable();
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.specificType('ip_address', 'inet');
    table.timestamp('refreshed_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  // ------------------------------------------------- ways to log in, devices
  await knex.schema.createTable('oauth_connections', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants').onDelete('CASCADE');
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.enu('provider', ['google', 'facebook', 'apple']).notNullable();
    table.string('provider_user_id', 255).notNullable();
    table.jsonb('profile');
    table.timestamps(true, true);
    table.unique(['provider', 'provider_user_id']);
  });

  await knex.schema.createTable('wallet_connections', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants').onDelete('CASCADE');
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.string('network', 50).notNullable().defaultTo('solana');
    table.string('wallet_address', 255).notNullable();
    table.boolean('verified').notNullable().defaultTo(false);
    table.timestamp('last_login_at', { useTz: true });
    table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.unique(['network', 'wallet_address']);
  });

  await knex.schema.createTable('biometric_credentials', (table) => {
    table.string('credential_id', 255).primary();
    table.uuid('tenant_id').notNullable();
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.text('public_key').notNullable();
    table.integer('counter').notNullable().defaultTo(0);
    table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex.schema.createTable('trusted_devices', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.string('device_fingerprint', 255).notNullable();
    table.integer('trust_score').notNullable().defaultTo(0);
    table.timestamp('last_seen', { useTz: true });
    table.unique(['user_id', 'device_fingerprint']);
  });

  await knex.schema.createTable('user_addresses', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants').onDelete('CASCADE');
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.string('address_type', 20).notNullable().defaultTo('billing');
    table.string('line1', 255).notNullable();
    table.string('line2', 255);
    table.string('city', 100).notNullable();
    table.string('postal_code', 20);
    table.string('country_code', 2).notNullable();
    table.boolean('is_default').notNullable().defaultTo(false);
    table.timestamps(true, true);
  });

  await createFunctions(knex);

  for (const table of TABLES_WITH_UPDATED_AT) {
    await knex.raw(`
      CREATE TRIGGER update_${table}_updated_at
      BEFORE UPDATE ON ${table}
      FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()
    `);
  }
  await knex.raw(`
    CREATE TRIGGER trigger_generate_referral_code BEFORE INSERT ON users
      FOR EACH ROW EXECUTE FUNCTION generate_user_referral_code();
    CREATE TRIGGER trigger_increment_referral_count AFTER INSERT ON users
      FOR EACH ROW WHEN (NEW.referred_by IS NOT NULL) EXECUTE FUNCTION increment_referral_count();
    CREATE TRIGGER audit_users_changes AFTER INSERT OR UPDATE OR DELETE ON users
      FOR EACH ROW EXECUTE FUNCTION audit_trigger_function();
  `);

  // Support staff read this view instead of the table.
  await knex.raw(`
    CREATE OR REPLACE VIEW users_masked AS
    SELECT id, tenant_id, mask_email(email) AS email, mask_phone(phone) AS phone, mask_tax_id(tax_id) AS tax_id,
           display_name, role, status, created_at
    FROM users
    WHERE deleted_at IS NULL
  `);

  // -------------------------------------------------------- tenant isolation
  for (const table of RLS_TABLES) {
    await knex.raw(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
    await knex.raw(`
      CREATE POLICY tenant_isolation_policy ON ${table}
        USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
        WITH CHECK (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
    `);
  }
}

async function createFunctions(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE OR REPLACE FUNCTION update_updated_at_column()
    RETURNS TRIGGER AS $$
BEGIN
  NEW.updated_at = CURRENT_TIMESTAMP;
  RETURN NEW;
END;
$$ LANGUAGE plpgsql
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION audit_trigger_function()
    RETURNS TRIGGER AS $$
    DECLARE
      row_before JSONB;
      row_after JSONB;
    BEGIN
      IF TG_OP <> 'INSERT' THEN row_before := to_jsonb(OLD); END IF;
      IF TG_OP <> 'DELETE' THEN row_after := to_jsonb(NEW); END IF;

      INSERT INTO audit_logs (tenant_id, service, action, table_name, record_id, user_id, old_data, new_data)
      VALUES (
        (COALESCE(row_after, row_before)->>'tenant_id')::uuid,
        COALESCE(current_setting('app.service_name', true), 'database'),
        TG_OP,
        TG_TABLE_NAME,
        (COALESCE(row_after, row_before)->>'id')::uuid,
        NULLIF(current_setting('app.current_user_id', true), '')::uuid,
        row_before,
        row_after
      );
      RETURN COALESCE(NEW, OLD);
    END;
    $$ LANGUAGE plpgsql SECURITY DEFINER;
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION generate_user_referral_code()
    RETURNS TRIGGER AS $$
    BEGIN
      IF NEW.referral_code IS NULL THEN
        NEW.referral_code := UPPER(SUBSTRING(md5(NEW.id::text || clock_timestamp()::text) FROM 1 FOR 8));
      END IF;
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;

    CREATE OR REPLACE FUNCTION increment_referral_count()
    RETURNS TRIGGER AS $$
    BEGIN
      UPDATE users SET referral_count = referral_count + 1 WHERE id = NEW.referred_by;
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION mask_email(value TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
      SELECT LEFT(value, 1) || '***@' || SPLIT_PART(value, '@', 2)
    $$;
    CREATE OR REPLACE FUNCTION mask_phone(value TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
      SELECT '***' || RIGHT(value, 4)
    $$;
    CREATE OR REPLACE FUNCTION mask_tax_id(value TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
      SELECT '***-**-' || RIGHT(value, 4)
    $$;
    CREATE OR REPLACE FUNCTION mask_card_number(value TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
      SELECT '**** **** **** ' || RIGHT(value, 4)
    $$;
  `);

  // Totals that ticket-service and payment-service feed. Either of them may not be installed yet.
  await knex.raw(`
    CREATE OR REPLACE FUNCTION backfill_user_aggregates()
    RETURNS INTEGER AS $$
    DECLARE
      touched INTEGER := 0;
    BEGIN
      IF to_regclass('public.payment_transactions') IS NOT NULL THEN
        UPDATE users u SET lifetime_value = paid.total
        FROM (SELECT user_id, SUM(amount) AS total FROM payment_transactions WHERE status = 'completed' GROUP BY user_id) paid
        WHERE paid.user_id = u.id;
        GET DIAGNOSTICS touched = ROW_COUNT;
      END IF;
      IF to_regclass('public.tickets') IS NOT NULL THEN
        UPDATE users u SET events_attended = seen.events
        FROM (SELECT user_id, COUNT(DISTINCT event_id) AS events FROM tickets WHERE is_validated GROUP BY user_id) seen
        WHERE seen.user_id = u.id;
      END IF;
      RETURN touched;
    END;
    $$ LANGUAGE plpgsql SECURITY DEFINER;

    CREATE OR REPLACE FUNCTION cleanup_expired_data()
    RETURNS void AS $$
    BEGIN
      DELETE FROM invalidated_tokens WHERE expires_at < NOW();
      DELETE FROM user_sessions WHERE expires_at < NOW() - INTERVAL '30 days';
      DELETE FROM token_refresh_log WHERE refreshed_at < NOW() - INTERVAL '90 days';
      DELETE FROM trusted_devices WHERE last_seen < NOW() - INTERVAL '1 year';
    END;
    $$ LANGUAGE plpgsql SECURITY DEFINER;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP VIEW IF EXISTS users_masked');
  for (const table of [...RLS_TABLES].reverse()) {
    await knex.raw(`DROP TABLE IF EXISTS ${table} CASCADE`);
  }
  await knex.schema.dropTableIfExists('tenants');
  await knex.raw(`
    DROP FUNCTION IF EXISTS cleanup_expired_data();
    DROP FUNCTION IF EXISTS backfill_user_aggregates();
    DROP FUNCTION IF EXISTS mask_card_number(TEXT);
    DROP FUNCTION IF EXISTS mask_tax_id(TEXT);
    DROP FUNCTION IF EXISTS mask_phone(TEXT);
    DROP FUNCTION IF EXISTS mask_email(TEXT);
    DROP FUNCTION IF EXISTS increment_referral_count();
    DROP FUNCTION IF EXISTS generate_user_referral_code();
    DROP FUNCTION IF EXISTS audit_trigger_function() CASCADE;
    DROP FUNCTION IF EXISTS update_updated_at_column() CASCADE;
  `);
}
