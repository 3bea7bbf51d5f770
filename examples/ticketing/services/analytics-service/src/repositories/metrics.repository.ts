import { useTenant } from '../db/session';

export async function recordMetric(tenantId: string, metric: { type: string; entityType: string; entityId: string; value: number }) {
  const db = await useTenant(tenantId);
  await db('analytics_metrics').insert({
    tenant_id: tenantId,
    metric_type: metric.type,
    entity_type: metric.entityType,
    entity_id: metric.entityId,
    value: metric.value,
    timestamp: new Date(),
  });
}

export async function dashboards(tenantId: string) {
  const db = await useTenant(tenantId);
  const boards = await db('analytics_dashboards').where({ tenant_id: tenantId }).orderBy('name');
  const widgets = await db('analytics_widgets').whereIn('dashboard_id', boards.map((board) => board.id));
  return boards.map((board) => ({ ...board, widgets: widgets.filter((widget) => widget.dashboard_id === board.id) }));
}

export async function segments(tenantId: string, venueId: string) {
  const db = await useTenant(tenantId);
  return db('customer_segments').where({ venue_id: venueId });
}
