import { withTenant } from '../config/database';

export async function findTickets(tenantId: string, userId: string) {
  return withTenant(tenantId, (trx) => trx('tickets').where({ user_id: userId }).whereNull('deleted_at'));
}

export async function changeStatus(tenantId: string, ticketId: string, status: string, reason: string): Promise<void> {
  await withTenant(tenantId, async (trx) => {
    await trx.raw("SELECT set_config('app.status_change_reason', ?, true)", [reason]);
    await trx('tickets').where({ id: ticketId }).update({ status });
    await trx('ticket_audit_log').insert({ tenant_id: tenantId, ticket_id: ticketId, action: `status:${status}` });
  });
}

export async function ticketTypes(tenantId: string, eventId: string) {
  return withTenant(tenantId, (trx) => trx('ticket_types').where({ event_id: eventId }).orderBy('price_cents'));
}

export async function bundles(tenantId: string, eventId: string) {
  return withTenant(tenantId, (trx) =>
    trx('ticket_bundles as b')
      .leftJoin('ticket_bundle_items as i', 'i.bundle_id', 'b.id')
      .where('b.event_id', eventId)
      .select('b.*', 'i.ticket_type_id', 'i.quantity')
  );
}

export async function joinWaitlist(tenantId: string, eventId: string, userId: string, quantity: number): Promise<void> {
  await withTenant(tenantId, (trx) =>
    trx('waitlist')
      .insert({ tenant_id: tenantId, event_id: eventId, user_id: userId, quantity })
      .onConflict(['event_id', 'user_id'])
      .ignore()
  );
}
