import knex, { Knex } from 'knex';
import { Pool } from 'pg';
import config from '../../knexfile';

export const db: Knex = knex(config);
export const pool = new Pool({ connectionString: process.env.DATABASE_URL });

export async function inTenant<T>(tenantId: string, work: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
    return db.transaction(async (trx) => {
        await trx.raw(`SELECT set_config('app.current_tenant_id', ?, true)`, [tenantId]);
        return work(trx);
    });
}

/** For the few places that talk to the driver directly. */
export async function queryAsTenant(tenantId: string, text: string, values: unknown[] = []) {
    const client = await pool.connect();
    try {
        await client.query('BEGIN');
        await client.query('SET LOCAL app.current_tenant_id = $1', [tenantId]);
        const result = await client.query(text, values);
        await client.query('COMMIT');
        return result.rows;
    } catch (error) {
        await client.query('ROLLBACK');
        throw error;
    } finally {
        client.release();
    }
}
