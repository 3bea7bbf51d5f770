import { withTenant } from '../config/database';

export async function listStaff(tenantId: string, venueId: string) {
  return withTenant(tenantId, (trx) => trx('venue_staff').where({ venue_id: venueId, is_active: true }));
}

export async function addStaff(tenantId: string, venueId: string, userId: string, role: string, addedBy: string) {
  return withTenant(tenantId, (trx) =>
    trx('venue_staff')
      .insert({ tenant_id: tenantId, venue_id: venueId, user_id: userId, role, added_by: addedBy })
      .onConflict(['venue_id', 'user_id'])
      .merge(['role', 'is_active'])
  );
}

export async function mayManage(tenantId: string, venueId: string, userId: string): Promise<boolean> {
  return withTenant(tenantId, async (trx) => {
    const row = await trx('venue_staff').where({ venue_id: venueId, user_id: userId, is_active: true }).first('role');
    return row?.role === 'owner' || row?.role === 'manager';
  });
}
