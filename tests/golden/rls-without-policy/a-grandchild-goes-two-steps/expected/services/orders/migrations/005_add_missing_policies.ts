import type { Knex } from 'knex';

/**
 * Follow-up migration for orders, planned by remediate: changes 1 object.
 * Review before running: it is not known to be safe, for the reasons given below.
 *
 * Row level security is on, but the table has no policy (rls-without-policy). Row level security
 * without a policy denies everything to everybody but the owner.
 * - public.refund_steps (services/orders/migrations/002_create_refunds.ts:24)
 *   - A first policy opens rows to roles that reached none before, so somebody has to confirm whom it
 *     lets in.
 *
 * Runs in one transaction: if it fails, nothing of it has happened.
 * Locks ACCESS EXCLUSIVE on public.refund_steps: held until the end of the transaction, which Knex
 * shares with all other pending files. Waits at most 5s for each.
 */
export const config = { transaction: true };

export async function up(knex: Knex): Promise<void> {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // public.refund_steps
  await knex.raw(`
    CREATE POLICY tenant_isolation ON public.refund_steps
      USING (EXISTS (
        SELECT 1 FROM public.refund_policy_rules AS parent_1, public.refund_policies AS parent_2
        WHERE parent_1.id = public.refund_steps.rule_id
          AND parent_2.id = parent_1.policy_id
          AND parent_2.tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid)
      ))
  `);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}

export async function down(knex: Knex): Promise<void> {
  // Gives up rather than queue behind a long query. What was set before holds again at the end.
  await knex.raw(`
    SELECT set_config('remediate.lock_timeout', current_setting('lock_timeout'), true)
  `);
  await knex.raw(`SELECT set_config('lock_timeout', '5s', true)`);

  // public.refund_steps
  await knex.raw(`DROP POLICY tenant_isolation ON public.refund_steps`);

  await knex.raw(`
    SELECT set_config('lock_timeout', NULLIF(current_setting('remediate.lock_timeout', true), ''), true)
  `);
}
