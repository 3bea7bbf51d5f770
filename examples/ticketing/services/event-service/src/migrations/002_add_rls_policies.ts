import type { Knex } from 'knex';
import { TENANT_SETTING, TENANT_TABLES } from '../config/tenancy';

const MATCH = `tenant_id = current_setting('${TENANT_SETTING}', true)::uuid`;

const OPERATIONS = [
    { operation: 'SELECT', clause: `USING (${MATCH})` },
    { operation: 'INSERT', clause: `WITH CHECK (${MATCH})` },
    { operation: 'UPDATE', clause: `USING (${MATCH}) WITH CHECK (${MATCH})` },
    { operation: 'DELETE', clause: `USING (${MATCH})` },
];

export async function up(knex: Knex): Promise<void> {
    // Exports and support tooling log in as this role.
    await knex.raw(`
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'event_service_admin') THEN
                CREATE ROLE event_service_admin NOLOGIN BYPASSRLS;
            END IF;
        END $$;
    `);

    for (const table of TENANT_TABLES) {
        await knex.raw(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
        for (const { operation, clause } of OPERATIONS) {
            const policy = `${table}_tenant_${operation.toLowerCase()}`;
            await knex.raw(`CREATE POLICY ${policy} ON ${table} FOR ${operation} ${clause}`);
        }
        await knex.raw('GRANT SELECT ON ?? TO event_service_admin', [table]);
    }
}

export async function down(knex: Knex): Promise<void> {
    for (const table of TENANT_TABLES) {
        for (const { operation } of OPERATIONS) {
            await knex.raw(`DROP POLICY IF EXISTS ${table}_tenant_${operation.toLowerCase()} ON ${table}`);
        }
        await knex.raw(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`);
        await knex.raw('REVOKE SELECT ON ?? FROM event_service_admin', [table]);
    }
    await knex.raw('DROP ROLE IF EXISTS event_service_admin');
}
