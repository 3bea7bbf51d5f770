import type { Knex } from 'knex';

const NEW_TABLES = ['venue_operations', 'transfer_history', 'resale_policies', 'seller_verifications'];

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('venue_operations', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
    table.string('operation_type', 50).notNullable();
    table.string('status', 20).notNullable().defaultTo('pending');
    table.integer('current_step').notNullable().defaultTo(0);
    table.jsonb('checkpoints').notNullable().defaultTo('[]');
    table.uuid('created_by');
    table.timestamps(true, true);
    table.index(['tenant_id', 'venue_id']);
  });

  await knex.schema.createTable('transfer_history', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('venue_id').references('id').inTable('venues').onDelete('SET NULL');
    table.uuid('ticket_id').notNullable();
    table.uuid('event_id').notNullable();
    table.uuid('from_user_id');
    table.uuid('to_user_id').notNullable();
    table.string('transfer_type', 20).notNullable();
    table.decimal('price', 10, 2);
    table.integer('transfer_number').notNullable().defaultTo(1);
    table.timestamp('transferred_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.index(['tenant_id', 'ticket_id']);
  });

  await knex.schema.createTable('resale_policies', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
    table.uuid('event_id');
    table.boolean('resale_allowed').notNullable().defaultTo(true);
    table.decimal('max_price_multiplier', 5, 2);
    table.integer('max_transfers');
    table.uuid('created_by');
    table.uuid('approved_by');
    table.timestamps(true, true);
    table.unique(['venue_id', 'event_id']);
  });

  await knex.schema.createTable('seller_verifications', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('CASCADE');
    table.uuid('user_id').notNullable();
    table.string('verification_level', 20).notNullable().defaultTo('basic');
    table.string('status', 20).notNullable().defaultTo('pending');
    table.uuid('reviewed_by');
    table.timestamps(true, true);
    table.unique(['venue_id', 'user_id']);
  });

  await knex.schema.alterTable('venue_settings', (table) => {
    table.decimal('max_resale_price_multiplier', 5, 2);
    table.decimal('max_resale_price_fixed', 10, 2);
    table.boolean('use_face_value_cap').notNullable().defaultTo(false);
    table.integer('max_transfers_per_ticket');
    table.boolean('require_seller_verification').notNullable().defaultTo(false);
    table.string('default_jurisdiction', 10);
    table.jsonb('jurisdiction_rules').notNullable().defaultTo('{}');
    table.integer('resale_cutoff_hours');
    table.integer('listing_cutoff_hours');
    table.boolean('anti_scalping_enabled').notNullable().defaultTo(false);
    table.integer('purchase_cooldown_minutes').notNullable().defaultTo(0);
    table.integer('max_tickets_per_buyer');
    table.boolean('require_artist_approval').notNullable().defaultTo(false);
    table.jsonb('approved_resale_platforms').notNullable().defaultTo('[]');
  });

  for (const name of NEW_TABLES) {
    await knex.raw(`
      ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY;
      CREATE POLICY ${name}_tenant_isolation ON ${name}
        USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid)
        WITH CHECK (tenant_id = current_setting('app.current_tenant_id', true)::uuid);
    `);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const name of [...NEW_TABLES].reverse()) {
    await knex.schema.dropTableIfExists(name);
  }
  await knex.schema.alterTable('venue_settings', (table) => {
    table.dropColumns(
      'max_resale_price_multiplier',
      'max_resale_price_fixed',
      'use_face_value_cap',
      'max_transfers_per_ticket',
      'require_seller_verification',
      'default_jurisdiction',
      'jurisdiction_rules',
      'resale_cutoff_hours',
      'listing_cutoff_hours',
      'anti_scalping_enabled',
      'purchase_cooldown_minutes',
      'max_tickets_per_buyer',
      'require_artist_approval',
      'approved_resale_platforms'
    );
  });
}
