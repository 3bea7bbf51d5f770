import knex, { Knex } from 'knex';
import config from '../../knexfile';

export const db: Knex = knex(config);

export type Db = Knex | Knex.Transaction;
