// Reads a JSON array of snippets from stdin; prints for each what Knex would send, or that Knex throws.
// An array of [text with values inlined, text as prepared or null] per snippet, or {error}.
const knex = require("knex")({ client: "pg", log: { warn() {}, error() {}, deprecate() {}, debug() {} } });

function literal(value) {
  const plain = value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);
  return plain ? knex.client._escapeBinding(JSON.stringify(value)) : knex.client._escapeBinding(value);
}

// What reaches the server: positionBindings, with the value in the place of each $n.
function inline(sql, bindings) {
  let count = 0;
  return sql.replace(/(\\*)(\?)/g, (_, escapes) => {
    if (escapes.length % 2) return "?";
    count += 1;
    return count <= bindings.length ? literal(bindings[count - 1]) : `$${count}`;
  });
}

function describe(snippet) {
  try {
    const builder = new Function("knex", `"use strict"; return (${snippet});`)(knex);
    const compiled = [builder.toSQL()].flat();
    return compiled.map(({ sql, bindings = [] }) => [
      inline(sql, bindings),
      bindings.length ? knex.client.positionBindings(sql) : null,
    ]);
  } catch (error) {
    return { error: String(error.message) };
  }
}

const snippets = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(snippets.map(describe)));
