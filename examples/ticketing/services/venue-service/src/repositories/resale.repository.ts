import { withTenant } from '../config/database';

export async function resalePolicy(tenantId: string, venueId: string, eventId?: string) {
  return withTenant(tenantId, (trx) =>
    trx('resale_policies')
      .where({ venue_id: venueId })
      .where((q) => q.where({ event_id: eventId ?? null }).orWhereNull('event_id'))
      .orderByRaw('event_id NULLS LAST')
      .first()
  );
}

export async function recordTransfer(tenantId: string, transfer: Record<string, unknown>) {
  await withTenant(tenantId, (trx) => trx('transfer_history').insert({ ...transfer, tenant_id: tenantId }));
}

export async function sellerStatus(tenantId: string, venueId: string, userId: string): Promise<string> {
  const row = await withTenant(tenantId, (trx) =>
    trx('seller_verifications').where({ venue_id: venueId, user_id: userId }).first('status')
  );
  return row?.status ?? 'unverified';
}
