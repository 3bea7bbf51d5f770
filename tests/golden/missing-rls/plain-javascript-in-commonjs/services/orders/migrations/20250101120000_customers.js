exports.up = async function (knex) {
  await knex.schema.createTable('tenants', (table) => {
    table.increments('id');
  });
  await knex.schema.createTable('customers', (table) => {
    table.increments('id');
    table.integer('tenant_id').notNullable().references('tenants.id');
  });
  await knex.raw('ALTER TABLE customers ENABLE ROW LEVEL SECURITY');
  await knex.raw('ALTER TABLE customers FORCE ROW LEVEL SECURITY');
  await knex.raw(`
    CREATE POLICY customers_isolation ON customers
      USING (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::integer))
      WITH CHECK (tenant_id = (SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::integer))
  `);
};

exports.down = async function (knex) {
  await knex.schema.dropTable('customers');
  await knex.schema.dropTable('tenants');
};
