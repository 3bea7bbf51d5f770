import { createHash } from 'node:crypto';
import { NextFunction, Request, Response } from 'express';
import { db } from '../config/database';

export interface KeyedRequest extends Request {
  tenantId?: string;
  permissions?: string[];
}

/** The key tells the tenant: it is looked up over all tenants. */
export async function apiKey(req: KeyedRequest, res: Response, next: NextFunction): Promise<void> {
  const given = req.header('x-api-key');
  if (!given) return next();

  const keyHash = createHash('sha256').update(given).digest('hex');
  const row = await db('api_keys').where({ key_hash: keyHash, is_active: true }).first();
  if (!row) {
    res.status(401).json({ error: 'unknown api key' });
    return;
  }
  await db('api_keys').where({ id: row.id }).update({ last_used_at: db.fn.now() });
  req.tenantId = row.tenant_id;
  req.permissions = row.permissions;
  next();
}
