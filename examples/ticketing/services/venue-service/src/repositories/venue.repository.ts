import { withTenant } from '../config/database';

export interface Venue {
  id: string;
  name: string;
  slug: string;
  max_capacity: number;
  status: string;
}

export async function listVenues(tenantId: string): Promise<Venue[]> {
  return withTenant(tenantId, (trx) => trx('venues').whereNull('deleted_at').orderBy('name'));
}

export async function getVenue(tenantId: string, id: string) {
  return withTenant(tenantId, async (trx) => {
    const venue = await trx('venues').where({ id }).first();
    if (!venue) return null;
    const settings = await trx('venue_settings').where({ venue_id: id }).first();
    const layouts = await trx('venue_layouts').where({ venue_id: id });
    return { ...venue, settings, layouts };
  });
}

export async function addLayout(tenantId: string, venueId: string, name: string, sections: unknown[], capacity: number) {
  return withTenant(tenantId, (trx) =>
    trx('venue_layouts')
      .insert({ tenant_id: tenantId, venue_id: venueId, name, sections: JSON.stringify(sections), total_capacity: capacity })
      .returning('*')
  );
}

export async function recordChange(tenantId: string, venueId: string, userId: string, action: string, changes: object) {
  await withTenant(tenantId, (trx) =>
    trx('venue_audit_log').insert({ tenant_id: tenantId, venue_id: venueId, user_id: userId, action, changes })
  );
}
