import type { Knex } from 'knex';

exports.up = async function (knex: Knex): Promise<void> {
  await knex.schema.createTable('venue_analytics', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    t.uuid('venue_id').notNullable();
    t.date('date').notNullable().index();
    t.integer('page_views').notNullable().defaultTo(0);
    t.integer('tickets_sold').notNullable().defaultTo(0);
    t.decimal('revenue', 12, 2).notNullable().defaultTo(0);
    t.timestamps(true, true);
    t.unique(['venue_id', 'date']);
    t.index(['venue_id', 'date']);
  });

  await knex.schema.createTable('event_analytics', (t) => {
    t.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    t.uuid('event_id').notNullable();
    t.date('date').notNullable().index();
    t.integer('page_views').notNullable().defaultTo(0);
    t.integer('tickets_sold').notNullable().defaultTo(0);
    t.decimal('revenue', 12, 2).notNullable().defaultTo(0);
    t.decimal('conversion_rate', 5, 4);
    t.timestamps(true, true);
    t.unique(['event_id', 'date']);
    t.index(['event_id', 'date']);
  });

  await knex.raw('ALTER TABLE venue_analytics ENABLE ROW LEVEL SECURITY');
  await knex.raw('ALTER TABLE event_analytics ENABLE ROW LEVEL SECURITY');

  await knex.raw(`
    CREATE POLICY tenant_isolation_policy ON venue_analytics
    USING (venue_id::text = current_setting('app.current_tenant', true))
  `);
  await knex.raw(`
    CREATE POLICY tenant_isolation_policy ON event_analytics
    USING (
      event_id IN (
        SELECT id FROM events
        WHERE venue_id::text = current_setting('app.current_tenant', true)
      )
    )
  `);
};

exports.down = async function (knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('event_analytics');
  await knex.schema.dropTableIfExists('venue_analytics');
};
