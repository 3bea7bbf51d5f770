exports.up = async (knex) => {
    await knex.schema.createTable("invoices", (table) => {
        table.increments("id")
        table.integer("tenant_id").notNullable().references("tenants.id")
    })
}

exports.down = async (knex) => {
    await knex.schema.dropTable("invoices")
}
