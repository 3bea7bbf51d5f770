exports.up = async function (knex) {
  await knex.raw('CREATE TABLE tenants (id bigint PRIMARY KEY)');
  await knex.raw('CREATE TABLE customers (id bigint PRIMARY KEY, tenant_id bigint NOT NULL REFERENCES tenants)');
  await knex.raw('CREATE TABLE cards (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers)');
  await knex.raw('ALTER TABLE customers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
  await knex.raw(
    "CREATE POLICY mine ON customers USING (tenant_id = current_setting('app.current_tenant_id', true)::bigint)",
  );
};

exports.down = async function (knex) {
  await knex.raw('DROP TABLE cards, customers, tenants');
};
