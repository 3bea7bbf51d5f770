export default { client: 'pg', connection: { database: 'billing' }, migrations: { directory: './migrations' } };
