// Runs one direction of one migration with real Knex's own migrator, and tells every query that it sent.
//
// request, on stdin: {directory, file, recorded, table, direction, connection}: a folder with all files of the service,
// of which those that are recorded count as done and are never loaded. On stdout one line for each query,
// {sql, bindings}, and at the end {done: true} or {error: {message, code}}. Whatever the file prints goes to stderr.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const send = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);
const tell = (message) => new Promise((resolve) => send(`${JSON.stringify(message)}\n`, resolve));

async function run(request) {
  const knex = require('knex')({
    client: 'pg',
    connection: request.connection,
    pool: { min: 0, max: 2 },
    acquireConnectionTimeout: 10000,
    migrations: {
      directory: request.directory,
      tableName: request.table,
      loadExtensions: [path.extname(request.file)],
    },
    log: { warn() {}, error() {}, deprecate() {}, debug() {} },
  });
  const told = [];
  try {
    await knex.migrate.list(); // makes Knex's tables
    await knex(request.table).del();
    for (const name of request.recorded) {
      await knex(request.table).insert({ name, batch: 1, migration_time: new Date() });
    }
    knex.on('query', ({ sql, bindings }) => {
      // What Knex keeps its record with is no query of the file.
      const own = [sql, ...(bindings ?? [])].some((text) => String(text).includes(request.table));
      if (!own) told.push(tell({ sql, bindings: bindings ?? [] }));
    });
    const [, names] = await knex.migrate[request.direction]();
    await Promise.all(told);
    if (names.length === 1 && path.basename(names[0]) === request.file) await tell({ done: true });
    else await tell({ error: { message: `Knex takes ${names.join(', ') || 'no file'} for the one to run`, code: null } });
  } catch (error) {
    await Promise.all(told);
    await tell({ error: { message: String(error?.message ?? error), code: error?.code ?? null } });
  } finally {
    knex.removeAllListeners('query');
    await knex.schema.dropTableIfExists(request.table).catch(() => {});
    await knex.schema.dropTableIfExists(`${request.table}_lock`).catch(() => {});
    await knex.destroy();
  }
}

run(JSON.parse(fs.readFileSync(0, 'utf8'))).then(() => process.exit(0));
