export default {
  client: 'pg',
  migrations: { directory: ['./migrations', './migrations-2026'], tableName: 'orders_knex_migrations' },
};
