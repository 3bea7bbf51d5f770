import { inTenant, queryAsTenant } from '../db/tenant';

export interface NewEvent {
    venueId: string;
    name: string;
    slug: string;
    startsAt: Date;
    endsAt: Date;
    capacity: number;
    price: string;
}

export async function createEvent(tenantId: string, userId: string, event: NewEvent): Promise<string> {
    return inTenant(tenantId, async (trx) => {
        const [{ id }] = await trx('events')
            .insert({ tenant_id: tenantId, venue_id: event.venueId, name: event.name, slug: event.slug, created_by: userId })
            .returning('id');
        await trx('event_schedules').insert({ tenant_id: tenantId, event_id: id, starts_at: event.startsAt, ends_at: event.endsAt });
        await trx('event_capacity').insert({
            tenant_id: tenantId,
            event_id: id,
            section_name: 'General Admission',
            total_capacity: event.capacity,
            available_capacity: event.capacity,
        });
        await trx('event_pricing').insert({ tenant_id: tenantId, event_id: id, name: 'Standard', base_price: event.price });
        await trx('event_metadata').insert({ tenant_id: tenantId, event_id: id });
        return id;
    });
}

export async function upcoming(tenantId: string, days: number) {
    return queryAsTenant(
        tenantId,
        `SELECT e.id, e.name, s.starts_at
           FROM events e JOIN event_schedules s ON s.event_id = e.id
          WHERE e.deleted_at IS NULL AND s.starts_at < NOW() + make_interval(days => $1)
          ORDER BY s.starts_at`,
        [days]
    );
}

export async function countView(tenantId: string, id: string): Promise<void> {
    await inTenant(tenantId, (trx) => trx('events').where({ id }).increment('view_count', 1));
}
