import { forTenant } from "../db/database";

/** Codes of organisers belong to ticket-service, promo codes to us; the cart does not mind. */
export async function discountFor(tenantId: string, code: string, subtotalCents: number): Promise<number> {
  return forTenant(tenantId, async (trx) => {
    const promo = await trx("promo_codes").where({ code }).first();
    if (promo) {
      return promo.discount_type === "PERCENTAGE"
        ? Math.floor((subtotalCents * promo.discount_value) / 100)
        : Math.min(subtotalCents, promo.discount_value);
    }
    const discount = await trx("discounts").where({ code, tenant_id: tenantId, active: true }).first();
    return discount ? Math.floor((subtotalCents * Number(discount.value)) / 100) : 0;
  });
}
