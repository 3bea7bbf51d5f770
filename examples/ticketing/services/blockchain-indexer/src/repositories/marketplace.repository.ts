import { db, setTenant } from '../db/connection';

export async function recordSale(tenantId: string, sale: { tokenId: string; marketplace: string; price: string; signature: string }) {
  await setTenant(tenantId);
  await db('marketplace_activity').insert({
    tenant_id: tenantId,
    token_id: sale.tokenId,
    marketplace: sale.marketplace,
    activity_type: 'sale',
    price: sale.price,
    transaction_signature: sale.signature,
  });
}

export async function recentSales(tenantId: string, limit = 50) {
  await setTenant(tenantId);
  return db('marketplace_activity').where({ activity_type: 'sale' }).orderBy('block_time', 'desc').limit(limit);
}
