import type { Knex } from 'knex';

const TABLES = ['events', 'event_schedules', 'event_capacity', 'event_pricing'];

export async function up(knex: Knex): Promise<void> {
    await knex.raw(`
        CREATE OR REPLACE FUNCTION increment_version()
        RETURNS TRIGGER AS $$
        BEGIN
            NEW.version = OLD.version + 1;
            RETURN NEW;
        END;
        $$ LANGUAGE plpgsql
    `);

    for (const name of TABLES) {
        const exists = await knex.schema.hasColumn(name, 'version');
        if (!exists) {
            await knex.schema.alterTable(name, (table) => {
                table.integer('version').notNullable().defaultTo(1);
            });
        }
        await knex.raw(`DROP TRIGGER IF EXISTS ${name}_version_trigger ON ${name}`);
        await knex.raw(`
            CREATE TRIGGER ${name}_version_trigger BEFORE UPDATE ON ${name}
            FOR EACH ROW EXECUTE FUNCTION increment_version()
        `);
    }
}

export async function down(knex: Knex): Promise<void> {
    for (const name of TABLES) {
        await knex.raw(`DROP TRIGGER IF EXISTS ${name}_version_trigger ON ${name}`);
        await knex.schema.alterTable(name, (table) => {
            table.dropColumn('version');
        });
    }
    await knex.raw('DROP FUNCTION IF EXISTS increment_version()');
}
