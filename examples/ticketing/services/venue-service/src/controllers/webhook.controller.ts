import { Request, Response } from 'express';
import { db } from '../config/database';

/** Senders know nothing about tenants; the worker finds out which one it is. */
export async function receiveWebhook(req: Request, res: Response): Promise<void> {
  await db('webhook_events')
    .insert({
      event_id: req.body.id,
      event_type: req.body.type,
      source: req.params.source,
      payload: req.body,
      source_ip: req.ip,
    })
    .onConflict('event_id')
    .ignore();
  res.status(202).end();
}
