exports.up = (knex) =>
  knex.schema.createTable('invoices', (table) => {
    table.increments('id');
    table.integer('tenant_id').notNullable().references('tenants.id');
    table.integer('cents').notNullable();
  });

exports.down = (knex) => knex.schema.dropTable('invoices');
