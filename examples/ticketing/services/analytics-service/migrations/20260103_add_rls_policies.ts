import type { Knex } from 'knex';

// Hardening of what leaves the platform: exports, reports and shared dashboards.
const TABLES = ['analytics_exports', 'analytics_reports', 'analytics_events', 'dashboard_shares'];

const OPERATIONS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;

const MATCHES = `tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid`;

function clause(operation: (typeof OPERATIONS)[number]): string {
  if (operation === 'INSERT') return `WITH CHECK (${MATCHES})`;
  if (operation === 'UPDATE') return `USING (${MATCHES}) WITH CHECK (${MATCHES})`;
  return `USING (${MATCHES})`;
}

exports.up = async function (knex: Knex): Promise<void> {
  for (const table of TABLES) {
    if (!(await knex.schema.hasTable(table))) {
      console.log(`${table} is not there, skipped`);
      continue;
    }
    await knex.raw(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
    await knex.raw(`ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`);
    for (const operation of OPERATIONS) {
      await knex.raw(
        `CREATE POLICY ${table}_${operation.toLowerCase()}_tenant ON ${table} FOR ${operation} ${clause(operation)}`
      );
    }
  }
};

exports.down = async function (knex: Knex): Promise<void> {
  for (const table of TABLES) {
    if (!(await knex.schema.hasTable(table))) continue;
    for (const operation of OPERATIONS) {
      await knex.raw(`DROP POLICY IF EXISTS ${table}_${operation.toLowerCase()}_tenant ON ${table}`);
    }
    await knex.raw(`ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`);
  }
};
