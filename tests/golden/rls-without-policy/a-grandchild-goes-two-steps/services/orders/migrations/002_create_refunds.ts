import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('refund_policies', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
    table.string('name').notNullable();
  });
  await knex.raw(`ALTER TABLE refund_policies ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE refund_policies FORCE ROW LEVEL SECURITY`);
  await knex.raw(`
    CREATE POLICY tenant_isolation ON refund_policies
      USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid)
  `);
  await knex.schema.createTable('refund_policy_rules', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('policy_id').notNullable().references('id').inTable('refund_policies');
    table.integer('percentage');
  });
  await knex.schema.createTable('refund_steps', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('rule_id').notNullable().references('id').inTable('refund_policy_rules');
  });
  await knex.raw('ALTER TABLE refund_steps ENABLE ROW LEVEL SECURITY');
  await knex.raw('ALTER TABLE refund_steps FORCE ROW LEVEL SECURITY');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('refund_steps');
  await knex.schema.dropTable('refund_policy_rules');
  await knex.schema.dropTable('refund_policies');
}
