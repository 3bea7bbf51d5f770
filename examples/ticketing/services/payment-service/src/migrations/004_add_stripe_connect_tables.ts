import type { Knex } from 'knex';

const TABLES = ['stripe_transfers', 'pending_transfers', 'payout_schedules', 'connected_accounts'];

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('stripe_transfers', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    t.uuid('tenant_id').notNullable();
    t.uuid('order_id').references('id').inTable('orders').onDelete('RESTRICT');
    t.uuid('recipient_id').references('id').inTable('users').onDelete('SET NULL');
    t.string('stripe_transfer_id', 255).notNullable().unique();
    t.integer('amount').notNullable();
    t.string('currency', 3).notNullable().defaultTo('usd');
    t.string('status', 20).notNullable().defaultTo('pending');
    t.timestamps(true, true);
  });

  await knex.schema.createTable('pending_transfers', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    t.uuid('tenant_id').notNullable();
    t.uuid('order_id').references('id').inTable('orders').onDelete('RESTRICT');
    t.uuid('recipient_id').references('id').inTable('users').onDelete('SET NULL');
    t.integer('amount').notNullable();
    t.integer('retry_count').notNullable().defaultTo(0);
    t.timestamp('next_retry_at', { useTz: true });
    t.timestamps(true, true);
  });

  await knex.schema.createTable('payout_schedules', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    t.uuid('tenant_id').notNullable();
    t.uuid('venue_id').notNullable();
    t.string('schedule', 20).notNullable().defaultTo('weekly');
    t.date('next_payout_date');
    t.timestamps(true, true);
  });

  await knex.schema.createTable('connected_accounts', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    t.uuid('tenant_id').notNullable();
    t.uuid('owner_id').notNullable().references('id').inTable('users').onDelete('RESTRICT');
    t.string('stripe_account_id', 255).notNullable().unique();
    t.boolean('charges_enabled').notNullable().defaultTo(false);
    t.boolean('payouts_enabled').notNullable().defaultTo(false);
    t.timestamps(true, true);
  });

  await knex.raw(`
    DO $$
    DECLARE
      name TEXT;
    BEGIN
      FOREACH name IN ARRAY ARRAY[${TABLES.map((table) => `'${table}'`).join(', ')}]
      LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
          'CREATE POLICY tenant_isolation ON %I USING (tenant_id = current_setting(''app.current_tenant_id'', true)::uuid)',
          name
        );
      END LOOP;
    END $$
  `);
}

export async function down(knex: Knex): Promise<void> {
  for (const table of [...TABLES].reverse()) {
    await knex.schema.dropTableIfExists(table);
  }
}
