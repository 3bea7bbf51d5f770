import { db } from '../config/database';

/** Limits are checked outside of the purchase's transaction, so that a rollback does not forget the attempt. */
export async function spentToday(tenantId: string, userId: string): Promise<number> {
  await db.raw('SET app.tenant_id = ?', [tenantId]);
  const row = await db('spending_transactions')
    .where({ user_id: userId })
    .andWhere('created_at', '>=', db.raw("date_trunc('day', NOW())"))
    .sum({ total: 'amount' })
    .first();
  return Number(row?.total ?? 0);
}

export async function recordSpending(tenantId: string, userId: string, amount: number, reference: string): Promise<void> {
  await db.raw('SET app.tenant_id = ?', [tenantId]);
  await db('spending_transactions').insert({ tenant_id: tenantId, user_id: userId, amount, reference });
}

export async function limitsOf(tenantId: string, userId: string) {
  await db.raw(`SET app.tenant_id = '${tenantId}'`);
  return db('spending_limits').where({ user_id: userId, active: true }).first();
}
