import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const done = await knex.schema.hasColumn('api_keys', 'key_hash');
  if (done) return;

  await knex.schema.alterTable('api_keys', (table) => {
    table.string('key_hash', 64).index();
  });
  await knex.raw(`UPDATE api_keys SET key_hash = encode(sha256(key::bytea), 'hex') WHERE key_hash IS NULL`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('api_keys', (table) => {
    table.dropColumn('key_hash');
  });
}
