export default {
  client: 'pg',
  connection: { database: 'platform' },
  migrations: { directory: './migrations', tableName: 'knex_migrations_orders' },
};
