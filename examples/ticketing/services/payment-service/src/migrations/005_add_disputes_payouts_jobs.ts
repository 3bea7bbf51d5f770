import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('payment_disputes', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    t.uuid('tenant_id').notNullable();
    t.uuid('transaction_id').notNullable().references('id').inTable('payment_transactions').onDelete('RESTRICT');
    t.string('stripe_dispute_id', 255).notNullable().unique();
    t.decimal('amount', 12, 2).notNullable();
    t.string('reason', 100);
    t.string('status', 30).notNullable().defaultTo('needs_response');
    t.timestamp('evidence_due_by', { useTz: true });
    t.timestamps(true, true);
  });

  await knex.schema.createTable('payout_events', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    t.uuid('connected_account_id').references('id').inTable('connected_accounts').onDelete('SET NULL');
    t.string('stripe_payout_id', 255).notNullable();
    t.string('event_type', 50).notNullable();
    t.integer('amount').notNullable();
    t.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex.schema.createTable('background_jobs', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    t.uuid('tenant_id').notNullable();
    t.string('type', 100).notNullable();
    t.jsonb('payload').notNullable();
    t.string('status', 20).notNullable().defaultTo('queued');
    t.integer('attempts').notNullable().defaultTo(0);
    t.timestamp('run_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    t.timestamps(true, true);
    t.index(['status', 'run_at']);
  });

  await knex.schema.createTable('payment_audit_log', (t) => {
    t.bigIncrements('id');
    t.uuid('tenant_id').notNullable();
    t.string('action', 100).notNullable();
    t.uuid('payment_id');
    t.jsonb('details');
    t.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex.raw(`
    CREATE TABLE IF NOT EXISTS venue_balances (
      id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
      tenant_id UUID NOT NULL,
      venue_id UUID NOT NULL,
      available_cents BIGINT NOT NULL DEFAULT 0,
      pending_cents BIGINT NOT NULL DEFAULT 0,
      reserved_cents BIGINT NOT NULL DEFAULT 0,
      currency VARCHAR(3) NOT NULL DEFAULT 'usd',
      updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
      UNIQUE (tenant_id, venue_id, currency)
    )
  `);
  await knex.raw('CREATE INDEX IF NOT EXISTS idx_venue_balances_reserved ON venue_balances (venue_id) WHERE reserved_cents > 0');

  for (const table of ['payment_disputes', 'background_jobs', 'venue_balances']) {
    await knex.raw(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
    await knex.raw(`
      CREATE POLICY tenant_isolation ON ${table}
        USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
    `);
    await knex.raw(`
      CREATE POLICY service_bypass ON ${table}
        USING (current_setting('app.bypass_rls', true) = 'true')
    `);
  }

  await knex.schema.alterTable('payment_transactions', (t) => {
    t.string('stripe_charge_id', 255).index();
  });
  await knex.schema.alterTable('stripe_transfers', (t) => {
    t.uuid('venue_id');
    t.uuid('dispute_id');
    t.timestamp('reversed_at', { useTz: true });
    t.string('reversal_reason', 255);
    t.timestamp('failed_at', { useTz: true });
    t.string('failure_reason', 255);
  });

  // ticket-service's table, which our relay empties as well
  if (await knex.schema.hasTable('outbox')) {
    await knex.raw(`
      ALTER TABLE outbox
        ADD COLUMN IF NOT EXISTS attempts INTEGER NOT NULL DEFAULT 0,
        ADD COLUMN IF NOT EXISTS retry_after TIMESTAMPTZ,
        ADD COLUMN IF NOT EXISTS error TEXT
    `);
  }
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('stripe_transfers', (t) => {
    t.dropColumns('venue_id', 'dispute_id', 'reversed_at', 'reversal_reason', 'failed_at', 'failure_reason');
  });
  await knex.schema.alterTable('payment_transactions', (t) => {
    t.dropColumn('stripe_charge_id');
  });
  await knex.schema.dropTableIfExists('venue_balances');
  await knex.schema.dropTableIfExists('payment_audit_log');
  await knex.schema.dropTableIfExists('background_jobs');
  await knex.schema.dropTableIfExists('payout_events');
  await knex.schema.dropTableIfExists('payment_disputes');
}
