import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE tenants (id uuid PRIMARY KEY);
    CREATE TABLE customers (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants);
    CREATE TABLE "Invoices" (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants);
    CREATE TABLE "order" (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants);
  `);
  await knex.raw(`
    DO $$
    DECLARE
      name text;
    BEGIN
      FOREACH name IN ARRAY ARRAY['customers', 'Invoices', 'order'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
          'CREATE POLICY tenant_isolation ON %I USING (tenant_id = NULLIF(current_setting(%L, true), %L)::uuid)',
          name, 'app.current_tenant_id', ''
        );
      END LOOP;
    END
    $$
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE customers, "Invoices", "order", tenants');
}
