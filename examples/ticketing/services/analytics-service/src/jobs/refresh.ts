import { db } from '../db/session';

/** Hourly, over all tenants. */
export async function refreshViews(): Promise<void> {
  await db.raw('SELECT refresh_venue_analytics_mv()');
  await db.raw('SELECT refresh_user_dashboard(NULL)');
  await db.raw('SELECT refresh_compliance_reporting_materialized()');
  await db.raw('REFRESH MATERIALIZED VIEW CONCURRENTLY customer_360_materialized');
}

export async function expireRealtimeMetrics(): Promise<void> {
  await db('realtime_metrics').where('expires_at', '<', db.fn.now()).delete();
  await db('analytics_exports').where('expires_at', '<', db.fn.now()).delete();
}

/** Scores of the last night; one pass over every venue. */
export async function scoreCustomers(): Promise<void> {
  await db.raw(`
    INSERT INTO customer_rfm_scores
      (tenant_id, customer_id, venue_id, recency_score, frequency_score, monetary_score, total_score, segment, calculated_at)
    SELECT tenant_id, user_id, venue_id, 3, LEAST(5, COUNT(*))::int, LEAST(5, SUM(amount) / 100)::int,
           3 + LEAST(5, COUNT(*))::int + LEAST(5, SUM(amount) / 100)::int, 'regular', NOW()
      FROM payment_transactions
     WHERE status = 'completed'
     GROUP BY tenant_id, user_id, venue_id
    ON CONFLICT (customer_id, venue_id) DO UPDATE SET total_score = EXCLUDED.total_score, calculated_at = NOW()
  `);
  await db.raw(`
    INSERT INTO customer_lifetime_value (tenant_id, customer_id, venue_id, clv, calculated_at)
    SELECT tenant_id, customer_id, MIN(venue_id::text)::uuid, SUM(monetary_score) * 25, NOW()
      FROM customer_rfm_scores
     GROUP BY tenant_id, customer_id
    ON CONFLICT (customer_id) DO UPDATE SET clv = EXCLUDED.clv, calculated_at = NOW()
  `);
}
