import type { Pool } from 'pg';

export async function up(pool: Pool): Promise<void> {
  await pool.query('CREATE TABLE tenants (id uuid PRIMARY KEY)');
  await pool.query('CREATE TABLE customers (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants)');
  await pool.query('CREATE TABLE invoices (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants)');
  await pool.query('ALTER TABLE customers ENABLE ROW LEVEL SECURITY');
  await pool.query(
    "CREATE POLICY mine ON customers USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid)",
  );
}

export async function down(pool: Pool): Promise<void> {
  await pool.query('DROP TABLE invoices, customers, tenants');
}
