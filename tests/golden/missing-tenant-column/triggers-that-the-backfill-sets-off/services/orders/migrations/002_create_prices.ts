import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('prices', (table) => {
    table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
    table.uuid('customer_id').notNullable().references('id').inTable('customers');
    table.integer('cents').notNullable();
  });
  await knex.raw(`
        CREATE FUNCTION check_price() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.cents < 0 THEN
            RAISE EXCEPTION 'a price is never negative';
          END IF;
          RETURN NEW;
        END
        $$
      `);
  await knex.raw('CREATE TRIGGER check_price BEFORE INSERT OR UPDATE ON prices FOR EACH ROW EXECUTE FUNCTION check_price()');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('prices');
  await knex.raw('DROP FUNCTION check_price()');
}
