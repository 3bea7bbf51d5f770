// Runs one direction of one migration with real Knex, as its migrator does around a file, and tells every query.
//
// request, on stdin: {file, direction, transaction, connection}; on stdout one line for each query, {sql, bindings}, and
// at the end {done: true} or {error: {message, code}}. Whatever the file prints goes to stderr.
'use strict';

const fs = require('node:fs');
const { pathToFileURL } = require('node:url');

const send = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);
const tell = (message) => new Promise((resolve) => send(`${JSON.stringify(message)}\n`, resolve));

async function run(request) {
  const knex = require('knex')({
    client: 'pg',
    connection: request.connection,
    pool: { min: 0, max: 2 },
    acquireConnectionTimeout: 10000,
    log: { warn() {}, error() {}, deprecate() {}, debug() {} },
  });
  const told = [];
  knex.on('query', ({ sql, bindings }) => told.push(tell({ sql, bindings: bindings ?? [] })));
  try {
    const loaded = await import(pathToFileURL(request.file).href);
    const migration = typeof loaded[request.direction] === 'function' ? loaded : loaded.default;
    const call = (handle) => migration[request.direction](handle);
    await (request.transaction ? knex.transaction(call) : call(knex));
    await Promise.all(told);
    await tell({ done: true });
  } catch (error) {
    await Promise.all(told);
    await tell({ error: { message: String(error?.message ?? error), code: error?.code ?? null } });
  } finally {
    await knex.destroy();
  }
}

run(JSON.parse(fs.readFileSync(0, 'utf8'))).then(() => process.exit(0));
