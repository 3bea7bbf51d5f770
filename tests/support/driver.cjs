// Answers one request per line of stdin with one line on stdout, until stdin ends. A request is
// {"task": name, ...}; the answer {"value": ...} or {"error": {message, code, stack}}. One process serves a whole test
// session, because loading Knex or TypeScript takes longer than what is asked of them.
'use strict';

const module_ = require('node:module');
const path = require('node:path');
const readline = require('node:readline');

const tasks = {
  knex: (request) => require('./knex_driver.cjs').run(request),
  types: (request) => require('./typescript_driver.cjs').check(request),
  format: (request) => require('./prettier_driver.cjs').check(request),
};

// Stdout carries answers only; what migrations print goes to stderr.
const send = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

const rejections = [];
process.on('unhandledRejection', (reason) => rejections.push(String(reason?.message ?? reason)));

// Migrations stand in temporary folders without node_modules. NODE_PATH finds their packages for require(); imports of
// ES modules do not look there, and are sent to the project by this hook (Node 22.15 or newer).
if (module_.registerHooks && process.env.NODE_PATH) {
  const project = module_.createRequire(path.join(process.env.NODE_PATH, 'index.js'));
  module_.registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context);
      } catch (error) {
        if (error.code !== 'ERR_MODULE_NOT_FOUND' || /^[./]|^file:/.test(specifier)) throw error;
        return next(specifier, { ...context, parentURL: require('node:url').pathToFileURL(project.resolve('knex')).href });
      }
    },
  });
}

/** Forget the files of the last request, so that a file that was written anew is read anew. */
function forget() {
  for (const file of Object.keys(require.cache)) {
    if (!file.includes(`${path.sep}node_modules${path.sep}`) && !file.startsWith(__dirname)) delete require.cache[file];
  }
}

async function answer(line) {
  rejections.length = 0;
  try {
    const request = JSON.parse(line);
    if (!Object.hasOwn(tasks, request.task)) throw new Error(`no task ${request.task}`);
    const value = await tasks[request.task](request);
    return { value, rejections: [...rejections] };
  } catch (error) {
    return { error: { message: String(error?.message ?? error), code: error?.code ?? null, stack: error?.stack ?? '' } };
  } finally {
    forget();
  }
}

async function serve() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const text = `${JSON.stringify(await answer(line))}\n`;
    // Not writeSync: a pipe takes 64 kB at a time, and the rest of a long answer would be lost.
    await new Promise((resolve) => send(text, resolve));
  }
}

serve().then(() => process.exit(0));
