import { withoutIsolation } from '../db/context';

type Handler = (job: { id: string; tenant_id: string; type: string; payload: unknown }) => Promise<void>;

export async function runJobs(handle: Handler): Promise<void> {
  await withoutIsolation(async (db) => {
    const jobs = await db('background_jobs').where({ status: 'queued' }).andWhere('run_at', '<=', db.fn.now()).limit(20);
    for (const job of jobs) {
      await handle(job);
      await db('background_jobs').where({ id: job.id }).update({ status: 'done' });
    }
  });
}

export async function processInbox(apply: (payload: unknown) => Promise<void>): Promise<void> {
  await withoutIsolation(async (db) => {
    const batch = await db('webhook_inbox').where({ status: 'pending' }).orderBy('created_at').limit(50);
    for (const webhook of batch) {
      await apply(webhook.payload);
      await db('webhook_inbox').where({ id: webhook.id }).update({ status: 'done' });
    }
  });
}

/** Nightly: what each venue is owed. */
export async function settle(): Promise<void> {
  await withoutIsolation(async (db) => {
    await db.raw(`
      INSERT INTO settlement_batches (tenant_id, venue_id, total_amount)
      SELECT tenant_id, venue_id, SUM(venue_payout)
        FROM payment_transactions
       WHERE status = 'completed' AND created_at >= CURRENT_DATE - 1
       GROUP BY tenant_id, venue_id
    `);
    await db('payment_escrows').where({ status: 'funded' }).andWhere('release_at', '<', db.fn.now()).update({ status: 'released' });
    const due = await db('pending_transfers').where('next_retry_at', '<', db.fn.now()).limit(100);
    for (const transfer of due) {
      await db('pending_transfers').where({ id: transfer.id }).increment('retry_count', 1);
    }
  });
}
