import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw('CREATE TABLE currencies (code text PRIMARY KEY, tenant_id uuid)');
  await knex.raw('CREATE TABLE events (tenant_id uuid NOT NULL, at date NOT NULL) PARTITION BY RANGE (at)');
  await knex.raw(`ALTER TABLE events ENABLE ROW LEVEL SECURITY`);
  await knex.raw(`ALTER TABLE events FORCE ROW LEVEL SECURITY`);
  await knex.raw(`
    CREATE POLICY tenant_isolation ON events
      USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid)
  `);
  await knex.raw("CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')");
  await knex.raw('CREATE TABLE drafts (id uuid, tenant_id uuid NOT NULL)');
  await knex.raw('CREATE POLICY later ON drafts USING (false)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('drafts');
  await knex.schema.dropTable('events');
  await knex.schema.dropTable('currencies');
}
