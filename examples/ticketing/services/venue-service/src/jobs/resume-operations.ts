import { db } from '../config/database';

/** Picks up what a crashed worker left half done, whoever it belongs to. */
export async function resumeOperations(resume: (operation: { id: string; current_step: number }) => Promise<void>): Promise<void> {
  const stuck = await db('venue_operations')
    .where({ status: 'in_progress' })
    .andWhere('updated_at', '<', db.raw("NOW() - INTERVAL '15 minutes'"));
  for (const operation of stuck) {
    await resume(operation);
  }
}

export async function flushEmailQueue(send: (row: { id: string; to_email: string }) => Promise<void>): Promise<void> {
  const batch = await db('email_queue').where({ status: 'pending' }).orderBy('created_at').limit(100);
  await Promise.all(batch.map((row) => send(row)));
}
