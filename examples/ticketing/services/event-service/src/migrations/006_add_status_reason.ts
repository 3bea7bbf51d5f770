import type { Knex } from 'knex';

export function up(knex: Knex) {
    return knex.schema.alterTable('events', (table) => {
        table.text('status_reason');
        table.uuid('status_changed_by');
        table.timestamp('status_changed_at', { useTz: true });
    });
}

export function down(knex: Knex) {
    return knex.schema.alterTable('events', (table) => {
        table.dropColumns('status_reason', 'status_changed_by', 'status_changed_at');
    });
}
