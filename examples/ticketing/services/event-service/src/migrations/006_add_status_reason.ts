import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
    await knex.schema.alterTable('events', (table) => {
        table.text('status_reason');
        table.uuid('status_changed_by');
        table.timestamp('status_changed_at', { useTz: true });
    });
}

export async function down(knex: Knex): Promise<void> {
    await knex.schema.alterTable('events', (table) => {
        table.dropColumn('status_reason');
        table.dropColumn('status_changed_by');
        table.dropColumn('status_changed_at');
    });
}
