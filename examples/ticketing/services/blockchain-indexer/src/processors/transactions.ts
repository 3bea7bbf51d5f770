import { db, setTenant } from '../db/connection';

export interface ChainTransaction {
  signature: string;
  slot: number;
  blockTime: Date;
  instruction: string;
}

export async function store(tenantId: string, tx: ChainTransaction, save: (tx: ChainTransaction) => Promise<void>): Promise<void> {
  await setTenant(tenantId);
  const [row] = await db('indexed_transactions')
    .insert({ tenant_id: tenantId, signature: tx.signature, slot: tx.slot, block_time: tx.blockTime, instruction_type: tx.instruction })
    .onConflict('signature')
    .ignore()
    .returning('id');
  if (!row) return;

  try {
    await save(tx);
  } catch (error) {
    await db('failed_mongodb_writes').insert({
      indexed_transaction_id: row.id,
      collection: 'transactions',
      operation: 'insert',
      document: JSON.stringify(tx),
      error_message: (error as Error).message,
    });
  }
  await db('indexer_state').where({ id: 1 }).update({ last_processed_slot: tx.slot, last_processed_signature: tx.signature });
}
