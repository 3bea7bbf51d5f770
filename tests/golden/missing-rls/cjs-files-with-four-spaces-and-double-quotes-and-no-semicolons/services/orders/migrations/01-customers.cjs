module.exports.up = async (knex) => {
    await knex.schema
        .createTable("tenants", (table) => {
            table.increments("id")
        })
        .createTable("customers", (table) => {
            table.increments("id")
            table.integer("tenant_id").notNullable().references("tenants.id")
        })
    await knex.raw("ALTER TABLE customers ENABLE ROW LEVEL SECURITY")
    await knex.raw("ALTER TABLE customers FORCE ROW LEVEL SECURITY")
    await knex.raw(`CREATE POLICY mine ON customers USING (tenant_id = current_setting('app.current_tenant_id', true)::integer)`)
}

module.exports.down = async (knex) => {
    await knex.schema.dropTable("customers").dropTable("tenants")
}
