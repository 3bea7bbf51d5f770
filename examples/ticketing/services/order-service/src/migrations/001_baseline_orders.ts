import type { Knex } from "knex";

const ENUMS: Record<string, string[]> = {
  refund_type: ["FULL", "PARTIAL", "ITEM"],
  modification_type: ["ADD_ITEM", "REMOVE_ITEM", "UPGRADE_ITEM", "DOWNGRADE_ITEM", "CHANGE_QUANTITY"],
  modification_status: ["PENDING", "APPROVED", "PROCESSING", "COMPLETED", "REJECTED", "FAILED"],
  bulk_operation_status: ["PENDING", "PROCESSING", "COMPLETED", "FAILED", "PARTIAL_SUCCESS"],
  bulk_operation_type: ["BULK_CANCEL", "BULK_REFUND", "BULK_UPDATE", "BULK_EXPORT"],
  discount_type: ["PERCENTAGE", "FIXED_AMOUNT", "BOGO", "TIERED", "EARLY_BIRD"],
  order_note_type: [
    "CUSTOMER_INQUIRY",
    "ISSUE_REPORTED",
    "RESOLUTION",
    "VIP_MARKER",
    "FRAUD_SUSPICION",
    "PAYMENT_ISSUE",
    "DELIVERY_ISSUE",
    "GENERAL",
    "INTERNAL_NOTE",
  ],
};

const ALL_TABLES = [
  "orders",
  "order_items",
  "order_events",
  "order_addresses",
  "order_refunds",
  "order_modifications",
  "order_splits",
  "bulk_operations",
  "promo_codes",
  "promo_code_redemptions",
  "order_notes",
  "refund_policies",
  "refund_reasons",
  "refund_policy_rules",
  "refund_compliance_log",
  "order_disputes",
];

const ISOLATED_TABLES = [
  "orders",
  "order_items",
  "order_events",
  "order_addresses",
  "order_refunds",
  "order_modifications",
  "order_splits",
  "bulk_operations",
  "promo_codes",
  "promo_code_redemptions",
  "order_notes",
  "refund_policies",
  "refund_reasons",
  "refund_compliance_log",
];

export async function up(knex: Knex): Promise<void> {
  await knex.raw("SET lock_timeout = '10s'");
  await knex.raw("SET statement_timeout = '60s'");
  await knex.raw('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"');
  await knex.raw("CREATE EXTENSION IF NOT EXISTS pg_trgm");

  for (const [name, labels] of Object.entries(ENUMS)) {
    await knex.raw(`CREATE TYPE ${name} AS ENUM (${labels.map((label) => `'${label}'`).join(", ")})`);
  }

  await createOrders(knex);
  await createRefunds(knex);
  await createOperations(knex);
  await createFunctions(knex);

  for (const table of ALL_TABLES) {
    await knex.raw(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
  }
  for (const table of ISOLATED_TABLES) {
    await knex.raw(`
      CREATE POLICY ${table}_tenant_isolation ON ${table}
        USING (tenant_id = current_setting('app.current_tenant', true)::uuid)
    `);
  }
}

async function createOrders(knex: Knex): Promise<void> {
  await knex.schema.createTable("orders", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable().references("id").inTable("tenants").onDelete("RESTRICT");
    table.uuid("user_id").notNullable().references("id").inTable("users").onDelete("RESTRICT");
    table.uuid("event_id").notNullable().references("id").inTable("events").onDelete("RESTRICT");
    table.string("order_number", 20).notNullable().unique();
    table.string("status", 50).notNullable().defaultTo("PENDING");
    table.string("payment_status", 50).notNullable().defaultTo("unpaid");
    table.integer("subtotal_cents").notNullable().defaultTo(0);
    table.integer("platform_fee_cents").notNullable().defaultTo(0);
    table.integer("processing_fee_cents").notNullable().defaultTo(0);
    table.integer("tax_cents").notNullable().defaultTo(0);
    table.integer("discount_cents").notNullable().defaultTo(0);
    table.integer("total_cents").notNullable().defaultTo(0);
    table.string("currency", 3).notNullable().defaultTo("USD");
    table.string("idempotency_key", 255).unique();
    table.uuid("parent_order_id").references("id").inTable("orders").onDelete("SET NULL");
    table.uuid("split_from_order_id").references("id").inTable("orders").onDelete("SET NULL");
    table.boolean("has_dispute").notNullable().defaultTo(false);
    table.string("payout_status", 30);
    table.specificType("search_vector", "tsvector");
    table.timestamp("expires_at", { useTz: true });
    table.timestamp("confirmed_at", { useTz: true });
    table.timestamps(true, true);
    table.check("subtotal_cents >= 0", [], "chk_orders_subtotal");
    table.check("total_cents >= 0", [], "chk_orders_total");
    table.index(["tenant_id", "status"]);
  });
  await knex.raw("CREATE INDEX idx_orders_pending ON orders (expires_at) WHERE status = 'PENDING'");
  await knex.raw("CREATE INDEX idx_orders_search ON orders USING gin (search_vector)");

  await knex.schema.createTable("order_items", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable().references("id").inTable("tenants").onDelete("RESTRICT");
    table.uuid("order_id").notNullable().references("id").inTable("orders").onDelete("CASCADE");
    table.uuid("ticket_type_id").notNullable().references("id").inTable("ticket_types").onDelete("RESTRICT");
    table.integer("quantity").notNullable();
    table.integer("unit_price_cents").notNullable();
    table.integer("total_price_cents").notNullable();
    table.timestamps(true, true);
    table.check("quantity > 0", [], "chk_order_items_quantity");
  });

  await knex.schema.createTable("order_events", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable().references("id").inTable("tenants").onDelete("RESTRICT");
    table.uuid("order_id").notNullable().references("id").inTable("orders").onDelete("CASCADE");
    table.uuid("user_id").references("id").inTable("users").onDelete("SET NULL");
    table.string("event_type", 50).notNullable();
    table.jsonb("metadata");
    table.timestamp("created_at", { useTz: true }).notNullable().defaultTo(knex.fn.now());
    table.index(["order_id", "created_at"]);
  });

  await knex.schema.createTable("order_addresses", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable().references("id").inTable("tenants").onDelete("RESTRICT");
    table.uuid("order_id").notNullable().unique().references("id").inTable("orders").onDelete("CASCADE");
    table.string("billing_line1", 255).notNullable();
    table.string("billing_city", 100).notNullable();
    table.string("billing_postal_code", 20);
    table.string("billing_country", 2).notNullable();
    table.timestamps(true, true);
  });

  await knex.schema.createTable("order_notes", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable();
    table.uuid("order_id").notNullable().references("id").inTable("orders").onDelete("CASCADE");
    table.uuid("user_id");
    table.uuid("admin_user_id");
    table.specificType("note_type", "order_note_type").notNullable().defaultTo("GENERAL");
    table.text("content").notNullable();
    table.boolean("is_internal").notNullable().defaultTo(true);
    table.timestamps(true, true);
  });

  await knex.schema.createTable("order_disputes", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("order_id").notNullable().references("id").inTable("orders").onDelete("CASCADE");
    table.string("dispute_id", 255).notNullable().unique();
    table.string("reason", 100).notNullable();
    table.string("status", 50).notNullable();
    table.integer("amount_cents").notNullable();
    table.timestamp("evidence_due_at", { useTz: true });
    table.timestamps(true, true);
  });
}

async function createRefunds(knex: Knex): Promise<void> {
  await knex.schema.createTable("order_refunds", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable().references("id").inTable("tenants").onDelete("RESTRICT");
    table.uuid("order_id").notNullable().references("id").inTable("orders").onDelete("RESTRICT");
    table.specificType("refund_type", "refund_type").notNullable().defaultTo("FULL");
    table.integer("refund_amount_cents").notNullable();
    table.string("refund_status", 50).notNullable().defaultTo("PENDING");
    table.text("refund_reason");
    table.uuid("initiated_by").references("id").inTable("users").onDelete("SET NULL");
    table.timestamp("completed_at", { useTz: true });
    table.timestamps(true, true);
  });

  await knex.schema.createTable("refund_policies", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable();
    table.string("policy_name", 100).notNullable();
    table.text("description");
    table.jsonb("conditions").notNullable().defaultTo("{}");
    table.boolean("is_active").notNullable().defaultTo(true);
    table.timestamps(true, true);
  });

  await knex.schema.createTable("refund_policy_rules", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("policy_id").notNullable().references("id").inTable("refund_policies").onDelete("CASCADE");
    table.string("rule_type", 50).notNullable();
    table.jsonb("rule_config").notNullable();
    table.integer("priority").notNullable().defaultTo(0);
    table.timestamps(true, true);
  });

  await knex.schema.createTable("refund_reasons", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable();
    table.string("reason_code", 50).notNullable();
    table.string("reason_text", 255).notNullable();
    table.boolean("auto_approve").notNullable().defaultTo(false);
    table.timestamps(true, true);
    table.unique(["tenant_id", "reason_code"]);
  });

  await knex.schema.createTable("refund_compliance_log", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable();
    table.uuid("refund_id").notNullable();
    table.string("regulation", 100).notNullable();
    table.boolean("passed").notNullable();
    table.jsonb("details");
    table.timestamp("checked_at", { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });
}

async function createOperations(knex: Knex): Promise<void> {
  await knex.schema.createTable("order_modifications", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable();
    table.uuid("order_id").notNullable().references("id").inTable("orders").onDelete("CASCADE");
    table.specificType("modification_type", "modification_type").notNullable();
    table.specificType("status", "modification_status").notNullable().defaultTo("PENDING");
    table.uuid("new_ticket_type_id");
    table.integer("price_difference_cents").notNullable().defaultTo(0);
    table.uuid("requested_by").notNullable();
    table.uuid("approved_by");
    table.uuid("rejected_by");
    table.timestamps(true, true);
  });

  await knex.schema.createTable("order_splits", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable();
    table.uuid("parent_order_id").notNullable().references("id").inTable("orders").onDelete("CASCADE");
    table.integer("split_count").notNullable();
    table.uuid("split_by").notNullable();
    table.timestamps(true, true);
  });

  await knex.schema.createTable("bulk_operations", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable();
    table.specificType("operation_type", "bulk_operation_type").notNullable();
    table.specificType("status", "bulk_operation_status").notNullable().defaultTo("PENDING");
    table.integer("total_count").notNullable().defaultTo(0);
    table.integer("failed_count").notNullable().defaultTo(0);
    table.uuid("initiated_by").notNullable();
    table.timestamps(true, true);
  });

  await knex.schema.createTable("promo_codes", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable();
    table.string("code", 50).notNullable();
    table.specificType("discount_type", "discount_type").notNullable();
    table.integer("discount_value").notNullable();
    table.specificType("event_ids", "uuid[]");
    table.integer("usage_limit");
    table.integer("usage_count").notNullable().defaultTo(0);
    table.timestamp("valid_until", { useTz: true });
    table.uuid("created_by");
    table.timestamps(true, true);
    table.unique(["tenant_id", "code"]);
  });
  await knex.raw("CREATE INDEX idx_promo_codes_events ON promo_codes USING gin (event_ids)");

  await knex.schema.createTable("promo_code_redemptions", (table) => {
    table.uuid("id").primary().defaultTo(knex.raw("uuid_generate_v4()"));
    table.uuid("tenant_id").notNullable();
    table.uuid("promo_code_id").notNullable().references("id").inTable("promo_codes").onDelete("RESTRICT");
    table.uuid("order_id").notNullable().references("id").inTable("orders").onDelete("CASCADE");
    table.uuid("user_id").notNullable();
    table.integer("discount_applied_cents").notNullable();
    table.timestamp("redeemed_at", { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });
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
  const stamped = ["orders", "order_items", "order_addresses", "order_refunds", "refund_policies", "promo_codes", "order_disputes"];
  for (const table of stamped) {
    await knex.raw(`
      CREATE TRIGGER trg_${table}_updated_at BEFORE UPDATE ON ${table}
        FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()
    `);
  }

  await knex.raw(`
    CREATE OR REPLACE FUNCTION log_order_status_change()
    RETURNS TRIGGER AS $$
    BEGIN
      IF OLD.status IS DISTINCT FROM NEW.status THEN
        INSERT INTO order_events (tenant_id, order_id, user_id, event_type, metadata)
        VALUES (
          COALESCE(NULLIF(current_setting('app.current_tenant', true), '')::uuid, NEW.tenant_id),
          NEW.id,
          NEW.user_id,
          'STATUS_CHANGED',
          jsonb_build_object('from', OLD.status, 'to', NEW.status)
        );
      END IF;
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;

    CREATE TRIGGER trg_log_order_status_change AFTER UPDATE OF status ON orders
      FOR EACH ROW EXECUTE FUNCTION log_order_status_change();
  `);

  // Keeps the number on the organiser's event page up to date.
  await knex.raw(`
    CREATE OR REPLACE FUNCTION update_event_revenue()
    RETURNS TRIGGER AS $$
    DECLARE
      event_id_var UUID;
    BEGIN
      IF NEW.payment_status = 'paid' AND OLD.payment_status IS DISTINCT FROM 'paid' THEN
        SELECT tt.event_id INTO event_id_var
          FROM order_items oi JOIN ticket_types tt ON tt.id = oi.ticket_type_id
         WHERE oi.order_id = NEW.id
         LIMIT 1;
        UPDATE events SET revenue = revenue + NEW.total_cents / 100.0 WHERE id = event_id_var;
      END IF;
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;

    CREATE TRIGGER trg_update_event_revenue AFTER UPDATE OF payment_status ON orders
      FOR EACH ROW EXECUTE FUNCTION update_event_revenue();
  `);

  await knex.raw(`
    CREATE OR REPLACE FUNCTION calculate_order_total(subtotal INTEGER, fees INTEGER, tax INTEGER, discount INTEGER)
    RETURNS INTEGER AS $$
      SELECT GREATEST(0, subtotal + fees + tax - discount)
    $$ LANGUAGE sql IMMUTABLE;

    CREATE SEQUENCE IF NOT EXISTS order_number_seq;
    CREATE OR REPLACE FUNCTION generate_order_number() RETURNS TEXT AS $$
      SELECT 'ORD-' || LPAD(nextval('order_number_seq')::text, 8, '0')
    $$ LANGUAGE sql VOLATILE;

    CREATE OR REPLACE FUNCTION validate_order_status_transition()
    RETURNS TRIGGER AS $$
    BEGIN
      IF OLD.status IN ('CANCELLED', 'REFUNDED', 'EXPIRED') AND NEW.status <> OLD.status THEN
        RAISE EXCEPTION 'order % is %, which is final', OLD.order_number, OLD.status;
      END IF;
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;
    CREATE TRIGGER trg_validate_order_status BEFORE UPDATE OF status ON orders
      FOR EACH ROW EXECUTE FUNCTION validate_order_status_transition();

    CREATE OR REPLACE FUNCTION orders_search_vector_trigger()
    RETURNS TRIGGER AS $$
    BEGIN
      NEW.search_vector := to_tsvector('simple', NEW.order_number || ' ' || NEW.status);
      RETURN NEW;
    END;
    $$ LANGUAGE plpgsql;
    CREATE TRIGGER trg_orders_search_vector BEFORE INSERT OR UPDATE ON orders
      FOR EACH ROW EXECUTE FUNCTION orders_search_vector_trigger();
  `);
}

export async function down(knex: Knex): Promise<void> {
  for (const table of [...ALL_TABLES].reverse()) {
    await knex.raw(`DROP TABLE IF EXISTS ${table} CASCADE`);
  }
  await knex.raw(`
    DROP FUNCTION IF EXISTS orders_search_vector_trigger();
    DROP FUNCTION IF EXISTS validate_order_status_transition();
    DROP FUNCTION IF EXISTS generate_order_number();
    DROP SEQUENCE IF EXISTS order_number_seq;
    DROP FUNCTION IF EXISTS calculate_order_total(INTEGER, INTEGER, INTEGER, INTEGER);
    DROP FUNCTION IF EXISTS update_event_revenue();
    DROP FUNCTION IF EXISTS log_order_status_change();
    DROP FUNCTION IF EXISTS update_updated_at_column() CASCADE;
  `);
  for (const name of Object.keys(ENUMS)) {
    await knex.raw(`DROP TYPE IF EXISTS ${name}`);
  }
}
