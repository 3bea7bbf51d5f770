import { asTenant, asVenue } from '../db/context';

export interface Charge {
  venueId: string;
  userId: string;
  eventId: string;
  orderId: string;
  amount: string;
  currency: string;
}

export async function recordCharge(tenantId: string, charge: Charge): Promise<string> {
  return asTenant(tenantId, async (trx) => {
    // The order has to be there and unpaid before money moves.
    const order = await trx('orders').where({ id: charge.orderId }).first('id', 'payment_status');
    if (!order || order.payment_status === 'paid') throw new Error(`order ${charge.orderId} cannot be charged`);

    const [row] = await trx('payment_transactions')
      .insert({
        tenant_id: tenantId,
        venue_id: charge.venueId,
        user_id: charge.userId,
        event_id: charge.eventId,
        order_id: charge.orderId,
        amount: charge.amount,
        currency: charge.currency,
      })
      .returning('id');
    await trx('payment_audit_log').insert({ tenant_id: tenantId, action: 'charge', payment_id: row.id });
    return row.id;
  });
}

export async function requestRefund(tenantId: string, transactionId: string, amount: string, reason: string) {
  return asTenant(tenantId, (trx) =>
    trx('payment_refunds').insert({ tenant_id: tenantId, transaction_id: transactionId, amount, reason }).returning('id')
  );
}

export async function chargebacks(tenantId: string) {
  return asTenant(tenantId, (trx) => trx('payment_chargebacks').where({ status: 'received' }).orderBy('created_at'));
}

export async function balances(venueId: string) {
  return asVenue(venueId, (trx) => trx('venue_balances').where({ venue_id: venueId }));
}

export async function taxForm(tenantId: string, userId: string, year: number) {
  return asTenant(tenantId, (trx) => trx('tax_forms_1099da').where({ user_id: userId, tax_year: year }).first());
}
