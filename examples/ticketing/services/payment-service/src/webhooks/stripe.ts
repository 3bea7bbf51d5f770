import { Request, Response } from 'express';
import { db } from '../db/context';

const UNASSIGNED = '00000000-0000-0000-0000-000000000000';

/** Stored as it comes; the worker works out which tenant it belongs to. */
export async function stripeWebhook(req: Request, res: Response): Promise<void> {
  await db('webhook_inbox')
    .insert({ tenant_id: UNASSIGNED, provider: 'stripe', webhook_id: req.body.id, payload: req.body })
    .onConflict(['provider', 'webhook_id'])
    .ignore();
  res.json({ received: true });
}
