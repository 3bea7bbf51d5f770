import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('spending_limits', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('user_id').notNullable();
    table.bigInteger('per_transaction_limit').notNullable();
    table.bigInteger('daily_limit').notNullable();
    table.bigInteger('weekly_limit').notNullable();
    table.bigInteger('monthly_limit').notNullable();
    table.boolean('active').notNullable().defaultTo(true);
    table.timestamps(true, true);
    table.unique(['tenant_id', 'user_id']);
  });
  await knex.raw(`
    ALTER TABLE spending_limits ADD CONSTRAINT chk_spending_limits_hierarchy
      CHECK (per_transaction_limit <= daily_limit AND daily_limit <= weekly_limit AND weekly_limit <= monthly_limit)
  `);

  await knex.schema.createTable('account_lockout_events', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('user_id').notNullable();
    table.enu('event_type', ['failed_attempt', 'locked', 'unlocked']).notNullable();
    table.integer('failed_attempt_count').notNullable().defaultTo(0);
    table.timestamp('locked_until', { useTz: true });
    table.specificType('ip_address', 'inet');
    table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.index(['user_id', 'created_at']);
  });

  await knex.schema.createTable('multisig_approval_requests', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('requester_id').notNullable();
    table.string('operation', 100).notNullable();
    table.jsonb('payload').notNullable();
    table.integer('required_approvals').notNullable().defaultTo(2);
    table.enu('status', ['pending', 'approved', 'rejected', 'expired', 'executed']).notNullable().defaultTo('pending');
    table.timestamp('expires_at', { useTz: true }).notNullable();
    table.timestamps(true, true);
  });

  await knex.schema.createTable('multisig_approvals', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('request_id').notNullable().references('id').inTable('multisig_approval_requests').onDelete('CASCADE');
    table.uuid('approver_id').notNullable();
    table.string('signature', 128);
    table.timestamp('approved_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.unique(['request_id', 'approver_id']);
  });

  await knex.schema.createTable('multisig_rejections', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('request_id').notNullable().references('id').inTable('multisig_approval_requests').onDelete('CASCADE');
    table.uuid('rejecter_id').notNullable();
    table.text('reason');
    table.timestamp('rejected_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex.schema.createTable('spending_transactions', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('user_id').notNullable();
    table.bigInteger('amount').notNullable();
    table.string('reference', 255);
    table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.index(['tenant_id', 'user_id', 'created_at']);
  });

  for (const table of ['spending_limits', 'multisig_approval_requests', 'spending_transactions']) {
    await knex.raw(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
    await knex.raw(`
      CREATE POLICY ${table}_tenant_isolation ON ${table}
        USING (tenant_id = current_setting('app.tenant_id', true)::uuid)
    `);
  }
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('spending_transactions');
  await knex.schema.dropTableIfExists('multisig_rejections');
  await knex.schema.dropTableIfExists('multisig_approvals');
  await knex.schema.dropTableIfExists('multisig_approval_requests');
  await knex.schema.dropTableIfExists('account_lockout_events');
  await knex.schema.dropTableIfExists('spending_limits');
}
