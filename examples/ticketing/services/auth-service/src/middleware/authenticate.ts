import { createHash } from 'node:crypto';
import { NextFunction, Response } from 'express';
import { db } from '../config/database';
import { TenantRequest } from './tenant-context';
import { verifyToken } from '../services/tokens';

export async function authenticate(req: TenantRequest, res: Response, next: NextFunction): Promise<void> {
  const token = req.header('authorization')?.replace(/^Bearer /, '');
  if (!token) return next();

  // Runs on every request, before anybody knows the tenant.
  const tokenHash = createHash('sha256').update(token).digest('hex');
  const revoked = await db('invalidated_tokens').where({ token_hash: tokenHash }).first('token_hash');
  if (revoked) {
    res.status(401).json({ error: 'token revoked' });
    return;
  }
  req.auth = verifyToken(token);
  next();
}
