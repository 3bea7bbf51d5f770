import type { Knex } from 'knex';

const PROTECTED = ['customers'];
const OTHERS = ['Order', 'user', 'line items', 'select', 'weird`${name}?'];

async function createTable(knex: Knex, name: string): Promise<void> {
  await knex.schema.createTable(name, (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('tenant_id').notNullable().references('id').inTable('tenants');
  });
}

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('tenants', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
  });
  for (const name of [...PROTECTED, ...OTHERS]) {
    await createTable(knex, name);
  }
  for (const name of PROTECTED) {
    await knex.raw('ALTER TABLE ?? ENABLE ROW LEVEL SECURITY', [name]);
    await knex.raw('ALTER TABLE ?? FORCE ROW LEVEL SECURITY', [name]);
    await knex.raw(`
      CREATE POLICY ${name}_isolation ON ${name}
        USING (tenant_id = NULLIF(current_setting('app.current_tenant_id', true), '')::uuid)
    `);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const name of [...OTHERS, ...PROTECTED, 'tenants']) {
    await knex.schema.dropTable(name);
  }
}
