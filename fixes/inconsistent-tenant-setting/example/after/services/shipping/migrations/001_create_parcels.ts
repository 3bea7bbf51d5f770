import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('parcels', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants').onDelete('RESTRICT').index();
    table.string('address').notNullable();
  });
  await knex.raw(`
    CREATE POLICY parcels_tenant ON parcels
      USING (tenant_id = current_setting('app.current_tenant', true)::uuid)
  `);
  await knex.raw('ALTER TABLE parcels ENABLE ROW LEVEL SECURITY');
  await knex.raw('ALTER TABLE parcels FORCE ROW LEVEL SECURITY');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('parcels');
}
