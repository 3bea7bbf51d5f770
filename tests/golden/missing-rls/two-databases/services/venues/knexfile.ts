export default { client: 'pg', connection: { database: 'venues' }, migrations: { directory: './migrations' } };
