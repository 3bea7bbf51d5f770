import { db, forTenant } from "../db/database";

export async function activePolicy(tenantId: string) {
  const policy = await forTenant(tenantId, (trx) => trx("refund_policies").where({ is_active: true }).first());
  if (!policy) return null;
  // The owner's connection reads the rules although nobody wrote a policy for them.
  const rules = await db("refund_policy_rules").where({ policy_id: policy.id }).orderBy("priority");
  return { ...policy, rules };
}

export async function requestRefund(tenantId: string, orderId: string, userId: string, amountCents: number, reason: string) {
  return forTenant(tenantId, (trx) =>
    trx("order_refunds")
      .insert({
        tenant_id: tenantId,
        order_id: orderId,
        refund_amount_cents: amountCents,
        refund_reason: reason,
        initiated_by: userId,
      })
      .returning("id")
  );
}

export async function openDispute(orderId: string, disputeId: string, reason: string, amountCents: number): Promise<void> {
  await db("order_disputes").insert({ order_id: orderId, dispute_id: disputeId, reason, status: "open", amount_cents: amountCents });
}
