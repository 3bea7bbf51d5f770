import type { Knex } from 'knex';

const TENANT_TABLES = [
  'analytics_metrics',
  'analytics_aggregations',
  'analytics_alerts',
  'analytics_dashboards',
  'analytics_widgets',
  'analytics_exports',
  'customer_rfm_scores',
  'customer_segments',
  'customer_lifetime_value',
  'realtime_metrics',
  'venue_alerts',
];

interface View {
  name: string;
  query: string;
}

const INVENTORY_VIEWS: View[] = [
  {
    name: 'event_summary',
    query: `
      SELECT e.id AS event_id, e.name AS event_name, e.status, v.id AS venue_id, v.name AS venue_name,
             MIN(s.starts_at) AS starts_at, SUM(c.total_capacity) AS capacity, COUNT(t.id) AS tickets_issued
        FROM events e
        JOIN venues v ON v.id = e.venue_id
        LEFT JOIN event_schedules s ON s.event_id = e.id
        LEFT JOIN event_capacity c ON c.event_id = e.id
        LEFT JOIN tickets t ON t.event_id = e.id
       GROUP BY e.id, e.name, e.status, v.id, v.name`,
  },
  {
    name: 'venue_analytics',
    query: `
      SELECT v.id AS venue_id, v.name AS venue_name, COUNT(DISTINCT e.id) AS events,
             COUNT(t.id) AS tickets_sold, COALESCE(SUM(t.price_cents), 0) AS revenue_cents
        FROM venues v
        LEFT JOIN events e ON e.venue_id = v.id
        LEFT JOIN tickets t ON t.event_id = e.id AND t.status = 'sold'
       GROUP BY v.id, v.name`,
  },
  {
    name: 'ticket_status_details',
    query: `
      SELECT t.id AS ticket_id, t.ticket_number, t.status, tt.name AS ticket_type, e.name AS event_name, v.name AS venue_name
        FROM tickets t
        JOIN ticket_types tt ON tt.id = t.ticket_type_id
        JOIN events e ON e.id = t.event_id
        JOIN venues v ON v.id = e.venue_id`,
  },
  {
    name: 'ticket_inventory_summary',
    query: `
      SELECT e.id AS event_id, tt.id AS ticket_type_id, tt.name, tt.quantity, tt.available_quantity, COUNT(t.id) AS issued
        FROM ticket_types tt
        JOIN events e ON e.id = tt.event_id
        LEFT JOIN tickets t ON t.ticket_type_id = tt.id
       GROUP BY e.id, tt.id, tt.name, tt.quantity, tt.available_quantity`,
  },
];

const CUSTOMER_VIEWS: View[] = [
  {
    name: 'customer_360_basic',
    query: `
      SELECT u.id AS customer_id, u.email, u.display_name, u.created_at AS customer_since, COUNT(t.id) AS tickets_bought
        FROM users u LEFT JOIN tickets t ON t.user_id = u.id
       GROUP BY u.id, u.email, u.display_name, u.created_at`,
  },
  {
    name: 'customer_360_with_preferences',
    query: `
      SELECT b.*, u.preferred_language, u.marketing_consent
        FROM customer_360_basic b JOIN users u ON u.id = b.customer_id`,
  },
  {
    name: 'customer_360_with_purchases',
    query: `
      SELECT p.*, COALESCE(paid.total, 0) AS total_spent, paid.last_purchase
        FROM customer_360_with_preferences p
        LEFT JOIN (
          SELECT user_id, SUM(amount) AS total, MAX(created_at) AS last_purchase
            FROM payment_transactions WHERE status = 'completed' GROUP BY user_id
        ) paid ON paid.user_id = p.customer_id`,
  },
  {
    name: 'customer_360_with_engagement',
    query: `SELECT c.*, EXTRACT(day FROM NOW() - c.last_purchase) AS days_since_purchase FROM customer_360_with_purchases c`,
  },
  {
    name: 'customer_360_with_segments',
    query: `
      SELECT c.*, CASE WHEN c.total_spent >= 1000 THEN 'vip' WHEN c.total_spent >= 200 THEN 'regular' ELSE 'occasional' END AS value_segment
        FROM customer_360_with_engagement c`,
  },
  {
    name: 'customer_360_with_churn_risk',
    query: `
      SELECT c.*, CASE WHEN c.days_since_purchase > 365 THEN 'high' WHEN c.days_since_purchase > 120 THEN 'medium' ELSE 'low' END AS churn_risk
        FROM customer_360_with_segments c`,
  },
  { name: 'customer_360', query: 'SELECT * FROM customer_360_with_churn_risk' },
  {
    name: 'customer_segment_summary',
    query: 'SELECT value_segment, COUNT(*) AS customers, AVG(total_spent) AS average_spent FROM customer_360 GROUP BY value_segment',
  },
  {
    name: 'churn_risk_dashboard',
    query: 'SELECT churn_risk, value_segment, COUNT(*) AS customers FROM customer_360 GROUP BY churn_risk, value_segment',
  },
  {
    name: 'customer_360_gdpr',
    query: 'SELECT customer_id, tickets_bought, total_spent, value_segment, churn_risk FROM customer_360',
  },
];

const FINANCIAL_VIEWS: View[] = [
  {
    name: 'financial_summary_basic',
    query: `
      SELECT venue_id, DATE(created_at) AS day, COUNT(*) AS payments, SUM(amount) AS gross
        FROM payment_transactions WHERE status = 'completed' GROUP BY venue_id, DATE(created_at)`,
  },
  {
    name: 'financial_summary_payment_methods',
    query: `
      SELECT f.*, (SELECT COUNT(DISTINCT p.payment_method) FROM payment_transactions p
                    WHERE p.venue_id = f.venue_id AND DATE(p.created_at) = f.day) AS payment_methods
        FROM financial_summary_basic f`,
  },
  {
    name: 'financial_summary_with_refunds',
    query: `
      SELECT f.*, COALESCE((SELECT SUM(p.amount) FROM payment_transactions p
                    WHERE p.venue_id = f.venue_id AND DATE(p.created_at) = f.day AND p.status = 'refunded'), 0) AS refunded
        FROM financial_summary_payment_methods f`,
  },
  {
    name: 'financial_summary_with_fees',
    query: 'SELECT f.*, ROUND(f.gross * 0.03, 2) AS estimated_fees FROM financial_summary_with_refunds f',
  },
  { name: 'financial_summary', query: 'SELECT *, gross - refunded - estimated_fees AS net FROM financial_summary_with_fees' },
  { name: 'daily_revenue_summary', query: 'SELECT day, SUM(gross) AS gross, SUM(net) AS net FROM financial_summary GROUP BY day' },
];

const MARKETPLACE_VIEWS: View[] = [
  {
    name: 'marketplace_activity_basic',
    query: 'SELECT id AS transfer_id, listing_id, buyer_id, seller_id, usd_value, created_at AS sold_at FROM marketplace_transfers',
  },
  {
    name: 'marketplace_activity_with_listings',
    query: `
      SELECT a.*, l.ticket_id, l.price AS listed_price
        FROM marketplace_activity_basic a JOIN marketplace_listings l ON l.id = a.listing_id`,
  },
  {
    name: 'marketplace_activity_with_users',
    query: `
      SELECT a.*, s.display_name AS seller, b.display_name AS buyer
        FROM marketplace_activity_with_listings a JOIN users s ON s.id = a.seller_id JOIN users b ON b.id = a.buyer_id`,
  },
  {
    name: 'marketplace_activity_with_fees',
    query: `
      SELECT a.*, f.platform_fee_amount
        FROM marketplace_activity_with_users a LEFT JOIN platform_fees f ON f.transfer_id = a.transfer_id`,
  },
  { name: 'marketplace_activity', query: 'SELECT *, DATE(sold_at) AS sale_date FROM marketplace_activity_with_fees' },
  {
    name: 'daily_marketplace_summary',
    query: 'SELECT sale_date, COUNT(*) AS sales, SUM(usd_value) AS volume FROM marketplace_activity GROUP BY sale_date',
  },
  {
    name: 'seller_performance',
    query: 'SELECT seller_id, COUNT(*) AS sales, SUM(usd_value) AS volume FROM marketplace_activity GROUP BY seller_id',
  },
  {
    name: 'user_dashboard_view',
    query: `
      SELECT u.id AS user_id, u.status, u.loyalty_tier, COUNT(DISTINCT t.id) AS tickets, COUNT(DISTINCT l.id) AS listings
        FROM users u
        LEFT JOIN tickets t ON t.user_id = u.id
        LEFT JOIN marketplace_listings l ON l.seller_id = u.id
       GROUP BY u.id, u.status, u.loyalty_tier`,
  },
];

const COMPLIANCE_VIEWS: View[] = [
  {
    name: 'compliance_reporting_basic',
    query: 'SELECT id AS audit_id, DATE(created_at) AS audit_date, user_id, action, table_name, success FROM audit_logs',
  },
  {
    name: 'compliance_reporting_user_activity',
    query: 'SELECT c.*, u.email, u.role FROM compliance_reporting_basic c LEFT JOIN users u ON u.id = c.user_id',
  },
  {
    name: 'compliance_reporting_data_changes',
    query: `
      SELECT c.*, a.old_data IS NOT NULL AND a.new_data IS NOT NULL AS is_change
        FROM compliance_reporting_user_activity c JOIN audit_logs a ON a.id = c.audit_id`,
  },
  {
    name: 'compliance_reporting_risk_analysis',
    query: `
      SELECT c.*, CASE WHEN NOT c.success THEN 'high' WHEN c.action = 'DELETE' THEN 'medium' ELSE 'low' END AS alert_level
        FROM compliance_reporting_data_changes c`,
  },
  { name: 'compliance_reporting', query: 'SELECT * FROM compliance_reporting_risk_analysis' },
  {
    name: 'daily_compliance_summary',
    query: 'SELECT audit_date, alert_level, COUNT(*) AS entries FROM compliance_reporting GROUP BY audit_date, alert_level',
  },
  {
    name: 'user_risk_profile',
    query: `SELECT user_id, COUNT(*) FILTER (WHERE alert_level = 'high') AS high_alerts FROM compliance_reporting GROUP BY user_id`,
  },
  {
    name: 'compliance_reporting_gdpr',
    query: 'SELECT audit_id, audit_date, action, table_name, alert_level FROM compliance_reporting',
  },
];

const MATERIALIZED: Array<View & { indexes: string[] }> = [
  { name: 'venue_analytics_mv', query: 'SELECT * FROM venue_analytics', indexes: ['(venue_id)'] },
  { name: 'customer_360_materialized', query: 'SELECT * FROM customer_360', indexes: ['(customer_id)', '(value_segment)'] },
  {
    name: 'marketplace_activity_materialized',
    query: 'SELECT transfer_id, ticket_id, sale_date, usd_value, platform_fee_amount FROM marketplace_activity',
    indexes: ['(sale_date)', '(ticket_id)'],
  },
  { name: 'user_dashboard_materialized', query: 'SELECT * FROM user_dashboard_view', indexes: ['(status)', '(loyalty_tier)'] },
  {
    name: 'compliance_reporting_materialized',
    query: `SELECT * FROM compliance_reporting WHERE audit_date >= CURRENT_DATE - 30`,
    indexes: ['(audit_date)', '(user_id)', '(alert_level)'],
  },
];

exports.up = async function (knex: Knex): Promise<void> {
  const key = (t: Knex.CreateTableBuilder) => {
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    t.uuid('tenant_id').notNullable().index();
  };

  await knex.schema.createTable('analytics_metrics', (t) => {
    key(t);
    t.string('metric_type', 100).notNullable();
    t.string('entity_type', 50).notNullable();
    t.uuid('entity_id').notNullable();
    t.decimal('value', 20, 4).notNullable();
    t.string('unit', 20);
    t.jsonb('dimensions');
    t.timestamp('timestamp', { useTz: true }).notNullable().index();
    t.timestamps(true, true);
    t.index(['tenant_id', 'metric_type']);
    t.index(['tenant_id', 'entity_type', 'entity_id']);
    t.index(['tenant_id', 'timestamp']);
  });

  await knex.schema.createTable('analytics_aggregations', (t) => {
    key(t);
    t.string('aggregation_type', 50).notNullable();
    t.string('metric_type', 100).notNullable();
    t.string('entity_type', 50).notNullable();
    t.uuid('entity_id').notNullable();
    t.string('time_period', 20).notNullable();
    t.timestamp('period_start', { useTz: true }).notNullable().index();
    t.timestamp('period_end', { useTz: true }).notNullable();
    t.decimal('value', 20, 4).notNullable();
    t.integer('sample_count').notNullable().defaultTo(0);
    t.timestamps(true, true);
    t.unique(['tenant_id', 'aggregation_type', 'metric_type', 'entity_type', 'entity_id', 'time_period', 'period_start'], {
      indexName: 'analytics_aggregations_bucket_unique',
    });
    t.index(['tenant_id', 'time_period', 'period_start']);
  });

  await knex.schema.createTable('analytics_alerts', (t) => {
    key(t);
    t.string('alert_type', 50).notNullable();
    t.string('severity', 20).notNullable();
    t.string('entity_type', 50);
    t.uuid('entity_id');
    t.text('message').notNullable();
    t.string('status', 20).notNullable().defaultTo('active');
    t.timestamp('triggered_at', { useTz: true }).notNullable().defaultTo(knex.fn.now()).index();
    t.timestamp('resolved_at', { useTz: true });
    t.uuid('resolved_by');
    t.timestamps(true, true);
    t.index(['tenant_id', 'status']);
  });

  await knex.schema.createTable('analytics_dashboards', (t) => {
    key(t);
    t.string('name', 255).notNullable();
    t.string('type', 50).notNullable();
    t.jsonb('layout').notNullable().defaultTo('{}');
    t.boolean('is_default').notNullable().defaultTo(false);
    t.uuid('created_by').notNullable();
    t.timestamps(true, true);
    t.index(['tenant_id', 'type']);
  });

  await knex.schema.createTable('analytics_widgets', (t) => {
    key(t);
    t.uuid('dashboard_id').notNullable().references('id').inTable('analytics_dashboards').onDelete('CASCADE');
    t.string('widget_type', 50).notNullable();
    t.string('title', 255).notNullable();
    t.jsonb('configuration').notNullable();
    t.timestamps(true, true);
    t.index(['tenant_id', 'dashboard_id']);
  });

  await knex.schema.createTable('analytics_exports', (t) => {
    key(t);
    t.string('export_type', 50).notNullable();
    t.string('format', 10).notNullable().defaultTo('csv');
    t.string('status', 20).notNullable().defaultTo('pending');
    t.string('file_path', 500);
    t.uuid('requested_by').notNullable();
    t.timestamp('expires_at', { useTz: true }).index();
    t.timestamps(true, true);
    t.index(['tenant_id', 'status']);
  });

  await knex.schema.createTable('customer_rfm_scores', (t) => {
    key(t);
    t.uuid('customer_id').notNullable();
    t.uuid('venue_id').notNullable();
    t.integer('recency_score').notNullable();
    t.integer('frequency_score').notNullable();
    t.integer('monetary_score').notNullable();
    t.integer('total_score').notNullable().index();
    t.string('segment', 50).notNullable();
    t.string('churn_risk', 20);
    t.timestamp('calculated_at', { useTz: true }).notNullable();
    t.timestamps(true, true);
    t.unique(['customer_id', 'venue_id']);
  });

  await knex.schema.createTable('customer_segments', (t) => {
    key(t);
    t.uuid('venue_id').notNullable();
    t.string('segment_name', 100).notNullable();
    t.integer('customer_count').notNullable().defaultTo(0);
    t.jsonb('criteria').notNullable().defaultTo('{}');
    t.timestamp('last_calculated_at', { useTz: true });
    t.timestamps(true, true);
    t.unique(['venue_id', 'segment_name']);
  });

  await knex.schema.createTable('customer_lifetime_value', (t) => {
    key(t);
    t.uuid('customer_id').notNullable().unique();
    t.uuid('venue_id').notNullable();
    t.decimal('clv', 12, 2).notNullable();
    t.decimal('churn_probability', 5, 4);
    t.timestamp('calculated_at', { useTz: true }).notNullable();
    t.timestamps(true, true);
  });

  await knex.schema.createTable('realtime_metrics', (t) => {
    key(t);
    t.uuid('venue_id').notNullable();
    t.string('metric_type', 100).notNullable();
    t.decimal('current_value', 20, 4).notNullable().defaultTo(0);
    t.timestamp('expires_at', { useTz: true }).index();
    t.timestamps(true, true);
    t.unique(['venue_id', 'metric_type']);
  });

  await knex.schema.createTable('venue_alerts', (t) => {
    key(t);
    t.uuid('venue_id').notNullable();
    t.string('alert_name', 100).notNullable().index();
    t.jsonb('conditions').notNullable();
    t.boolean('is_active').notNullable().defaultTo(true);
    t.timestamps(true, true);
  });

  // Dynamic pricing reads and writes these two by event.
  await knex.schema.createTable('price_history', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    t.uuid('event_id').notNullable();
    t.integer('old_price_cents').notNullable();
    t.integer('new_price_cents').notNullable();
    t.text('reason');
    t.decimal('demand_score', 5, 2);
    t.uuid('changed_by');
    t.timestamp('changed_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
    t.index(['event_id', 'changed_at']);
  });

  await knex.schema.createTable('pending_price_changes', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    t.uuid('event_id').notNullable().unique();
    t.integer('current_price_cents').notNullable();
    t.integer('recommended_price_cents').notNullable();
    t.decimal('confidence', 5, 4);
    t.jsonb('reasoning');
    t.uuid('approved_by');
    t.timestamp('approved_at', { useTz: true }).index();
    t.uuid('rejected_by');
    t.timestamp('rejected_at', { useTz: true });
    t.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
  });

  for (const table of TENANT_TABLES) {
    await knex.raw(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
    await knex.raw(`
      CREATE POLICY tenant_isolation_policy ON ${table}
      USING (tenant_id = current_setting('app.current_tenant')::uuid)
    `);
  }

  for (const group of [INVENTORY_VIEWS, CUSTOMER_VIEWS, FINANCIAL_VIEWS, MARKETPLACE_VIEWS, COMPLIANCE_VIEWS]) {
    for (const view of group) {
      await knex.raw(`CREATE OR REPLACE VIEW ${view.name} AS ${view.query}`);
    }
  }

  for (const { name, query, indexes } of MATERIALIZED) {
    await knex.raw(`CREATE MATERIALIZED VIEW ${name} AS ${query}`);
    for (let i = 0; i < indexes.length; i++) {
      await knex.raw(`CREATE INDEX ${name}_idx_${i + 1} ON ${name} ${indexes[i]}`);
    }
  }
  await knex.raw('CREATE UNIQUE INDEX user_dashboard_materialized_user ON user_dashboard_materialized (user_id)');

  await knex.raw(`
    CREATE OR REPLACE FUNCTION refresh_venue_analytics_mv() RETURNS void AS $$
    BEGIN
      REFRESH MATERIALIZED VIEW venue_analytics_mv;
    END;
    $$ LANGUAGE plpgsql SECURITY DEFINER;

    CREATE OR REPLACE FUNCTION refresh_user_dashboard(user_ids uuid[] DEFAULT NULL) RETURNS void AS $$
    BEGIN
      REFRESH MATERIALIZED VIEW CONCURRENTLY user_dashboard_materialized;
    END;
    $$ LANGUAGE plpgsql SECURITY DEFINER;

    CREATE OR REPLACE FUNCTION refresh_compliance_reporting_materialized() RETURNS void AS $$
    BEGIN
      REFRESH MATERIALIZED VIEW CONCURRENTLY compliance_reporting_materialized;
    END;
    $$ LANGUAGE plpgsql SECURITY DEFINER;
  `);
};

exports.down = async function (knex: Knex): Promise<void> {
  await knex.raw(`
    DROP FUNCTION IF EXISTS refresh_compliance_reporting_materialized();
    DROP FUNCTION IF EXISTS refresh_user_dashboard(uuid[]);
    DROP FUNCTION IF EXISTS refresh_venue_analytics_mv();
  `);
  for (const { name } of [...MATERIALIZED].reverse()) {
    await knex.raw(`DROP MATERIALIZED VIEW IF EXISTS ${name}`);
  }
  for (const group of [COMPLIANCE_VIEWS, MARKETPLACE_VIEWS, FINANCIAL_VIEWS, CUSTOMER_VIEWS, INVENTORY_VIEWS]) {
    for (const view of [...group].reverse()) {
      await knex.raw(`DROP VIEW IF EXISTS ${view.name} CASCADE`);
    }
  }
  for (const table of ['pending_price_changes', 'price_history', ...[...TENANT_TABLES].reverse()]) {
    await knex.schema.dropTableIfExists(table);
  }
};
