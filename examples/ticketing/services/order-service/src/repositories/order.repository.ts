import { forTenant } from "../db/database";

export interface Line {
  ticketTypeId: string;
  quantity: number;
  unitPriceCents: number;
}

export async function createOrder(tenantId: string, userId: string, eventId: string, lines: Line[], idempotencyKey: string) {
  const subtotal = lines.reduce((sum, line) => sum + line.quantity * line.unitPriceCents, 0);
  return forTenant(tenantId, async (trx) => {
    const earlier = await trx("orders").where({ idempotency_key: idempotencyKey }).first();
    if (earlier) return earlier;

    const [order] = await trx("orders")
      .insert({
        tenant_id: tenantId,
        user_id: userId,
        event_id: eventId,
        order_number: trx.raw("generate_order_number()"),
        subtotal_cents: subtotal,
        total_cents: subtotal,
        idempotency_key: idempotencyKey,
        expires_at: trx.raw("NOW() + INTERVAL '30 minutes'"),
      })
      .returning("*");
    await trx("order_items").insert(
      lines.map((line) => ({
        tenant_id: tenantId,
        order_id: order.id,
        ticket_type_id: line.ticketTypeId,
        quantity: line.quantity,
        unit_price_cents: line.unitPriceCents,
        total_price_cents: line.quantity * line.unitPriceCents,
      }))
    );
    return order;
  });
}

export async function findOrder(tenantId: string, id: string) {
  return forTenant(tenantId, async (trx) => {
    const order = await trx("orders").where({ id }).first();
    if (!order) return null;
    const items = await trx("order_items").where({ order_id: id });
    const history = await trx("order_events").where({ order_id: id }).orderBy("created_at");
    return { ...order, items, history };
  });
}

export async function addNote(tenantId: string, orderId: string, adminId: string, content: string): Promise<void> {
  await forTenant(tenantId, (trx) =>
    trx("order_notes").insert({ tenant_id: tenantId, order_id: orderId, admin_user_id: adminId, content })
  );
}
