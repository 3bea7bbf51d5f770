import { db, setTenant } from '../db/connection';

export async function reconcile(tenantId: string, ownerOnChain: (mint: string) => Promise<string | null>): Promise<number> {
  await setTenant(tenantId);
  const [run] = await db('reconciliation_runs').insert({ tenant_id: tenantId }).returning('id');
  const tickets = await db('tickets').where({ tenant_id: tenantId }).whereNotNull('token_mint').select('id', 'token_mint', 'user_id');

  let found = 0;
  for (const ticket of tickets) {
    const owner = await ownerOnChain(ticket.token_mint);
    if (owner === ticket.user_id) continue;
    found += 1;
    await db('ownership_discrepancies').insert({
      tenant_id: tenantId,
      ticket_id: ticket.id,
      discrepancy_type: 'owner',
      database_value: ticket.user_id,
      blockchain_value: owner,
    });
  }
  await db('reconciliation_runs')
    .where({ id: run.id })
    .update({ status: 'COMPLETED', completed_at: db.fn.now(), tickets_checked: tickets.length, discrepancies_found: found });
  return found;
}
