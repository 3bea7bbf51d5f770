// Runs one command of Knex's migrator on a database, as the command line of a service would.
'use strict';

/**
 * request: {command, name, all, connection: {host, port, user, password, database}, searchPath: [...] | null,
 *           migrations: {directory: [...], loadExtensions: [...], tableName, schemaName, sortDirsSeparately,
 *                        disableTransactions}}
 * answer:  {batch, files, pending, queries: [{sql, bindings}], log: [...], error: {message, code} | null,
 *           refused: [{file, sql, code}], thrown: [{file, message}]}
 *
 * An error of a migration is an answer, not a failure of the driver: tests ask for its code. `refused` and `thrown` are
 * those of the command "apply" (see there).
 */
async function run(request) {
  const log = [];
  const note = (message) => log.push(typeof message === 'string' ? message : JSON.stringify(message));
  const answer = { batch: null, files: [], pending: [], queries: [], log, error: null, refused: [], thrown: [] };
  const knex = require('knex')({
    client: request.command === 'apply' ? forgivingClient(answer) : 'pg',
    connection: request.connection,
    searchPath: request.searchPath ?? undefined,
    pool: { min: 0, max: 4 },
    acquireConnectionTimeout: 10000,
    migrations: request.command === 'apply' ? forgivingSource(request.migrations, answer) : request.migrations,
    log: { warn: note, error: note, deprecate: note, debug: () => {} },
  });
  knex.on('query', ({ sql, bindings }) => answer.queries.push({ sql, bindings: bindings ?? [] }));
  try {
    await commands[request.command](knex, request, answer);
  } catch (error) {
    answer.error = { message: String(error?.message ?? error), code: error?.code ?? null };
  } finally {
    // A builder that nobody awaits may have begun to run; give it the turn that it would have in a service.
    await new Promise((resolve) => setImmediate(resolve));
    await knex.destroy();
  }
  return answer;
}

const batch = (call) => async (knex, request, answer) => {
  [answer.batch, answer.files] = await call(knex.migrate, request);
};

const CONTROL = /^\s*(?:BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|START TRANSACTION|END)\b[^;]*;?\s*$/i;

/**
 * What the command "apply" sends with: every string stands for itself and commits by itself, and one that PostgreSQL
 * refuses is noted and answered with no rows. Nothing begins or ends a transaction but a string's own text.
 */
function forgivingClient(answer) {
  return class extends require('knex/lib/dialects/postgres/index.js') {
    async _query(connection, query) {
      if (!query.sql) throw new Error('The query is empty'); // as the client itself does
      query.response = await forgivingly(connection, answer, query.sql, query.bindings ?? []);
      return query;
    }
  };
}

async function forgivingly(connection, answer, text, values) {
  const nothing = { command: null, rowCount: 0, rows: [], fields: [] };
  if (CONTROL.test(text)) return { ...nothing, command: text.trim().split(/[\s;]/)[0].toUpperCase() };
  try {
    return await connection.query(values.length ? { text, values } : { text });
  } catch (error) {
    // A savepoint, a lock: it stands in the transaction of its migration, which is taken apart here.
    if (error.code !== '25P01') answer.refused.push({ file: answer.running ?? null, sql: text, code: error.code ?? null });
    return nothing;
  } finally {
    await connection.query('COMMIT');
  }
}

/** Every file is on record: one that throws ends there, and the next one runs. A file for a pg Pool is given one. */
function forgivingSource(migrations, answer) {
  const { FsMigrations } = require('knex/lib/migrations/migrate/sources/fs-migrations.js');
  const source = new FsMigrations(migrations.directory, migrations.sortDirsSeparately, migrations.loadExtensions);
  const list = source.getMigrations.bind(source);
  source.getMigrations = () => list(migrations.loadExtensions);
  const load = source.getMigration.bind(source);
  source.getMigration = async (info) => {
    const migration = await load(info);
    const up = async (knex) => {
      answer.running = info.file;
      const before = answer.queries.length;
      try {
        await migration.up(knex);
      } catch (error) {
        const pool = /\b(?:query|connect) is not a function/.test(error?.message) && answer.queries.length === before;
        if (pool) await withPool(knex, answer, migration.up).catch((again) => note(again));
        else note(error);
      } finally {
        await new Promise((resolve) => setImmediate(resolve));
        answer.running = null; // what comes now is Knex's own
      }
    };
    const note = (error) => answer.thrown.push({ file: info.file, message: String(error?.message ?? error) });
    return { up, down: migration.down ?? (async () => {}), config: migration.config };
  };
  const { tableName, schemaName } = migrations;
  return { migrationSource: source, tableName, schemaName, disableMigrationsListValidation: true };
}

async function withPool(knex, answer, up) {
  const connection = await knex.client.acquireConnection();
  const query = (text, values) =>
    typeof text === 'string'
      ? forgivingly(connection, answer, text, values ?? [])
      : forgivingly(connection, answer, text.text, text.values ?? []);
  const client = { query, release: () => {} };
  try {
    await up({ query, connect: async () => client, end: async () => {} });
  } finally {
    await knex.client.releaseConnection(connection);
  }
}

const commands = {
  latest: batch((migrate) => migrate.latest()),
  apply: batch((migrate) => migrate.latest()),
  rollback: batch((migrate, { all }) => migrate.rollback(undefined, Boolean(all))),
  up: batch((migrate, { name }) => migrate.up(name ? { name } : undefined)),
  down: batch((migrate, { name }) => migrate.down(name ? { name } : undefined)),
  status: async (knex, request, answer) => {
    const [completed, pending] = await knex.migrate.list();
    answer.files = completed.map(({ name }) => name);
    answer.pending = pending.map(({ file }) => file);
  },
};

module.exports = { run };
