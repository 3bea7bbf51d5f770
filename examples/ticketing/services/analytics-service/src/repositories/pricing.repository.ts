import { db } from '../db/session';

export async function proposePrice(eventId: string, currentCents: number, recommendedCents: number, confidence: number) {
  await db('pending_price_changes')
    .insert({
      event_id: eventId,
      current_price_cents: currentCents,
      recommended_price_cents: recommendedCents,
      confidence,
    })
    .onConflict('event_id')
    .merge();
}

export async function approvePrice(eventId: string, userId: string): Promise<void> {
  await db.transaction(async (trx) => {
    const [change] = await trx('pending_price_changes')
      .where({ event_id: eventId })
      .update({ approved_by: userId, approved_at: trx.fn.now() })
      .returning('*');
    await trx('price_history').insert({
      event_id: eventId,
      old_price_cents: change.current_price_cents,
      new_price_cents: change.recommended_price_cents,
      reason: 'recommended',
      changed_by: userId,
    });
  });
}

export async function priceHistory(eventId: string) {
  return db('price_history').where({ event_id: eventId }).orderBy('changed_at', 'desc');
}
