import type { Knex } from 'knex';

const AUDITED_TABLES = ['venues', 'venue_staff', 'venue_settings', 'venue_integrations', 'api_keys'];
const UPDATED_AT_TABLES = ['venues', 'venue_settings', 'venue_integrations', 'venue_layouts', 'venue_branding', 'custom_domains'];

export async function up(knex: Knex): Promise<void> {
  await knex.raw('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"');

  await knex.schema.createTable('venues', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable();
    table.string('name', 200).notNullable();
    table.string('slug', 200).notNullable().unique();
    table.text('description');
    table.string('venue_type', 50).notNullable().defaultTo('general');
    table.string('email', 255);
    table.string('phone', 32);
    table.string('address_line1', 255);
    table.string('city', 100);
    table.string('state_province', 100);
    table.string('country_code', 2);
    table.string('timezone', 50).notNullable().defaultTo('UTC');
    table.integer('max_capacity').notNullable();
    table.string('wallet_address', 44);
    table.string('status', 50).notNullable().defaultTo('PENDING');
    table.boolean('is_verified').notNullable().defaultTo(false);
    table.string('pricing_tier', 20).notNullable().defaultTo('standard');
    table.uuid('created_by').references('id').inTable('users').onDelete('RESTRICT');
    table.uuid('updated_by').references('id').inTable('users').onDelete('SET NULL');
    table.timestamps(true, true);
    table.timestamp('deleted_at', { useTz: true });
    table.index(['tenant_id', 'status']);
    table.index('created_by');
  });

  await knex.schema.createTable('venue_staff', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.string('role', 50).notNullable();
    table.specificType('permissions', 'text[]').notNullable().defaultTo('{}');
    table.boolean('is_active').notNullable().defaultTo(true);
    table.uuid('added_by').references('id').inTable('users').onDelete('SET NULL');
    table.timestamps(true, true);
    table.unique(['venue_id', 'user_id']);
  });

  await knex.schema.createTable('venue_settings', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('venue_id').notNullable().unique().references('id').inTable('venues').onDelete('CASCADE');
    table.integer('max_tickets_per_order').notNullable().defaultTo(10);
    table.integer('ticket_resale_percent').notNullable().defaultTo(110);
    table.boolean('allow_transfers').notNullable().defaultTo(true);
    table.decimal('service_fee_percent', 5, 2).notNullable().defaultTo(0);
    table.string('payout_frequency', 20).notNullable().defaultTo('weekly');
    table.specificType('accepted_currencies', 'text[]').notNullable().defaultTo('{USD}');
    table.timestamps(true, true);
  });

  await knex.schema.createTable('venue_integrations', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
    table.string('integration_type', 50).notNullable();
    table.string('integration_name', 200).notNullable();
    table.jsonb('config_data').notNullable().defaultTo('{}');
    table.text('encrypted_credentials');
    table.string('status', 20).notNullable().defaultTo('inactive');
    table.timestamp('last_sync_at', { useTz: true });
    table.timestamps(true, true);
    table.index(['venue_id', 'integration_type']);
  });

  await knex.schema.createTable('venue_layouts', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
    table.string('name', 200).notNullable();
    table.string('layout_type', 50).notNullable().defaultTo('seated');
    table.jsonb('sections').notNullable().defaultTo('[]');
    table.integer('total_capacity').notNullable();
    table.boolean('is_default').notNullable().defaultTo(false);
    table.timestamps(true, true);
  });

  await knex.schema.createTable('venue_branding', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('venue_id').notNullable().unique().references('id').inTable('venues').onDelete('CASCADE');
    table.string('primary_color', 7).notNullable().defaultTo('#1f2937');
    table.string('logo_url', 500);
    table.text('custom_css');
    table.string('email_from_name', 200);
    table.timestamps(true, true);
  });

  await knex.schema.createTable('custom_domains', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
    table.string('domain', 255).notNullable().unique();
    table.string('verification_token', 64).notNullable();
    table.boolean('is_verified').notNullable().defaultTo(false);
    table.string('ssl_status', 20).notNullable().defaultTo('pending');
    table.timestamps(true, true);
  });

  // One row per tier that the platform sells; the same for everybody.
  await knex.schema.createTable('white_label_pricing', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.string('tier_name', 20).notNullable().unique();
    table.decimal('monthly_fee', 10, 2).notNullable();
    table.decimal('service_fee_percentage', 5, 2).notNullable();
    table.integer('max_custom_domains').notNullable().defaultTo(0);
    table.timestamps(true, true);
  });

  await knex.schema.createTable('venue_tier_history', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
    table.string('from_tier', 20);
    table.string('to_tier', 20).notNullable();
    table.text('reason');
    table.uuid('changed_by').references('id').inTable('users').onDelete('SET NULL');
    table.timestamp('changed_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex.schema.createTable('venue_audit_log', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
    table.uuid('user_id').references('id').inTable('users').onDelete('SET NULL');
    table.string('action', 100).notNullable();
    table.jsonb('changes');
    table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.index(['venue_id', 'created_at']);
  });

  await knex.schema.createTable('api_keys', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.string('name', 100).notNullable();
    table.string('key', 255).notNullable().unique();
    table.specificType('permissions', 'text[]').notNullable().defaultTo('{}');
    table.boolean('is_active').notNullable().defaultTo(true);
    table.timestamp('expires_at', { useTz: true });
    table.timestamp('last_used_at', { useTz: true });
    table.timestamps(true, true);
  });

  // auth-service brings this table along where it is installed first.
  if (!(await knex.schema.hasTable('user_venue_roles'))) {
    await knex.schema.createTable('user_venue_roles', (table) => {
      table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
      table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
      table.string('role', 50).notNullable();
      table.timestamp('granted_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
      table.primary(['user_id', 'venue_id']);
    });
  }

  await knex.raw(`
    CREATE OR REPLACE FUNCTION update_updated_at_column()
    RETURNS TRIGGER AS $$
BEGIN
  NEW.updated_at = CURRENT_TIMESTAMP;
  RETURN NEW;
END;
$$ LANGUAGE plpgsql
  `);
  for (const name of UPDATED_AT_TABLES) {
    await knex.raw(
      `CREATE TRIGGER update_${name}_updated_at BEFORE UPDATE ON ${name} FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()`
    );
  }

  const auditFunction = await knex.raw(
    `SELECT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'audit_trigger_function') AS exists`
  );
  if (auditFunction.rows[0].exists) {
    for (const name of AUDITED_TABLES) {
      await knex.raw(
        `CREATE TRIGGER audit_${name}_changes AFTER INSERT OR UPDATE OR DELETE ON ${name} FOR EACH ROW EXECUTE FUNCTION audit_trigger_function()`
      );
    }
  } else {
    console.warn('audit_trigger_function() is missing: venues are not audited');
  }

  await knex.raw('ALTER TABLE venues ENABLE ROW LEVEL SECURITY');
  await knex.raw(`
    CREATE POLICY venue_view_own ON venues FOR SELECT
      USING (created_by = current_setting('app.current_user_id', true)::uuid);
    CREATE POLICY venue_update_own ON venues FOR UPDATE
      USING (created_by = current_setting('app.current_user_id', true)::uuid);
    CREATE POLICY venue_delete_own ON venues FOR DELETE
      USING (created_by = current_setting('app.current_user_id', true)::uuid);
    CREATE POLICY venue_insert_own ON venues FOR INSERT
      WITH CHECK (created_by = current_setting('app.current_user_id', true)::uuid);
    CREATE POLICY venue_public_view ON venues FOR SELECT
      USING (status = 'ACTIVE' AND deleted_at IS NULL);
    CREATE POLICY venue_admin_all ON venues FOR ALL
      USING (current_setting('app.current_user_role', true) IN ('admin', 'superadmin'));
    CREATE POLICY venue_tenant_isolation ON venues FOR ALL
      USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid);
  `);
}

export async function down(knex: Knex): Promise<void> {
  for (const name of [
    'api_keys',
    'venue_audit_log',
    'venue_tier_history',
    'white_label_pricing',
    'custom_domains',
    'venue_branding',
    'venue_layouts',
    'venue_integrations',
    'venue_settings',
    'venue_staff',
    'venues',
  ]) {
    await knex.schema.dropTableIfExists(name);
  }
  await knex.raw('DROP FUNCTION IF EXISTS update_updated_at_column() CASCADE');
}
