import type { Knex } from 'knex';
import { DEFAULT_TENANT } from '../config/tenancy';

const CATEGORIES = ['Music', 'Sports', 'Theater', 'Comedy', 'Arts', 'Family', 'Conference', 'Festival'];

export async function up(knex: Knex): Promise<void> {
    await knex.raw('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"');

    await knex.schema.createTable('event_categories', (table) => {
        table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
        table.uuid('parent_id').references('id').inTable('event_categories').onDelete('SET NULL');
        table.string('name', 100).notNullable();
        table.string('slug', 100).notNullable().unique();
        table.integer('display_order').notNullable().defaultTo(0);
        table.boolean('is_active').notNullable().defaultTo(true);
        table.timestamps(true, true);
    });

    await knex.schema.createTable('events', (table) => {
        table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
        tenant(knex, table);
        table.uuid('venue_id').notNullable().references('id').inTable('venues').onDelete('RESTRICT');
        table.uuid('venue_layout_id').references('id').inTable('venue_layouts').onDelete('SET NULL');
        table.uuid('primary_category_id').references('id').inTable('event_categories').onDelete('SET NULL');
        table.string('name', 300).notNullable();
        table.string('slug', 300).notNullable();
        table.text('description');
        table.string('event_type', 50).notNullable().defaultTo('single');
        table.specificType('tags', 'text[]');
        table.string('status', 50).notNullable().defaultTo('DRAFT');
        table.string('visibility', 50).notNullable().defaultTo('PUBLIC');
        table.boolean('is_featured').notNullable().defaultTo(false);
        table.integer('age_restriction').notNullable().defaultTo(0);
        table.string('banner_image_url', 500);
        table.string('event_pda', 44);
        table.decimal('royalty_percentage', 5, 2);
        table.integer('view_count').notNullable().defaultTo(0);
        table.uuid('created_by').references('id').inTable('users').onDelete('SET NULL');
        table.uuid('updated_by').references('id').inTable('users').onDelete('SET NULL');
        table.timestamps(true, true);
        table.timestamp('deleted_at', { useTz: true });
        table.unique(['venue_id', 'slug']);
        table.index(['tenant_id', 'status']);
    });

    await knex.schema.createTable('event_schedules', (table) => {
        table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
        tenant(knex, table);
        table.uuid('event_id').notNullable().references('id').inTable('events').onDelete('CASCADE');
        table.timestamp('starts_at', { useTz: true }).notNullable();
        table.timestamp('ends_at', { useTz: true }).notNullable();
        table.timestamp('doors_open_at', { useTz: true });
        table.string('timezone', 50).notNullable().defaultTo('UTC');
        table.string('status', 50).notNullable().defaultTo('SCHEDULED');
        table.timestamps(true, true);
        table.index(['event_id', 'starts_at']);
    });

    await knex.schema.createTable('event_capacity', (table) => {
        table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
        tenant(knex, table);
        table.uuid('event_id').notNullable().references('id').inTable('events').onDelete('CASCADE');
        table.uuid('schedule_id').references('id').inTable('event_schedules').onDelete('CASCADE');
        table.string('section_name', 100).notNullable();
        table.integer('total_capacity').notNullable();
        table.integer('available_capacity').notNullable();
        table.integer('reserved_capacity').notNullable().defaultTo(0);
        table.integer('sold_count').notNullable().defaultTo(0);
        table.timestamps(true, true);
    });

    await knex.schema.createTable('event_pricing', (table) => {
        table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
        tenant(knex, table);
        table.uuid('event_id').notNullable().references('id').inTable('events').onDelete('CASCADE');
        table.uuid('capacity_id').references('id').inTable('event_capacity').onDelete('CASCADE');
        table.string('name', 200).notNullable();
        table.decimal('base_price', 10, 2).notNullable();
        table.decimal('service_fee', 10, 2).notNullable().defaultTo(0);
        table.decimal('tax_rate', 5, 4).notNullable().defaultTo(0);
        table.boolean('is_dynamic').notNullable().defaultTo(false);
        table.decimal('min_price', 10, 2);
        table.decimal('max_price', 10, 2);
        table.decimal('current_price', 10, 2);
        table.string('currency', 3).notNullable().defaultTo('USD');
        table.timestamps(true, true);
    });

    await knex.schema.createTable('event_metadata', (table) => {
        table.uuid('id').primary().defaultTo(knex.raw('uuid_generate_v4()'));
        tenant(knex, table);
        table.uuid('event_id').notNullable().unique().references('id').inTable('events').onDelete('CASCADE');
        table.jsonb('performers');
        table.string('headliner', 200);
        table.jsonb('sponsors');
        table.jsonb('custom_fields');
        table.timestamps(true, true);
    });

    await knex.raw(`
        CREATE OR REPLACE FUNCTION update_updated_at_column()
        RETURNS TRIGGER AS $$
BEGIN
  NEW.updated_at = CURRENT_TIMESTAMP;
  RETURN NEW;
END;
$$ LANGUAGE plpgsql
    `);

    const withTimestamps = ['event_categories', 'events', 'event_schedules', 'event_capacity', 'event_pricing', 'event_metadata'];
    await Promise.all(
        withTimestamps.map((name) =>
            knex.raw(`
                CREATE TRIGGER update_${name}_updated_at BEFORE UPDATE ON ${name}
                FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()
            `)
        )
    );

    const audit = await knex.raw(`SELECT 1 FROM pg_proc WHERE proname = 'audit_trigger_function'`);
    if (audit.rows.length > 0) {
        await knex.raw(`
            CREATE TRIGGER audit_events_changes AFTER INSERT OR UPDATE OR DELETE ON events
            FOR EACH ROW EXECUTE FUNCTION audit_trigger_function()
        `);
    }

    await knex('event_categories').insert(
        CATEGORIES.map((name, position) => ({ name, slug: name.toLowerCase(), display_order: position }))
    );
}

function tenant(knex: Knex, table: Knex.CreateTableBuilder): void {
    table.uuid('tenant_id').notNullable().defaultTo(DEFAULT_TENANT).references('id').inTable('tenants').onDelete('RESTRICT');
}

export async function down(knex: Knex): Promise<void> {
    await knex.schema.dropTableIfExists('event_metadata');
    await knex.schema.dropTableIfExists('event_pricing');
    await knex.schema.dropTableIfExists('event_capacity');
    await knex.schema.dropTableIfExists('event_schedules');
    await knex.schema.dropTableIfExists('events');
    await knex.schema.dropTableIfExists('event_categories');
}
