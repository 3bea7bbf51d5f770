import type { Pool } from 'pg';

export async function up(pool: Pool): Promise<void> {
  await pool.query(`
    CREATE FUNCTION tenant_url(text) RETURNS text LANGUAGE sql STABLE AS $$
      SELECT regexp_replace($1, '^https\\?://', '') || current_setting('app.current_tenant', true)
    $$
  `);
}

export async function down(pool: Pool): Promise<void> {
  await pool.query('DROP FUNCTION tenant_url(text)');
}
