import { NextFunction, Request, Response } from 'express';
import { asTenant } from '../db/context';

export async function idempotency(req: Request, res: Response, next: NextFunction): Promise<void> {
  const key = req.header('idempotency-key');
  const tenantId: string | undefined = res.locals.tenantId;
  if (!key || !tenantId) {
    res.status(400).json({ error: 'an Idempotency-Key is required' });
    return;
  }
  const seen = await asTenant(tenantId, (trx) => trx('payment_idempotency').where({ idempotency_key: key }).first('response'));
  if (seen?.response) {
    res.json(seen.response);
    return;
  }
  next();
}
