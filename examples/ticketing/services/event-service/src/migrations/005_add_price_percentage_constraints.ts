import type { Knex } from 'knex';

type Check = { table: string; name: string; expression: string };

const CHECKS: Check[] = [
    { table: 'event_pricing', name: 'chk_event_pricing_base_price', expression: 'base_price >= 0' },
    { table: 'event_pricing', name: 'chk_event_pricing_service_fee', expression: 'service_fee >= 0' },
    { table: 'event_pricing', name: 'chk_event_pricing_tax_rate', expression: 'tax_rate BETWEEN 0 AND 1' },
    { table: 'event_pricing', name: 'chk_event_pricing_range', expression: 'min_price IS NULL OR max_price IS NULL OR min_price <= max_price' },
    { table: 'events', name: 'chk_events_royalty', expression: 'royalty_percentage BETWEEN 0 AND 100' },
    { table: 'event_capacity', name: 'chk_event_capacity_total', expression: 'total_capacity > 0' },
    { table: 'event_capacity', name: 'chk_event_capacity_available', expression: 'available_capacity BETWEEN 0 AND total_capacity' },
];

export async function up(knex: Knex): Promise<void> {
    await knex.raw(`SET lock_timeout = '5s'`);

    for (const { table, name, expression } of CHECKS) {
        const found = await knex.raw('SELECT 1 FROM pg_constraint WHERE conname = ?', [name]);
        if (found.rows.length > 0) continue;
        await knex.raw(`ALTER TABLE ${table} ADD CONSTRAINT ${name} CHECK (${expression})`);
    }
}

export async function down(knex: Knex): Promise<void> {
    for (const { table, name } of CHECKS) {
        await knex.raw(`ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS ${name}`);
    }
}
