import { createHmac, timingSafeEqual } from 'node:crypto';

const secret = process.env.TOKEN_SECRET || 'development-only';

const sign = (payload: string): string => createHmac('sha256', secret).update(payload).digest('base64url');

export function issueToken(claims: { userId: string; tenantId: string }): string {
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
  return `${payload}.${sign(payload)}`;
}

export function verifyToken(token: string): { userId: string; tenantId: string } | undefined {
  const [payload, signature] = token.split('.');
  if (!payload || !signature) return undefined;
  const expected = Buffer.from(sign(payload));
  const given = Buffer.from(signature);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
}
