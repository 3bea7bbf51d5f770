import { NextFunction, Request, Response } from 'express';
import type { Knex } from 'knex';
import { db } from '../config/database';

export interface TenantRequest extends Request {
  auth?: { userId: string; tenantId: string };
  trx?: Knex.Transaction;
}

/** Opens the request's transaction and names its tenant; every repository behind it takes `req.trx`. */
export async function tenantContext(req: TenantRequest, res: Response, next: NextFunction): Promise<void> {
  if (!req.auth) {
    res.status(401).json({ error: 'not authenticated' });
    return;
  }
  const { tenantId, userId } = req.auth;
  const trx = await db.transaction();
  try {
    await trx.raw("SELECT set_config('app.current_tenant_id', ?, true)", [tenantId]);
    await trx.raw("SELECT set_config('app.current_user_id', ?, true)", [userId]);
  } catch (error) {
    await trx.rollback();
    next(error);
    return;
  }
  req.trx = trx;
  res.on('finish', () => {
    void (res.statusCode < 500 ? trx.commit() : trx.rollback());
  });
  next();
}
