import type { Knex } from 'knex';

const TICKET_STATUSES = ['available', 'reserved', 'sold', 'used', 'cancelled', 'expired', 'transferred'];

const tenantReference = (table: Knex.CreateTableBuilder) =>
  table.uuid('tenant_id').notNullable().references('id').inTable('tenants').onDelete('RESTRICT');

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('ticket_types', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    tenantReference(table);
    table.uuid('event_id').notNullable().references('id').inTable('events').onDelete('CASCADE');
    table.string('name', 255).notNullable();
    table.text('description');
    table.decimal('price', 10, 2).notNullable();
    table.integer('price_cents').notNullable();
    table.integer('quantity').notNullable();
    table.integer('available_quantity').notNullable();
    table.integer('reserved_quantity').notNullable().defaultTo(0);
    table.integer('sold_quantity').notNullable().defaultTo(0);
    table.integer('max_purchase').notNullable().defaultTo(10);
    table.integer('min_purchase').notNullable().defaultTo(1);
    table.timestamp('sale_start_date', { useTz: true });
    table.timestamp('sale_end_date', { useTz: true });
    table.jsonb('metadata');
    table.timestamps(true, true);
    table.index(['tenant_id', 'event_id']);
  });

  await knex.schema.createTable('reservations', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    tenantReference(table);
    table.uuid('event_id').notNullable().references('id').inTable('events').onDelete('CASCADE');
    table.uuid('ticket_type_id').notNullable().references('id').inTable('ticket_types').onDelete('CASCADE');
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.integer('quantity').notNullable();
    table.jsonb('tickets').notNullable().defaultTo('[]');
    table.string('status', 20).notNullable().defaultTo('PENDING');
    table.timestamp('expires_at', { useTz: true }).notNullable();
    table.timestamp('released_at', { useTz: true });
    table.timestamps(true, true);
    table.index(['status', 'expires_at']);
  });

  await knex.schema.createTable('tickets', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    tenantReference(table);
    table.uuid('event_id').notNullable().references('id').inTable('events').onDelete('CASCADE');
    table.uuid('ticket_type_id').notNullable().references('id').inTable('ticket_types').onDelete('RESTRICT');
    table.uuid('reservation_id').references('id').inTable('reservations').onDelete('SET NULL');
    table.uuid('user_id').references('id').inTable('users').onDelete('SET NULL');
    table.uuid('original_purchaser_id').references('id').inTable('users').onDelete('SET NULL');
    table.string('ticket_number', 50).notNullable().unique();
    table.text('qr_code');
    table.uuid('payment_id');
    table.integer('price_cents').notNullable().defaultTo(0);
    table.decimal('price', 10, 2).notNullable().defaultTo(0);
    table.decimal('face_value', 10, 2).notNullable().defaultTo(0);
    table.string('section', 50);
    table.string('row', 20);
    table.string('seat', 20);
    table.enu('status', TICKET_STATUSES, { useNative: true, enumName: 'ticket_status' }).notNullable().defaultTo('available');
    table.boolean('is_validated').notNullable().defaultTo(false);
    table.boolean('is_transferable').notNullable().defaultTo(true);
    table.integer('scan_count').notNullable().defaultTo(0);
    table.integer('transfer_count').notNullable().defaultTo(0);
    table.integer('max_transfers').notNullable().defaultTo(5);
    table.boolean('is_nft').notNullable().defaultTo(false);
    table.specificType('search_vector', 'tsvector');
    table.timestamp('purchased_at', { useTz: true });
    table.timestamp('validated_at', { useTz: true });
    table.uuid('validated_by').references('id').inTable('users').onDelete('SET NULL');
    table.timestamps(true, true);
    table.timestamp('deleted_at', { useTz: true });
    table.index(['tenant_id', 'status'], 'idx_tickets_tenant_status');
    table.index(['user_id', 'status'], 'idx_tickets_user_status');
    table.index(['event_id', 'ticket_type_id']);
  });
  await knex.raw('CREATE INDEX idx_tickets_search ON tickets USING gin (search_vector)');

  await knex.schema.createTable('ticket_transfers', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('ticket_id').notNullable().references('id').inTable('tickets').onDelete('CASCADE');
    table.uuid('from_user_id').notNullable().references('id').inTable('users').onDelete('RESTRICT');
    table.uuid('to_user_id').references('id').inTable('users').onDelete('RESTRICT');
    table.string('to_email', 255);
    table.string('transfer_code', 50).unique();
    table.string('acceptance_code', 50);
    table.string('status', 20).notNullable().defaultTo('pending');
    table.integer('price_cents').notNullable().defaultTo(0);
    table.text('message');
    table.timestamp('expires_at', { useTz: true });
    table.timestamp('accepted_at', { useTz: true });
    table.timestamps(true, true);
  });

  await knex.schema.createTable('ticket_validations', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('ticket_id').notNullable().references('id').inTable('tickets').onDelete('CASCADE');
    table.uuid('validator_id').references('id').inTable('users').onDelete('SET NULL');
    table.string('method', 20).notNullable().defaultTo('qr');
    table.string('entry_gate', 50);
    table.timestamp('validated_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex.schema.createTable('refunds', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('ticket_id').references('id').inTable('tickets').onDelete('SET NULL');
    table.uuid('order_id');
    table.integer('amount_cents').notNullable();
    table.text('reason');
    table.string('status', 20).notNullable().defaultTo('pending');
    table.timestamp('processed_at', { useTz: true });
    table.timestamps(true, true);
  });

  await knex.schema.createTable('waitlist', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    tenantReference(table);
    table.uuid('event_id').notNullable();
    table.uuid('ticket_type_id').references('id').inTable('ticket_types').onDelete('CASCADE');
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.integer('quantity').notNullable().defaultTo(1);
    table.string('status', 20).notNullable().defaultTo('waiting');
    table.timestamps(true, true);
    table.unique(['event_id', 'user_id']);
  });

  await knex.schema.createTable('ticket_price_history', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('ticket_type_id').notNullable().references('id').inTable('ticket_types').onDelete('CASCADE');
    table.decimal('old_price', 10, 2);
    table.decimal('new_price', 10, 2).notNullable();
    table.uuid('changed_by').references('id').inTable('users').onDelete('SET NULL');
    table.timestamp('changed_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex.schema.createTable('ticket_holds', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    tenantReference(table);
    table.uuid('ticket_type_id').notNullable().references('id').inTable('ticket_types').onDelete('CASCADE');
    table.uuid('held_by').references('id').inTable('users').onDelete('SET NULL');
    table.integer('quantity').notNullable();
    table.string('reason', 255);
    table.timestamp('held_until', { useTz: true });
    table.timestamps(true, true);
  });

  await knex.schema.createTable('ticket_bundles', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    tenantReference(table);
    table.uuid('event_id').notNullable();
    table.string('name', 255).notNullable();
    table.integer('price_cents').notNullable();
    table.integer('available').notNullable().defaultTo(0);
    table.timestamps(true, true);
  });

  await knex.schema.createTable('ticket_bundle_items', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('bundle_id').notNullable().references('id').inTable('ticket_bundles').onDelete('CASCADE');
    table.uuid('ticket_type_id').notNullable().references('id').inTable('ticket_types').onDelete('CASCADE');
    table.integer('quantity').notNullable().defaultTo(1);
  });

  await knex.schema.createTable('ticket_audit_log', (table) => {
    table.bigIncrements('id');
    tenantReference(table);
    table.uuid('ticket_id').notNullable();
    table.string('action', 50).notNullable();
    table.uuid('performed_by').references('id').inTable('users').onDelete('SET NULL');
    table.jsonb('changes');
    table.timestamp('performed_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.index(['tenant_id', 'ticket_id']);
  });

  await knex.schema.createTable('ticket_notifications', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    tenantReference(table);
    table.uuid('ticket_id').references('id').inTable('tickets').onDelete('CASCADE');
    table.uuid('user_id').notNullable().references('id').inTable('users').onDelete('CASCADE');
    table.string('type', 50).notNullable();
    table.string('status', 20).notNullable().defaultTo('pending');
    table.timestamp('sent_at', { useTz: true });
    table.timestamps(true, true);
  });

  await knex.schema.createTable('discounts', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('tenant_id').notNullable();
    table.uuid('event_id');
    table.string('code', 50).notNullable().unique();
    table.string('type', 20).notNullable().defaultTo('percentage');
    table.decimal('value', 10, 2).notNullable();
    table.integer('max_uses');
    table.integer('uses').notNullable().defaultTo(0);
    table.boolean('active').notNullable().defaultTo(true);
    table.timestamps(true, true);
  });

  await knex.schema.createTable('order_discounts', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
    table.uuid('order_id').notNullable();
    table.uuid('discount_id').notNullable().references('id').inTable('discounts').onDelete('RESTRICT');
    table.integer('amount_cents').notNullable();
    table.timestamp('applied_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex.schema.createTable('outbox', (table) => {
    table.bigIncrements('id');
    table.uuid('tenant_id');
    table.uuid('aggregate_id').notNullable();
    table.string('aggregate_type', 100).notNullable();
    table.string('event_type', 100).notNullable();
    table.jsonb('payload').notNullable();
    table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.timestamp('processed_at', { useTz: true });
  });
  await knex.raw('CREATE INDEX idx_outbox_unprocessed ON outbox (created_at) WHERE processed_at IS NULL');

  await knex.schema.createTable('reservation_history', (table) => {
    table.bigIncrements('id');
    table.uuid('reservation_id').notNullable().references('id').inTable('reservations').onDelete('CASCADE');
    table.string('old_status', 20);
    table.string('new_status', 20).notNullable();
    table.timestamp('changed_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  await knex.schema.createTable('webhook_nonces', (table) => {
    table.string('nonce', 255).primary();
    table.string('endpoint', 255).notNullable();
    table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.timestamp('expires_at', { useTz: true }).notNullable().index();
  });

  await extendNeighbours(knex);
  await createTriggers(knex);

  await knex.raw('ALTER TABLE tickets ENABLE ROW LEVEL SECURITY');
  await knex.raw(`
    CREATE POLICY tickets_view_own ON tickets FOR SELECT
      USING (user_id = current_setting('app.current_user_id', true)::uuid);

    CREATE POLICY tickets_update_own ON tickets FOR UPDATE
      USING (user_id = current_setting('app.current_user_id', true)::uuid);

    CREATE POLICY tickets_venue_owner_view ON tickets FOR SELECT
      USING (EXISTS (
        SELECT 1 FROM events e JOIN venues v ON v.id = e.venue_id
        WHERE e.id = tickets.event_id AND v.created_by = current_setting('app.current_user_id', true)::uuid
      ));

    CREATE POLICY tickets_admin_all ON tickets FOR ALL
      USING (current_setting('app.current_user_role', true) IN ('admin', 'superadmin'));

    CREATE POLICY tickets_tenant_isolation ON tickets FOR ALL
      USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid);
  `);
}

/** The counters that the ticket pages show live in tables of the services next door. */
async function extendNeighbours(knex: Knex): Promise<void> {
  if (await knex.schema.hasTable('users')) {
    if (!(await knex.schema.hasColumn('users', 'ticket_purchase_count'))) {
      await knex.schema.alterTable('users', (t) => {
        t.integer('ticket_purchase_count').notNullable().defaultTo(0);
      });
    }
    if (!(await knex.schema.hasColumn('users', 'total_spent'))) {
      await knex.schema.alterTable('users', (t) => {
        t.decimal('total_spent', 12, 2).notNullable().defaultTo(0);
      });
    }
  }

  if (await knex.schema.hasTable('events')) {
    const sold = await knex.schema.hasColumn('events', 'tickets_sold');
    const revenue = await knex.schema.hasColumn('events', 'revenue');
    await knex.schema.alterTable('events', (t) => {
      if (!sold) t.integer('tickets_sold').notNullable().defaultTo(0);
      if (!revenue) t.decimal('revenue', 12, 2).notNullable().defaultTo(0);
    });
  }

  if (await knex.schema.hasTable('venues')) {
    if (!(await knex.schema.hasColumn('venues', 'seating_capacity'))) {
      await knex.schema.alterTable('venues', (t) => {
        t.integer('seating_capacity');
      });
    }
  }
}

async function createTriggers(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE OR REPLACE FUNCTION update_ticket_availability_on_reservation()
    RETURNS TRIGGER AS $$
    BEGIN
      UPDATE ticket_types
         SET available_quantity = available_quantity - NEW.quantity,
             reserved_quantity = reserved_quantity + NEW.quantity
       WHERE id = NEW.ticket_type_id AND available_quantity >= NEW.quantity;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'not enough tickets of type %', NEW.ticket_type_id;
      END IF;
      INSERT INTO reservation_history (reservation_id, new_status) VALUES (NEW.id, NEW.status);
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;

    CREATE OR REPLACE FUNCTION release_ticket_availability()
    RETURNS TRIGGER AS $$
    BEGIN
      IF OLD.status = 'PENDING' AND NEW.status IN ('EXPIRED', 'CANCELLED') THEN
        UPDATE ticket_types
           SET available_quantity = available_quantity + OLD.quantity,
               reserved_quantity = GREATEST(0, reserved_quantity - OLD.quantity)
         WHERE id = OLD.ticket_type_id;
        INSERT INTO reservation_history (reservation_id, old_status, new_status) VALUES (OLD.id, OLD.status, NEW.status);
      END IF;
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;

    CREATE TRIGGER trg_reservation_created AFTER INSERT ON reservations
      FOR EACH ROW EXECUTE FUNCTION update_ticket_availability_on_reservation();
    CREATE TRIGGER trg_reservation_released AFTER UPDATE OF status ON reservations
      FOR EACH ROW EXECUTE FUNCTION release_ticket_availability();
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION update_user_ticket_stats()
    RETURNS TRIGGER AS $$
    BEGIN
      IF NEW.status = 'sold' AND NEW.user_id IS NOT NULL THEN
        UPDATE users SET ticket_purchase_count = ticket_purchase_count + 1 WHERE id = NEW.user_id;
      END IF;
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;

    CREATE OR REPLACE FUNCTION update_user_events_attended()
    RETURNS TRIGGER AS $$
    BEGIN
      IF NEW.is_validated AND NOT OLD.is_validated THEN
        UPDATE users SET events_attended = events_attended + 1 WHERE id = NEW.user_id;
      END IF;
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;

    CREATE TRIGGER trg_user_ticket_stats AFTER INSERT OR UPDATE OF status ON tickets
      FOR EACH ROW EXECUTE FUNCTION update_user_ticket_stats();
    CREATE TRIGGER trg_user_events_attended AFTER UPDATE OF is_validated ON tickets
      FOR EACH ROW EXECUTE FUNCTION update_user_events_attended();
  `);
}

export async function down(knex: Knex): Promise<void> {
  const tables = [
    'webhook_nonces',
    'reservation_history',
    'outbox',
    'order_discounts',
    'discounts',
    'ticket_notifications',
    'ticket_audit_log',
    'ticket_bundle_items',
    'ticket_bundles',
    'ticket_holds',
    'ticket_price_history',
    'waitlist',
    'refunds',
    'ticket_validations',
    'ticket_transfers',
    'tickets',
    'reservations',
    'ticket_types',
  ];
  for (const table of tables) {
    await knex.raw(`DROP TABLE IF EXISTS ${table} CASCADE`);
  }
  await knex.raw('DROP TYPE IF EXISTS ticket_status');
  await knex.raw(`
    DROP FUNCTION IF EXISTS update_user_events_attended();
    DROP FUNCTION IF EXISTS update_user_ticket_stats();
    DROP FUNCTION IF EXISTS release_ticket_availability();
    DROP FUNCTION IF EXISTS update_ticket_availability_on_reservation();
  `);
}
