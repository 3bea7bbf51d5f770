import type { Knex } from 'knex';

const TENANT = `current_setting('app.current_tenant_id', true)::uuid`;

interface Isolated {
  table: string;
  condition: string;
}

const ISOLATED: Isolated[] = [
  { table: 'venues', condition: `tenant_id = ${TENANT}` },
  { table: 'venue_settings', condition: ownedThroughVenue('venue_settings') },
  { table: 'venue_integrations', condition: ownedThroughVenue('venue_integrations') },
  { table: 'venue_audit_log', condition: `tenant_id = ${TENANT}` },
];

function ownedThroughVenue(table: string): string {
  return `EXISTS (SELECT 1 FROM venues v WHERE v.id = ${table}.venue_id AND v.tenant_id = ${TENANT})`;
}

export async function up(knex: Knex): Promise<void> {
  await knex.raw('DROP POLICY IF EXISTS venue_tenant_isolation ON venues');

  for (const { table, condition } of ISOLATED) {
    await knex.raw(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
    await knex.raw(`DROP POLICY IF EXISTS ${table}_tenant_isolation ON ${table}`);
    await knex.raw(`
      CREATE POLICY ${table}_tenant_isolation ON ${table}
        FOR ALL
        USING (${condition})
        WITH CHECK (${condition})
    `);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const { table } of ISOLATED) {
    await knex.raw(`DROP POLICY IF EXISTS ${table}_tenant_isolation ON ${table}`);
    if (table !== 'venues') {
      await knex.raw(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`);
    }
  }
  await knex.raw(`CREATE POLICY venue_tenant_isolation ON venues FOR ALL USING (tenant_id = ${TENANT})`);
}
