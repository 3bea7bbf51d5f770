import { db } from '../config/database';

export async function requestApproval(tenantId: string, requesterId: string, operation: string, payload: object): Promise<string> {
  return db.transaction(async (trx) => {
    await trx.raw("SELECT set_config('app.tenant_id', ?, true)", [tenantId]);
    const [row] = await trx('multisig_approval_requests')
      .insert({
        tenant_id: tenantId,
        requester_id: requesterId,
        operation,
        payload,
        expires_at: trx.raw("NOW() + INTERVAL '1 day'"),
      })
      .returning('id');
    return row.id;
  });
}

export async function approve(requestId: string, approverId: string, signature: string): Promise<number> {
  await db('multisig_approvals').insert({ request_id: requestId, approver_id: approverId, signature });
  const row = await db('multisig_approvals').where({ request_id: requestId }).count({ approvals: '*' }).first();
  return Number(row?.approvals ?? 0);
}
