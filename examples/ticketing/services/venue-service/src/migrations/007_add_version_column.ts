import type { Knex } from 'knex';

const VERSIONED = ['venues', 'venue_settings', 'venue_integrations'];

export async function up(knex: Knex): Promise<void> {
  for (const name of VERSIONED) {
    if (await knex.schema.hasColumn(name, 'version')) continue;
    await knex.schema.alterTable(name, (table) => {
      table.integer('version').notNullable().defaultTo(1);
    });
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const name of VERSIONED) {
    await knex.schema.alterTable(name, (table) => table.dropColumn('version'));
  }
}
