export const up = async (knex) => {
  await knex.raw('CREATE TABLE tenants (id uuid PRIMARY KEY)');
  await knex.raw('CREATE TABLE customers (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants)');
  await knex.raw('CREATE TABLE invoices (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants)');
  await knex.raw('ALTER TABLE customers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
  await knex.raw(`
    CREATE POLICY tenant_isolation ON customers
      USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid)
  `);
};

export const down = async (knex) => {
  await knex.raw('DROP TABLE invoices, customers, tenants');
};
