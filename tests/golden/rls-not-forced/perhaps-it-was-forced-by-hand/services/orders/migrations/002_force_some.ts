import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  if (!process.env.KEEP_AS_IT_IS) {
            await knex.raw('ALTER TABLE customers NO FORCE ROW LEVEL SECURITY');
          }
}

export async function down(knex: Knex): Promise<void> {
  // nothing to take back
}
