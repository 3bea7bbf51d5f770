import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // remediate-ignore missing-rls until 2099-12-31: read by the auditors of all tenants, through a role of their own
  await knex.schema.createTable('audit_log', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
    table.string('name').notNullable();
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('audit_log');
}
