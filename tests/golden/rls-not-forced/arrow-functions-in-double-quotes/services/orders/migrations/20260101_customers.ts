import type { Knex } from "knex"

export const up = async (knex: Knex): Promise<void> => {
    await knex.raw("CREATE TABLE tenants (id uuid PRIMARY KEY)")
    await knex.raw("CREATE TABLE customers (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants)")
    await knex.raw("ALTER TABLE customers ENABLE ROW LEVEL SECURITY")
    await knex.raw(
        "CREATE POLICY mine ON customers USING (tenant_id = current_setting('app.current_tenant_id', true)::uuid)",
    )
}

export const down = async (knex: Knex): Promise<void> => {
    await knex.raw("DROP TABLE customers, tenants")
}
