import type { Knex } from 'knex';

type Table = Knex.CreateTableBuilder;

const UPDATED_AT = [
  'payment_transactions',
  'venue_balances',
  'payment_refunds',
  'payment_intents',
  'venue_royalty_settings',
  'event_royalty_settings',
  'group_payments',
  'payment_escrows',
  'resale_listings',
];

export async function up(knex: Knex): Promise<void> {
  const id = (t: Table) => t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
  const now = (t: Table, column: string) => t.timestamp(column, { useTz: true }).notNullable().defaultTo(knex.fn.now());
  const refers = (t: Table, column: string, to: string) => t.uuid(column).references('id').inTable(to);

  // ------------------------------------------------------------------- core
  await knex.schema.createTable('payment_transactions', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'venue_id', 'venues').notNullable().onDelete('RESTRICT');
    refers(t, 'user_id', 'users').notNullable().onDelete('RESTRICT');
    refers(t, 'event_id', 'events').notNullable().onDelete('RESTRICT');
    t.uuid('order_id');
    t.string('type', 30).notNullable().defaultTo('ticket_purchase');
    t.decimal('amount', 12, 2).notNullable();
    t.string('currency', 3).notNullable().defaultTo('USD');
    t.string('status', 30).notNullable().defaultTo('pending');
    t.string('payment_method', 30);
    t.decimal('platform_fee', 10, 2).notNullable().defaultTo(0);
    t.decimal('venue_payout', 12, 2);
    t.decimal('tax_amount', 10, 2).notNullable().defaultTo(0);
    t.string('stripe_payment_intent_id', 255).unique();
    t.string('idempotency_key', 255);
    t.specificType('ip_address', 'inet');
    t.jsonb('metadata').notNullable().defaultTo('{}');
    t.integer('version').notNullable().defaultTo(1);
    t.timestamps(true, true);
    t.timestamp('deleted_at', { useTz: true });
    t.index(['tenant_id', 'status']);
  });

  await knex.schema.createTable('venue_balances', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'venue_id', 'venues').notNullable().onDelete('CASCADE');
    t.string('balance_type', 20).notNullable().defaultTo('available');
    t.decimal('amount', 12, 2).notNullable().defaultTo(0);
    t.string('currency', 3).notNullable().defaultTo('USD');
    t.timestamp('last_payout_at', { useTz: true });
    t.timestamps(true, true);
    t.unique(['venue_id', 'balance_type']);
  });

  await knex.schema.createTable('payment_refunds', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'transaction_id', 'payment_transactions').notNullable().onDelete('RESTRICT');
    t.decimal('amount', 12, 2).notNullable();
    t.string('reason', 255);
    t.string('status', 30).notNullable().defaultTo('pending');
    t.string('stripe_refund_id', 255);
    t.timestamps(true, true);
  });

  await knex.schema.createTable('payment_intents', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'order_id', 'orders').notNullable().onDelete('RESTRICT');
    refers(t, 'venue_id', 'venues').onDelete('SET NULL');
    t.string('stripe_intent_id', 255).unique();
    t.string('client_secret', 500);
    t.decimal('amount', 12, 2).notNullable();
    t.string('status', 30).notNullable().defaultTo('created');
    t.timestamps(true, true);
  });

  // -------------------------------------------------------------- royalties
  await knex.schema.createTable('venue_royalty_settings', (t) => {
    id(t);
    refers(t, 'venue_id', 'venues').notNullable().unique().onDelete('CASCADE');
    t.decimal('default_royalty_percentage', 5, 2).notNullable().defaultTo(10);
    t.decimal('minimum_payout', 10, 2).notNullable().defaultTo(10);
    t.string('payout_schedule', 20).notNullable().defaultTo('weekly');
    t.timestamps(true, true);
  });

  await knex.schema.createTable('event_royalty_settings', (t) => {
    id(t);
    refers(t, 'event_id', 'events').notNullable().unique().onDelete('CASCADE');
    t.decimal('artist_royalty_percentage', 5, 2).notNullable().defaultTo(0);
    t.decimal('venue_royalty_percentage', 5, 2);
    t.string('artist_wallet_address', 64);
    t.timestamps(true, true);
  });

  await knex.schema.createTable('royalty_distributions', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'transaction_id', 'payment_transactions').notNullable().onDelete('RESTRICT');
    refers(t, 'event_id', 'events').onDelete('SET NULL');
    refers(t, 'recipient_id', 'users').onDelete('SET NULL');
    t.string('recipient_type', 20).notNullable();
    t.decimal('percentage', 5, 2).notNullable();
    t.decimal('amount', 12, 2).notNullable();
    t.string('status', 20).notNullable().defaultTo('pending');
    now(t, 'created_at');
  });

  await knex.schema.createTable('royalty_payouts', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'recipient_id', 'users').onDelete('SET NULL');
    t.decimal('amount', 12, 2).notNullable();
    t.integer('distribution_count').notNullable().defaultTo(0);
    t.string('status', 20).notNullable().defaultTo('scheduled');
    t.timestamp('completed_at', { useTz: true });
    now(t, 'created_at');
  });

  await knex.schema.createTable('royalty_reconciliation_runs', (t) => {
    id(t);
    t.uuid('venue_id');
    t.date('period_start').notNullable();
    t.date('period_end').notNullable();
    t.integer('checked').notNullable().defaultTo(0);
    now(t, 'created_at');
  });

  await knex.schema.createTable('royalty_discrepancies', (t) => {
    id(t);
    refers(t, 'run_id', 'royalty_reconciliation_runs').notNullable().onDelete('CASCADE');
    refers(t, 'distribution_id', 'royalty_distributions').onDelete('SET NULL');
    t.decimal('expected', 12, 2).notNullable();
    t.decimal('actual', 12, 2).notNullable();
    now(t, 'created_at');
  });

  // --------------------------------------------------------- group payments
  await knex.schema.createTable('group_payments', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'organizer_id', 'users').notNullable().onDelete('RESTRICT');
    refers(t, 'event_id', 'events').notNullable().onDelete('RESTRICT');
    t.decimal('total_amount', 12, 2).notNullable();
    t.string('status', 20).notNullable().defaultTo('collecting');
    t.timestamp('expires_at', { useTz: true }).notNullable();
    t.timestamps(true, true);
  });

  await knex.schema.createTable('group_payment_members', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'group_payment_id', 'group_payments').notNullable().onDelete('CASCADE');
    refers(t, 'user_id', 'users').onDelete('SET NULL');
    t.string('email', 255).notNullable();
    t.decimal('amount_due', 10, 2).notNullable();
    t.boolean('paid').notNullable().defaultTo(false);
    now(t, 'created_at');
  });

  await knex.schema.createTable('reminder_history', (t) => {
    id(t);
    refers(t, 'group_payment_id', 'group_payments').notNullable().onDelete('CASCADE');
    refers(t, 'member_id', 'group_payment_members').notNullable().onDelete('CASCADE');
    t.string('reminder_type', 20).notNullable();
    now(t, 'sent_at');
  });

  // -------------------------------------------------------------------- tax
  await knex.schema.createTable('tax_collections', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'transaction_id', 'payment_transactions').notNullable().onDelete('RESTRICT');
    t.string('jurisdiction', 50).notNullable();
    t.decimal('tax_rate', 6, 4).notNullable();
    t.decimal('tax_amount', 10, 2).notNullable();
    now(t, 'created_at');
  });

  await knex.schema.createTable('tax_forms_1099da', (t) => {
    id(t);
    t.uuid('tenant_id').notNullable();
    refers(t, 'user_id', 'users').notNullable().onDelete('RESTRICT');
    t.integer('tax_year').notNullable();
    t.decimal('gross_proceeds', 12, 2).notNullable();
    t.jsonb('form_data').notNullable();
    now(t, 'generated_at');
    t.unique(['user_id', 'tax_year']);
  });

  await knex.schema.createTable('user_tax_info', (t) => {
    refers(t, 'user_id', 'users').primary().onDelete('CASCADE');
    t.string('ssn_encrypted', 255);
    t.string('tin_type', 10);
    t.boolean('w9_on_file').notNullable().defaultTo(false);
    refers(t, 'w9_verified_by', 'users').onDelete('SET NULL');
    t.timestamps(true, true);
  });

  // ---------------------------------------------------------- fraud and AML
  await knex.schema.createTable('fraud_checks', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'user_id', 'users').notNullable().onDelete('CASCADE');
    t.string('device_fingerprint', 255);
    t.decimal('score', 5, 4).notNullable();
    t.jsonb('signals').notNullable().defaultTo('[]');
    t.string('decision', 20).notNullable();
    now(t, 'created_at');
  });

  await knex.schema.createTable('fraud_review_queue', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'user_id', 'users').notNullable().onDelete('CASCADE');
    refers(t, 'fraud_check_id', 'fraud_checks').onDelete('SET NULL');
    refers(t, 'assigned_to', 'users').onDelete('SET NULL');
    t.string('status', 20).notNullable().defaultTo('pending');
    now(t, 'created_at');
  });

  await knex.schema.createTable('device_activity', (t) => {
    id(t);
    refers(t, 'user_id', 'users').onDelete('CASCADE');
    t.string('device_fingerprint', 255).notNullable();
    t.string('activity_type', 50).notNullable();
    now(t, 'created_at');
  });

  await knex.schema.createTable('known_scalpers', (t) => {
    id(t);
    refers(t, 'user_id', 'users').onDelete('CASCADE');
    t.string('reason', 255).notNullable();
    t.decimal('confidence', 5, 4).notNullable();
    now(t, 'added_at');
  });

  // Shared by everybody: reputation and rules know no tenant.
  await knex.schema.createTable('ip_reputation', (t) => {
    t.specificType('ip_address', 'inet').primary();
    t.integer('risk_score').notNullable().defaultTo(0);
    t.boolean('is_proxy').notNullable().defaultTo(false);
    now(t, 'updated_at');
  });
  await knex.schema.createTable('fraud_rules', (t) => {
    id(t);
    t.string('rule_name', 100).notNullable().unique();
    t.jsonb('conditions').notNullable();
    t.string('action', 20).notNullable();
    t.boolean('is_active').notNullable().defaultTo(true);
  });

  await knex.schema.createTable('aml_checks', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'user_id', 'users').notNullable().onDelete('RESTRICT');
    t.decimal('transaction_amount', 12, 2).notNullable();
    t.decimal('risk_score', 5, 4).notNullable();
    t.boolean('requires_review').notNullable().defaultTo(false);
    now(t, 'created_at');
  });

  await knex.schema.createTable('sanctions_list_matches', (t) => {
    id(t);
    refers(t, 'user_id', 'users').notNullable().onDelete('RESTRICT');
    refers(t, 'aml_check_id', 'aml_checks').onDelete('SET NULL');
    t.string('list_name', 100).notNullable();
    t.decimal('confidence', 5, 4).notNullable();
    refers(t, 'reviewed_by', 'users').onDelete('SET NULL');
    now(t, 'created_at');
  });

  await knex.schema.createTable('suspicious_activity_reports', (t) => {
    id(t);
    t.uuid('tenant_id').notNullable();
    refers(t, 'user_id', 'users').notNullable().onDelete('RESTRICT');
    t.string('activity_type', 100).notNullable();
    t.text('narrative').notNullable();
    refers(t, 'filed_by', 'users').onDelete('SET NULL');
    t.string('filing_status', 20).notNullable().defaultTo('draft');
    now(t, 'created_at');
  });

  // ---------------------------------------------------- high demand, resale
  await knex.schema.createTable('waiting_room_activity', (t) => {
    id(t);
    refers(t, 'event_id', 'events').notNullable().onDelete('CASCADE');
    refers(t, 'user_id', 'users').onDelete('CASCADE');
    t.integer('queue_position');
    now(t, 'joined_at');
  });

  await knex.schema.createTable('event_purchase_limits', (t) => {
    id(t);
    t.uuid('event_id').notNullable().unique();
    t.integer('per_user').notNullable().defaultTo(8);
    t.integer('per_payment_method').notNullable().defaultTo(8);
    now(t, 'created_at');
  });

  await knex.schema.createTable('payment_escrows', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'buyer_id', 'users').notNullable().onDelete('RESTRICT');
    refers(t, 'seller_id', 'users').notNullable().onDelete('RESTRICT');
    t.decimal('amount', 12, 2).notNullable();
    t.string('status', 20).notNullable().defaultTo('created');
    t.timestamp('release_at', { useTz: true });
    t.timestamps(true, true);
  });

  await knex.schema.createTable('escrow_release_conditions', (t) => {
    id(t);
    refers(t, 'escrow_id', 'payment_escrows').notNullable().onDelete('CASCADE');
    t.string('condition_type', 50).notNullable();
    t.boolean('satisfied').notNullable().defaultTo(false);
    now(t, 'created_at');
  });

  await knex.schema.createTable('venue_price_rules', (t) => {
    id(t);
    refers(t, 'venue_id', 'venues').notNullable().onDelete('CASCADE');
    t.string('rule_type', 50).notNullable();
    t.decimal('max_markup_percentage', 6, 2);
    t.boolean('is_active').notNullable().defaultTo(true);
    now(t, 'created_at');
  });

  await knex.schema.createTable('resale_listings', (t) => {
    id(t);
    refers(t, 'ticket_id', 'tickets').notNullable().onDelete('CASCADE');
    refers(t, 'seller_id', 'users').notNullable().onDelete('RESTRICT');
    refers(t, 'venue_id', 'venues').notNullable().onDelete('RESTRICT');
    t.decimal('price', 10, 2).notNullable();
    t.string('status', 20).notNullable().defaultTo('active');
    t.timestamps(true, true);
  });

  await knex.schema.createTable('payment_reserves', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'transaction_id', 'payment_transactions').notNullable().onDelete('RESTRICT');
    t.decimal('amount', 12, 2).notNullable();
    t.timestamp('release_at', { useTz: true });
    now(t, 'created_at');
  });

  await knex.schema.createTable('payment_notifications', (t) => {
    id(t);
    t.uuid('tenant_id');
    refers(t, 'user_id', 'users').notNullable().onDelete('CASCADE');
    t.string('type', 50).notNullable();
    t.string('status', 20).notNullable().defaultTo('pending');
    now(t, 'created_at');
  });

  await knex.schema.createTable('nft_mint_queue', (t) => {
    id(t);
    t.uuid('tenant_id').notNullable();
    refers(t, 'venue_id', 'venues').onDelete('SET NULL');
    refers(t, 'event_id', 'events').onDelete('SET NULL');
    t.jsonb('ticket_ids').notNullable();
    t.string('status', 20).notNullable().defaultTo('queued');
    now(t, 'created_at');
  });

  // ------------------------------------------------- states, webhooks, money
  await knex.schema.createTable('payment_state_machine', (t) => {
    t.string('from_state', 30).notNullable();
    t.string('to_state', 30).notNullable();
    t.primary(['from_state', 'to_state']);
  });
  await knex.schema.createTable('payment_state_transitions', (t) => {
    id(t);
    refers(t, 'payment_id', 'payment_transactions').notNullable().onDelete('CASCADE');
    refers(t, 'order_id', 'orders').onDelete('SET NULL');
    t.string('from_state', 30);
    t.string('to_state', 30).notNullable();
    now(t, 'created_at');
  });
  await knex.schema.createTable('payment_event_sequence', (t) => {
    id(t);
    t.uuid('payment_id').notNullable();
    t.bigInteger('sequence_number').notNullable();
    t.string('event_type', 100).notNullable();
    now(t, 'created_at');
    t.unique(['payment_id', 'sequence_number']);
  });

  await knex.schema.createTable('outbox_dlq', (t) => {
    t.bigIncrements('id');
    t.string('event_type', 100).notNullable();
    t.jsonb('payload').notNullable();
    t.text('error');
    now(t, 'moved_at');
  });

  await knex.schema.createTable('webhook_inbox', (t) => {
    id(t);
    t.uuid('tenant_id');
    t.string('provider', 30).notNullable();
    t.string('webhook_id', 255).notNullable();
    t.jsonb('payload').notNullable();
    t.string('status', 20).notNullable().defaultTo('pending');
    t.timestamps(true, true);
    t.unique(['provider', 'webhook_id']);
  });

  await knex.schema.createTable('webhook_events', (t) => {
    id(t);
    t.string('provider', 30).notNullable();
    t.string('provider_event_id', 255).notNullable();
    t.string('event_type', 100).notNullable();
    t.jsonb('payload').notNullable();
    t.boolean('processed').notNullable().defaultTo(false);
    now(t, 'received_at');
    t.unique(['provider', 'provider_event_id']);
  });

  await knex.schema.createTable('outbound_webhooks', (t) => {
    id(t);
    t.uuid('tenant_id');
    t.string('url', 500).notNullable();
    t.jsonb('payload').notNullable();
    t.integer('attempts').notNullable().defaultTo(0);
    t.timestamp('delivered_at', { useTz: true });
    now(t, 'created_at');
  });

  await knex.schema.createTable('payment_idempotency', (t) => {
    t.string('idempotency_key', 255).primary();
    t.uuid('tenant_id').notNullable();
    t.jsonb('response');
    t.timestamp('expires_at', { useTz: true }).notNullable();
    now(t, 'created_at');
  });

  await knex.schema.createTable('settlement_batches', (t) => {
    id(t);
    t.uuid('tenant_id').notNullable();
    t.uuid('venue_id').notNullable();
    t.decimal('total_amount', 12, 2).notNullable();
    t.string('status', 20).notNullable().defaultTo('open');
    t.timestamp('settled_at', { useTz: true });
    now(t, 'created_at');
  });

  await knex.schema.createTable('payment_chargebacks', (t) => {
    id(t);
    t.uuid('tenant_id').notNullable();
    refers(t, 'transaction_id', 'payment_transactions').notNullable().onDelete('RESTRICT');
    t.decimal('amount', 12, 2).notNullable();
    t.string('reason_code', 50);
    t.string('status', 20).notNullable().defaultTo('received');
    now(t, 'created_at');
  });

  await knex.schema.createTable('payment_attempts', (t) => {
    id(t);
    refers(t, 'payment_id', 'payment_transactions').notNullable().onDelete('CASCADE');
    t.integer('attempt_number').notNullable();
    t.string('status', 20).notNullable();
    t.string('error_code', 50);
    now(t, 'created_at');
  });

  await createFunctions(knex);

  for (const table of UPDATED_AT) {
    await knex.raw(`
      CREATE TRIGGER update_${table}_updated_at BEFORE UPDATE ON ${table}
        FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()
    `);
  }

  await knex('payment_state_machine').insert(
    [
      ['pending', 'processing'],
      ['processing', 'completed'],
      ['processing', 'failed'],
      ['completed', 'refunded'],
      ['completed', 'disputed'],
    ].map(([from_state, to_state]) => ({ from_state, to_state }))
  );

  const { rows } = await knex.raw(`SELECT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'audit_trigger_function')`);
  if (rows[0].exists) {
    for (const table of ['payment_transactions', 'payment_refunds']) {
      await knex.raw(
        `CREATE TRIGGER audit_${table}_changes AFTER INSERT OR UPDATE OR DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION audit_trigger_function()`
      );
    }
  }
}

async function createFunctions(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS TRIGGER AS $$
    BEGIN
      -- Several updates inside one transaction must not share a stamp: reconciliation sorts by it.
      IF NEW IS DISTINCT FROM OLD THEN
        NEW.updated_at := clock_timestamp();
      END IF;
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION update_webhook_inbox_updated_at() RETURNS TRIGGER AS $$
    BEGIN
      NEW.updated_at := NOW();
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;
    CREATE TRIGGER trg_webhook_inbox_updated_at BEFORE UPDATE ON webhook_inbox
      FOR EACH ROW EXECUTE FUNCTION update_webhook_inbox_updated_at();

    CREATE OR REPLACE FUNCTION validate_payment_state_transition() RETURNS TRIGGER AS $$
    BEGIN
      IF NEW.status <> OLD.status AND NOT EXISTS (
        SELECT 1 FROM payment_state_machine WHERE from_state = OLD.status AND to_state = NEW.status
      ) THEN
        RAISE EXCEPTION 'a payment cannot go from % to %', OLD.status, NEW.status;
      END IF;
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;
    CREATE TRIGGER trg_validate_payment_state BEFORE UPDATE OF status ON payment_transactions
      FOR EACH ROW EXECUTE FUNCTION validate_payment_state_transition();

    CREATE OR REPLACE FUNCTION get_next_sequence_number(p_payment_id UUID) RETURNS BIGINT AS $$
      SELECT COALESCE(MAX(sequence_number), 0) + 1 FROM payment_event_sequence WHERE payment_id = p_payment_id
    $$ LANGUAGE sql;
  `);

  if (await knex.schema.hasTable('users')) {
    await knex.raw(`
      CREATE OR REPLACE FUNCTION update_user_total_spent() RETURNS TRIGGER AS $$
      BEGIN
        IF NEW.status = 'completed' AND OLD.status IS DISTINCT FROM 'completed' THEN
          UPDATE users
             SET total_spent = COALESCE(total_spent, 0) + NEW.amount,
                 lifetime_value = COALESCE(lifetime_value, 0) + NEW.amount
           WHERE id = NEW.user_id;
        END IF;
        RETURN NEW;
      END;
      $$ LANGUAGE plpgsql;
      CREATE TRIGGER trigger_update_user_total_spent AFTER UPDATE OF status ON payment_transactions
        FOR EACH ROW EXECUTE FUNCTION update_user_total_spent();
    `);
  }
}

const DROP_ORDER = [
  'payment_attempts',
  'payment_chargebacks',
  'settlement_batches',
  'payment_idempotency',
  'outbound_webhooks',
  'webhook_events',
  'webhook_inbox',
  'outbox_dlq',
  'payment_event_sequence',
  'payment_state_transitions',
  'payment_state_machine',
  'nft_mint_queue',
  'payment_notifications',
  'payment_reserves',
  'resale_listings',
  'venue_price_rules',
  'escrow_release_conditions',
  'payment_escrows',
  'event_purchase_limits',
  'waiting_room_activity',
  'suspicious_activity_reports',
  'sanctions_list_matches',
  'aml_checks',
  'fraud_rules',
  'ip_reputation',
  'known_scalpers',
  'device_activity',
  'fraud_review_queue',
  'fraud_checks',
  'user_tax_info',
  'tax_forms_1099da',
  'tax_collections',
  'reminder_history',
  'group_payment_members',
  'group_payments',
  'royalty_discrepancies',
  'royalty_reconciliation_runs',
  'royalty_payouts',
  'royalty_distributions',
  'event_royalty_settings',
  'venue_royalty_settings',
  'payment_intents',
  'payment_refunds',
  'venue_balances',
  'payment_transactions',
];

export async function down(knex: Knex): Promise<void> {
  for (const table of DROP_ORDER) {
    await knex.schema.dropTableIfExists(table);
  }
  await knex.raw(`
    DROP FUNCTION IF EXISTS update_user_total_spent();
    DROP FUNCTION IF EXISTS get_next_sequence_number(UUID);
    DROP FUNCTION IF EXISTS validate_payment_state_transition();
    DROP FUNCTION IF EXISTS update_webhook_inbox_updated_at();
    DROP FUNCTION IF EXISTS update_updated_at_column() CASCADE;
  `);
}
