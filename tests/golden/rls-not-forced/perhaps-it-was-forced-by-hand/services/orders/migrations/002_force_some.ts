import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const { rows } = await knex.raw('SELECT count(*)::int AS many FROM tenants');
          if (rows[0].many > 10) {
            await knex.raw('ALTER TABLE customers FORCE ROW LEVEL SECURITY');
          }
}

export async function down(knex: Knex): Promise<void> {
  // nothing to take back
}
