// Runs small migrations on Knex with a connection that only records. Reads {runs, nested} from stdin; prints for each
// {sent: [text], result | error}. With `nested`, the migration gets a transaction, as Knex does by default.
const makeKnex = require("knex");
const silent = { warn() {}, error() {}, deprecate() {}, debug() {} };

function literal(client, value) {
  const plain = value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);
  return client._escapeBinding(plain ? JSON.stringify(value) : value);
}

async function run(source, nested) {
  const knex = makeKnex({ client: "pg", log: silent });
  const sent = [];
  const client = knex.client.constructor.prototype;
  client.acquireConnection = async () => ({ __knexUid: "c" });
  client.releaseConnection = async () => {};
  client._query = function (connection, query) {
    if (!query.sql) throw new Error("The query is empty");
    // The text has $n by now; a literal stands for each.
    const values = query.bindings || [];
    sent.push(query.sql.replace(/\$(\d+)/g, (_, n) => (n <= values.length ? literal(this, values[n - 1]) : `$${n}`)));
    if (/fail/.test(query.sql)) return Promise.reject(Object.assign(new Error("refused"), { code: "42601" }));
    const command = query.sql.split(" ")[0].toUpperCase();
    query.response = { command, rowCount: 1, rows: [{ a: 1, b: 2 }], oid: null };
    return Promise.resolve(query);
  };
  const migration = new Function(`return (${source});`)();
  let outcome;
  try {
    const result = nested ? await knex.transaction((trx) => migration(trx)) : await migration(knex);
    outcome = { result: result === undefined ? "undefined" : typeof result === "function" ? "function" : result };
  } catch (error) {
    outcome = { error: error.message };
  }
  return { sent: nested ? sent.slice(1, -1) : sent, ...outcome };
}

(async () => {
  const { runs, nested } = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const results = [];
  for (const source of runs) results.push(await run(source, nested));
  process.stdout.write(JSON.stringify(results));
})();
