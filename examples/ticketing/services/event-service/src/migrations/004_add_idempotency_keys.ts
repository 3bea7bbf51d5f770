import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
    await knex.schema.createTable('idempotency_keys', (table) => {
        table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
        table.uuid('tenant_id').notNullable();
        table.uuid('user_id');
        table.string('idempotency_key', 255).notNullable();
        table.string('request_method', 10).notNullable();
        table.string('request_path', 500).notNullable();
        table.integer('response_status');
        table.jsonb('response_body');
        table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now());
        table.timestamp('expires_at', { useTz: true }).notNullable();
        table.unique(['tenant_id', 'idempotency_key']);
        table.index('expires_at');
    });
}

export async function down(knex: Knex): Promise<void> {
    await knex.schema.dropTableIfExists('idempotency_keys');
}
