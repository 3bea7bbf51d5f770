// Runs one command of Knex's migrator on a database, as the command line of a service would.
'use strict';

/**
 * request: {command, name, all, connection: {host, port, user, password, database},
 *           migrations: {directory: [...], loadExtensions: [...], tableName, schemaName, sortDirsSeparately,
 *                        disableTransactions}}
 * answer:  {batch, files, pending, queries: [{sql, bindings}], log: [...], error: {message, code} | null}
 *
 * An error of a migration is an answer, not a failure of the driver: tests ask for its code.
 */
async function run(request) {
  const log = [];
  const note = (message) => log.push(typeof message === 'string' ? message : JSON.stringify(message));
  const knex = require('knex')({
    client: 'pg',
    connection: request.connection,
    pool: { min: 0, max: 4 },
    acquireConnectionTimeout: 10000,
    migrations: request.migrations,
    log: { warn: note, error: note, deprecate: note, debug: () => {} },
  });
  const queries = [];
  knex.on('query', ({ sql, bindings }) => queries.push({ sql, bindings: bindings ?? [] }));
  const answer = { batch: null, files: [], pending: [], queries, log, error: null };
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

const commands = {
  latest: batch((migrate) => migrate.latest()),
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
