import type { Knex } from 'knex';

const DEFAULT_TENANT_ID = '00000000-0000-0000-0000-000000000001';

const TABLES = [
  'indexer_state',
  'indexed_transactions',
  'marketplace_activity',
  'reconciliation_runs',
  'ownership_discrepancies',
  'reconciliation_log',
];

async function up(knex: Knex): Promise<void> {
  await knex.raw('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"');

  const addTenant = (t: Knex.CreateTableBuilder) => {
    t.uuid('tenant_id')
      .notNullable()
      .defaultTo(DEFAULT_TENANT_ID)
      .references('id')
      .inTable('tenants')
      .onDelete('RESTRICT')
      .index();
  };

  await knex.schema.createTable('indexer_state', (t) => {
    t.integer('id').primary().defaultTo(1);
    addTenant(t);
    t.bigInteger('last_processed_slot').notNullable().defaultTo(0);
    t.string('last_processed_signature', 128);
    t.string('indexer_version', 20).notNullable();
    t.boolean('is_running').notNullable().defaultTo(false);
    t.timestamps(true, true);
    t.check('id = 1', [], 'indexer_state_singleton');
  });

  await knex.schema.createTable('indexed_transactions', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    addTenant(t);
    t.string('signature', 128).notNullable().unique();
    t.bigInteger('slot').notNullable().index();
    t.timestamp('block_time', { useTz: true });
    t.string('instruction_type', 50);
    t.timestamp('processed_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex.schema.createTable('marketplace_activity', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    addTenant(t);
    t.uuid('ticket_id').references('id').inTable('tickets').onDelete('SET NULL');
    t.string('token_id', 128).notNullable();
    t.string('marketplace', 50).notNullable();
    t.string('activity_type', 30).notNullable();
    t.decimal('price', 20, 9);
    t.string('seller', 64);
    t.string('buyer', 64);
    t.string('transaction_signature', 128).notNullable().unique();
    t.timestamp('block_time', { useTz: true });
    t.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex.schema.createTable('reconciliation_runs', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    addTenant(t);
    t.timestamp('started_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    t.timestamp('completed_at', { useTz: true });
    t.string('status', 20).notNullable().defaultTo('RUNNING');
    t.integer('tickets_checked').notNullable().defaultTo(0);
    t.integer('discrepancies_found').notNullable().defaultTo(0);
  });

  await knex.schema.createTable('ownership_discrepancies', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    addTenant(t);
    t.uuid('ticket_id').notNullable().references('id').inTable('tickets').onDelete('CASCADE');
    t.string('discrepancy_type', 50).notNullable();
    t.string('database_value', 255);
    t.string('blockchain_value', 255);
    t.boolean('resolved').notNullable().defaultTo(false);
    t.timestamp('detected_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex.schema.createTable('reconciliation_log', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    addTenant(t);
    t.uuid('reconciliation_run_id').references('id').inTable('reconciliation_runs');
    t.uuid('ticket_id').references('id').inTable('tickets').onDelete('CASCADE');
    t.string('field_name', 50).notNullable();
    t.text('old_value');
    t.text('new_value');
    t.timestamp('changed_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex('indexer_state').insert({ id: 1, indexer_version: '1.0.0' });

  for (const name of TABLES) {
    await knex.raw('ALTER TABLE ?? ENABLE ROW LEVEL SECURITY', [name]);
    await knex.raw(
      `CREATE POLICY tenant_isolation_policy ON ?? USING (tenant_id = current_setting('app.current_tenant', true)::uuid)`,
      [name]
    );
  }
}

async function down(knex: Knex): Promise<void> {
  for (const name of [...TABLES].reverse()) {
    await knex.schema.dropTableIfExists(name);
  }
}

module.exports = { up, down };
