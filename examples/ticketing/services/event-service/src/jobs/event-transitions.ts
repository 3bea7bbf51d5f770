import { db } from '../db/tenant';

/** Every minute, for the whole platform: what has begun is IN_PROGRESS, what has ended is COMPLETED. */
export async function advanceEvents(): Promise<void> {
    await db.raw(`
        UPDATE events e SET status = 'IN_PROGRESS', status_changed_at = NOW()
          FROM event_schedules s
         WHERE s.event_id = e.id AND e.status = 'PUBLISHED' AND s.starts_at <= NOW()
    `);
    await db.raw(`
        UPDATE events e SET status = 'COMPLETED', status_changed_at = NOW()
          FROM event_schedules s
         WHERE s.event_id = e.id AND e.status = 'IN_PROGRESS' AND s.ends_at <= NOW()
    `);
    await db('idempotency_keys').where('expires_at', '<', db.fn.now()).delete();
}
