import type { Knex } from 'knex';

const VERSIONED = ['venues', 'venue_settings', 'venue_integrations'];

export const up = async (knex: Knex): Promise<void> => {
  for (const name of VERSIONED) {
    if (await knex.schema.hasColumn(name, 'version')) continue;
    await knex.schema.alterTable(name, (table) => {
      table.integer('version').notNullable().defaultTo(1);
    });
  }
};

export const down = async (knex: Knex): Promise<void> => {
  for (const name of VERSIONED) {
    await knex.schema.alterTable(name, (table) => table.dropColumn('version'));
  }
};
