import { randomBytes, createHash } from 'node:crypto';
import { db } from '../config/database';
import { issueToken } from './tokens';

interface Session {
  accessToken: string;
  refreshToken: string;
  venues: Array<{ venueId: string; role: string }>;
}

type CheckPassword = (given: string, hash: string) => Promise<boolean>;

/** The account decides the tenant, so all of this runs without one. */
export async function login(email: string, password: string, check: CheckPassword): Promise<Session | null> {
  const user = await db('users').whereRaw('LOWER(email) = ?', [email.toLowerCase()]).whereNull('deleted_at').first();
  if (!user || !user.password_hash) return null;

  if (!(await check(password, user.password_hash))) {
    await db('users').where({ id: user.id }).increment('failed_login_attempts', 1);
    return null;
  }
  await db('users').where({ id: user.id }).update({ failed_login_attempts: 0, last_login_at: db.fn.now() });
  return openSession(user.id, user.tenant_id);
}

export async function loginWithWallet(network: string, address: string): Promise<Session | null> {
  const wallet = await db('wallet_connections').where({ network, wallet_address: address, verified: true }).first();
  return wallet ? openSession(wallet.user_id, wallet.tenant_id) : null;
}

export async function loginWithProvider(provider: string, providerUserId: string): Promise<Session | null> {
  const link = await db('oauth_connections').where({ provider, provider_user_id: providerUserId }).first();
  return link ? openSession(link.user_id, link.tenant_id) : null;
}

export async function loginWithPasskey(credentialId: string, counter: number): Promise<Session | null> {
  const credential = await db('biometric_credentials').where({ credential_id: credentialId }).first();
  if (!credential || counter <= credential.counter) return null;
  await db('biometric_credentials').where({ credential_id: credentialId }).update({ counter });
  return openSession(credential.user_id, credential.tenant_id);
}

export async function refresh(refreshToken: string): Promise<Session | null> {
  const hash = createHash('sha256').update(refreshToken).digest('hex');
  const session = await db('user_sessions').where({ refresh_token_hash: hash }).whereNull('revoked_at').first();
  if (!session) return null;
  await db('user_sessions').where({ id: session.id }).update({ revoked_at: db.fn.now() });
  await db('token_refresh_log').insert({ tenant_id: session.tenant_id, user_id: session.user_id });
  return openSession(session.user_id, session.tenant_id);
}

async function openSession(userId: string, tenantId: string): Promise<Session> {
  const refreshToken = randomBytes(32).toString('base64url');
  await db('user_sessions').insert({
    tenant_id: tenantId,
    user_id: userId,
    refresh_token_hash: createHash('sha256').update(refreshToken).digest('hex'),
    expires_at: db.raw("NOW() + INTERVAL '14 days'"),
  });
  const roles = await db('user_venue_roles').where({ user_id: userId, is_active: true }).select('venue_id', 'role');
  return {
    accessToken: issueToken({ userId, tenantId }),
    refreshToken,
    venues: roles.map((row) => ({ venueId: row.venue_id, role: row.role })),
  };
}
