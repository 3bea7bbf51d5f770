import type { Knex } from 'knex';

const TABLES = [
  'indexer_state',
  'indexed_transactions',
  'wallet_activity',
  'marketplace_events',
  'nft_ownership',
  'reconciliation_runs',
  'reconciliation_log',
];

async function up(knex: Knex): Promise<void> {
  for (const name of TABLES) {
    const found = await knex.raw(
      `SELECT EXISTS (
         SELECT 1 FROM information_schema.tables WHERE table_schema = 'public' AND table_name = ?
       ) AS present`,
      [name]
    );
    if (!found.rows[0].present) continue;

    await knex.raw(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
    await knex.raw(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
    await knex.raw(`DROP POLICY IF EXISTS ${name}_tenant_isolation ON ${name}`);
    await knex.raw(`
      CREATE POLICY ${name}_tenant_isolation ON ${name}
        FOR ALL
        USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
        WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
    `);
  }
}

async function down(knex: Knex): Promise<void> {
  for (const name of [...TABLES].reverse()) {
    await knex.raw(`
      DO $$
      BEGIN
        EXECUTE 'DROP POLICY IF EXISTS ${name}_tenant_isolation ON ${name}';
        EXECUTE 'ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY';
      EXCEPTION WHEN undefined_table THEN
        NULL;
      END $$
    `);
  }
}

module.exports = { up, down };
