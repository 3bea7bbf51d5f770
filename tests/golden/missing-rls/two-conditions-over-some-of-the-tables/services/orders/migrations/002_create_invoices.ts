import type { Knex } from 'knex';

const TABLES = ['invoices', 'drafts', 'notes', 'receipts', 'reminders'];

export async function up(knex: Knex): Promise<void> {
  for (const name of TABLES) {
    await knex.schema.createTable(name, (table) => {
      table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
      table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
      table.string('name').notNullable();
    });
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const name of [...TABLES].reverse()) {
    await knex.schema.dropTable(name);
  }
}
