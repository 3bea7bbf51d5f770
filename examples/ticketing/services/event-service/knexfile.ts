import type { Knex } from 'knex';

const config: Knex.Config = {
    client: 'pg',
    connection: process.env.DATABASE_URL || {
        host: process.env.DB_HOST || 'localhost',
        port: Number(process.env.DB_PORT || 5432),
        database: process.env.DB_NAME || 'ticketing',
        user: process.env.DB_USER || 'ticketing',
        password: process.env.DB_PASSWORD,
    },
    pool: { min: 2, max: 10 },
    migrations: {
        directory: './src/migrations',
        tableName: 'knex_migrations_event',
        extension: 'ts',
    },
};

export default config;
