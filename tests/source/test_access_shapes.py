"""Small pieces of ordinary code, and whether each access in them is proven to run with the tenant set."""

from __future__ import annotations

import itertools

import pytest

from source.shapes import DB, IMPORT, RUN, SET, SETTINGS, Files, doubts, found, orders

PROVEN: dict[str, Files] = {
    "nothing names it": orders("db('customers')"),
    "a callback of the function that sets the tenant": orders("inTenant(1, (trx) => trx('orders'))"),
    "an async function expression as that callback": orders(
        "inTenant(1, async function (trx) { return trx('orders'); })"
    ),
    "a named function as that callback": orders("function all(trx) { return trx('orders'); }\ninTenant(1, all);"),
    "a nested callback below it": orders("inTenant(1, (trx) => Promise.all([1].map(async () => trx('orders'))))"),
    "the methods from, into and join": orders(
        "inTenant(1, async (t) => { await t.select().from('orders'); await t.insert({}).into('orders');"
        " await t('a').leftJoin('orders as o', 'o.a', 'a.id'); })"
    ),
    "type arguments after await": orders(
        "inTenant<Order>(1, async (trx) => { await trx<Order>('orders').first<Row>();"
        " return await trx.raw<{ rows: Row[] }>('SELECT * FROM orders'); })"
    ),
    "raw SQL": orders("inTenant(1, (t) => t.raw('SELECT * FROM orders WHERE id = ?', [1]))"),
    "a query that is told its transaction": orders("inTenant(1, (t) => db('orders').where({ a: 1 }).transacting(t))"),
    "a part of a query that runs for the tenant": orders(
        "inTenant(1, (t) => t('a').whereIn('id', db('orders').select('id')))"
    ),
    "a callback that builds a part of such a query": orders(
        "inTenant(1, (t) => t('a').whereExists(function () { this.select('*').from('orders'); }))"
    ),
    "a builder handed to a callback of such a query": orders(
        "inTenant(1, (t) => t('a').where((qb) => qb.whereIn('id', (q) => q.from('orders').select('id'))))"
    ),
    "a cast and brackets around the transaction": orders("inTenant(1, (t) => (t as any)('orders'))"),
    "an alias of the transaction": orders("inTenant(1, async (t) => { const q = t; await q('orders'); })"),
    "either of two transactions that are both set": orders(
        "inTenant(1, (a) => inTenant(2, (b) => (a ?? b)('orders')))"
    ),
    "set in the same function before": orders(
        f"export const all = (id) => db.transaction(async (trx) => {{ {SET} return trx('orders'); }})"
    ),
    "set on a transaction that was opened by hand": orders(
        f"export async function all(id) {{ const trx = await db.transaction(); {SET}"
        " const rows = await trx('orders'); await trx.commit(); return rows; }}"
    ),
    "set in a try whose catch leaves": orders(
        f"async function all(id) {{ const trx = await db.transaction(); try {{ {SET} }}"
        " catch (e) { await trx.rollback(); throw e; } return trx('orders'); }"
    ),
    "set in either branch": orders(
        f"db.transaction(async (trx) => {{ if (a) {{ {SET} }} else {{ throw new Error('no tenant'); }}"
        " return trx('orders'); })"
    ),
    "set by a function that is given the transaction": orders(
        f"async function setTenant(trx, id) {{ {SET} }}\n"
        "db.transaction(async (trx) => { await setTenant(trx, 1); return trx('orders'); })"
    ),
    "set among others at once": orders(
        "db.transaction(async (trx) => { await Promise.all([trx.raw(`SELECT set_config('app.tenant', ?, true)`, [1])]);"
        " return trx('orders'); })"
    ),
    "what follows the setting with then": orders(
        "db.transaction((trx) => trx.raw(`SELECT set_config('app.tenant', ?, true)`, [1]).then(() => trx('orders')))"
    ),
    "SET LOCAL with a pasted value": orders(
        "db.transaction(async (trx) => { await trx.raw(`SET LOCAL app.tenant = '${id}'`); return trx('orders'); })"
    ),
    "a transaction within one": orders("inTenant(1, (outer) => outer.transaction((inner) => inner('orders')))"),
    "a helper that throws before it sets the tenant": orders(
        f"async function setTenant(trx, id) {{ if (!id) {{ throw new Error('no tenant'); }} {SET} }}\n"
        "db.transaction(async (trx) => { await setTenant(trx, id); return trx('orders'); })"
    ),
    "functions that hand a set transaction to each other": orders(
        "function one(trx, n) { if (n) two(trx, n - 1); return trx('customers'); }\n"
        "function two(trx, n) { if (n) one(trx, n - 1); return trx('orders'); }\ninTenant(1, (trx) => one(trx, 3));"
    ),
    "a pg client after BEGIN": orders(
        "import { Pool } from 'pg';\nconst pool = new Pool();\n"
        "export async function all(id) { const client = await pool.connect(); try { await client.query('BEGIN');"
        " await client.query(`SELECT set_config('app.tenant', $1, true)`, [id]);"
        " return await client.query('SELECT * FROM orders'); } finally { client.release(); } }"
    ),
    "a pg client in a second transaction": orders(
        "import { Client } from 'pg';\nexport async function all(id) { const c = new Client();"
        " await c.query('BEGIN');"
        " await c.query(`SET LOCAL app.tenant = '${id}'`); await c.query('COMMIT'); await c.query('BEGIN');"
        " await c.query(`SET LOCAL app.tenant = '${id}'`); return c.query('SELECT * FROM orders'); }"
    ),
    "a transaction that is left where it is rolled back": orders(
        f"async function all(id) {{ const trx = await db.transaction(); {SET} try {{ await trx('customers'); }}"
        " catch (e) { await trx.rollback(); throw e; } return trx('orders'); }"
    ),
    "a savepoint that is rolled back": orders(
        "import { Client } from 'pg';\nexport async function all(id) { const c = new Client();"
        " await c.query('BEGIN');"
        " await c.query(`SET LOCAL app.tenant = '${id}'`); await c.query('SAVEPOINT a');"
        " await c.query('ROLLBACK TO SAVEPOINT a'); return c.query('SELECT * FROM orders'); }"
    ),
    "a function that hands a set transaction on": orders(
        "export const twice = (id, fn) => inTenant(id, async (trx) => fn(trx));\ntwice(1, (t) => t('orders'))"
    ),
    "a function that passes its callback on": orders(
        "export const withRetry = (id, fn) => inTenant(id, fn);\nwithRetry(1, (t) => t('orders'))"
    ),
    "exports.x = async function": {
        "src/db.js": "const db = require('knex')(config);\nexports.inTenant = async function (id, work) {"
        f" return db.transaction(async (trx) => {{ {SET} return work(trx); }}); }};",
        "src/orders.js": "const { inTenant } = require('./db');\ninTenant(1, (trx) => trx('orders'))",
    },
    "module.exports = { inTenant }": {
        "src/db.js": "const db = require('knex')(config);\nconst inTenant = async (id, work) => {"
        f" return db.transaction(async (trx) => {{ {SET} return work(trx); }}); }};\n"
        "module.exports = { db, inTenant };",
        "src/orders.js": "const tenants = require('./db');\ntenants.inTenant(1, (trx) => trx('orders'))",
    },
    "a re-export under another name": {
        "src/db.ts": DB,
        "src/index.ts": "export { inTenant as forTenant } from './db';",
        "src/orders.ts": "import { forTenant } from './index';\nforTenant(1, (trx) => trx('orders'))",
    },
    "an import under another name": {
        "src/db.ts": DB,
        "src/orders.ts": "import { inTenant as run } from './db';\nrun(1, (trx) => trx('orders'))",
    },
    "a default export": {
        "src/tenant.ts": f"export default async function (id, work) {{ return db.transaction(async (trx) => {{ {SET}"
        " return work(trx); }); }",
        "src/orders.ts": "import run from './tenant';\nrun(1, (trx) => trx('orders'))",
    },
    "a method that sets the tenant": orders(
        "class Tenants { constructor(private db) {}\n async run(id, work) { return this.db.transaction(async (trx) => {"
        f" {SET} return work(trx); }}); }} }}\n"
        "const tenants = new Tenants(db);\ntenants.run(1, (trx) => trx('orders'))"
    ),
    "an arrow in a field that sets the tenant": orders(
        f"class Tenants {{ run = async (id, work) => db.transaction(async (trx) => {{ {SET} return work(trx); }});\n"
        " all() { return this.run(1, (trx) => trx('orders')); } }"
    ),
    "a method of what the constructor takes": orders(
        f"class Tenants {{ {RUN} }}\n"
        "class Orders { constructor(private readonly tenants: Tenants) {}\n"
        " all() { return this.tenants.run(1, (trx) => trx('orders')); } }"
    ),
    "an inherited method": orders(
        f"class Base {{ {RUN} }}\n"
        "class Orders extends Base { all() { return this.run(1, (trx) => trx('orders')); } }"
    ),
    "a helper that calls what it is given under another name": orders(
        "const either = (id, a, b) => { const work = typeof a === 'function' ? a : b; return inTenant(id, work); };\n"
        "either(1, (trx) => trx('orders'));"
    ),
    "a parameter that is a transaction by its name": orders("export const all = (trx) => trx('orders')"),
    "a parameter that is a transaction by its type": orders(
        "export const all = (db: Knex.Transaction) => db('orders')"
    ),
    "a caller that hands over a set transaction": orders(
        "const all = (q) => q('orders');\ninTenant(1, (trx) => all(trx))"
    ),
    "a class that is made with a set transaction": orders(
        "class Repo { constructor(private db: Knex) {}\n all() { return this.db('orders'); } }\n"
        "inTenant(1, (trx) => new Repo(trx).all())"
    ),
    "a field that holds a set transaction": orders(
        "class Repo { constructor(q) { this.q = q; }\n all() { return this.q('orders'); } }\n"
        "inTenant(1, (trx) => new Repo(trx).all())"
    ),
    "a class below that is made with a set transaction": orders(
        "class Base { constructor(protected q) {} }\nclass Repo extends Base { all() { return this.q('orders'); } }\n"
        "inTenant(1, (trx) => new Repo(trx).all())"
    ),
    "a class below that hands a set transaction up": orders(
        "class Base { constructor(protected q) {}\n rows() { return this.q('orders'); } }\n"
        "class Repo extends Base { constructor(x) { super(x); } }\ninTenant(1, (trx) => new Repo(trx).rows())"
    ),
    "a class that is handed a transaction by somebody unknown": orders(
        "export class Repo { constructor(private readonly trx: Knex.Transaction) {}\n"
        " all() { return this.trx('orders'); } }"
    ),
    "an option that is a set transaction": orders(
        "const all = ({ q }) => q('orders');\ninTenant(1, (trx) => all({ q: trx }))"
    ),
    "the request's transaction": {
        "src/middleware.ts": f"export async function tenant(req, res, next) {{"
        f" const trx = await db.transaction(); {SET}"
        " req.trx = trx; next(); }",
        "src/orders.ts": "export const list = async (req, res) => res.json(await req.trx('orders'))",
    },
    "the transaction among the locals of the response": {
        "src/middleware.ts": f"export async function tenant(req, res, next) {{"
        f" const trx = await db.transaction(); {SET}"
        " res.locals.trx = trx; next(); }",
        "src/orders.ts": "export const list = async (req, res) => { const rows = await res.locals.trx('orders'); }",
    },
    "an AsyncLocalStorage that is filled with a set transaction": {
        "src/scope.ts": "import { AsyncLocalStorage } from 'node:async_hooks';\n"
        "const storage = new AsyncLocalStorage();\nexport const current = () => storage.getStore().trx;\n"
        f"export const run = (id, work) => db.transaction(async (trx) => {{ {SET}"
        " return storage.run({ trx }, work); });",
        "src/orders.ts": "import { current } from './scope';\nexport const all = () => current()('orders')",
    },
    "a function that gives a set transaction": orders(
        f"async function begin(id) {{ const trx = await db.transaction(); {SET} return trx; }}\n"
        "export async function all() { const t = await begin(1); return t('orders'); }"
    ),
    "a function that gives it among others": orders(
        f"async function begin(id) {{ const trx = await db.transaction(); {SET} return {{ trx, id }}; }}\n"
        "export async function all() { const { trx } = await begin(1); return trx('orders'); }"
    ),
    "a helper that takes SQL and runs it for the tenant": orders(
        "const query = (id, text) => inTenant(id, (trx) => trx.raw(text));\nquery(1, 'SELECT * FROM orders')"
    ),
    "a constant that is used for the tenant only": orders("const TABLE = 'orders';\ninTenant(1, (trx) => trx(TABLE))"),
    "a constant that is used elsewhere for the tenant only": orders(
        "import { TABLES } from './tables';\ninTenant(1, (trx) => trx(TABLES.orders))",
        tables="export const TABLES = { orders: 'orders', users: 'users' } as const;",
    ),
    "a list of tables that nobody reads": orders("export const TENANT_TABLES = ['orders', 'users'];"),
    "a base class that queries the table of its subclass for the tenant": orders(
        "class Base { constructor(private table) {}\n all() { return inTenant(1, (trx) => trx(this.table)); } }\n"
        "class Orders extends Base { constructor() { super('orders'); } }"
    ),
    "a model whose queries are given a set transaction": orders(
        "class Order extends Model { static tableName = 'orders'; }\ninTenant(1, (trx) => Order.query(trx))"
    ),
    "a model with a getter for its table": orders(
        "class Order extends Model { static get tableName() { return 'orders'; } }\n"
        "inTenant(1, (trx) => Order.query(trx).where({ a: 1 }))"
    ),
    "a function of the database that sets the tenant": orders(
        "db.transaction(async (trx) => { await trx.raw('SELECT set_tenant(?)', [1]); return trx('orders'); })"
    ),
    "words of prose": orders(
        "logger.info('no orders from orders today');\nconst help = 'Select an item from orders below';\n"
        "throw new Error('cannot read from orders');\nconst label = 'orders';\nif (kind === 'orders') {}"
    ),
    "a value and a column of that name": orders(
        "db('audit').insert({ entity: 'orders' });\ndb('a').where('kind', 'orders').select('orders.id');"
    ),
    "a name in the scheme of a library for values": orders(
        "import { z } from 'zod';\nexport const s = z.object({ source: z.string().max(100).default('orders') });"
    ),
    "a name in a set": orders("const failed = new Set<string>();\nfailed.add('orders');\nif (failed.has('orders')) {}"),
    "a name in a key of something else": orders(
        "const MODULES = ['orders'];\nMODULES.every((m) => grants[`${m}.read:${scope}`]);\nget(`/api/${MODULES[0]}`);"
    ),
    "SQL that is put together step by step": orders(
        "let sql = 'SELECT * FROM orders WHERE a = ?';\nif (b) { sql += ' AND b = ?'; } else sql += ' AND c';\n"
        "sql = sql.trim();\nif (sql.length) inTenant(1, (trx) => trx.raw(sql, params));"
    ),
    "names in pairs that a loop goes through for the tenant": orders(
        "const TABLES = [['public', 'orders'], ['public', 'users']];\n"
        "inTenant(1, async (trx) => {\n"
        " for (const [schema, table] of TABLES) await trx.raw(`DELETE FROM ${schema}.${table}`); })"
    ),
    "labels in pairs that a loop goes through": orders(
        "for (const [table, label] of [['users', 'orders']]) { await db(table); console.log(label); }"
    ),
    "a comment": orders("// db('orders')\n/* db.raw('SELECT * FROM orders') */"),
    "a route and a key of a translation": orders(
        "import { useTranslation } from 'react-i18next';\nimport express from 'express';\n"
        "const { t } = useTranslation();\nt('orders');\nconst app = express();\napp.get('/orders', list);"
    ),
    "what changes the schema": orders(
        "await db.schema.createTable('orders', f); await db.schema.table('orders', f);"
        " await db.schema.hasTable('orders');"
    ),
    "a message on a bus": orders("emitter.on('orders', f);\nemitter.emit('orders');"),
    "a SQL file that sets the tenant first": {
        "scripts/report.sql": "BEGIN;\nSET LOCAL app.tenant = '1';\nSELECT * FROM orders;"
    },
    "a SQL file that mentions it in a comment": {"scripts/report.sql": "-- not from orders\nSELECT 1;"},
    "a script that prints its name": {"bin/hello.sh": "echo 'orders from everywhere'"},
}

DOUBTED: dict[str, tuple[Files, str]] = {
    "the plain connection": (orders("db('orders')"), "orders.ts:2 reaches it through db: knex(…) (src/db.ts:3)"),
    "a transaction without a tenant": (
        orders("db.transaction((trx) => trx('orders'))"),
        "db.transaction (src/orders.ts:2) opens a transaction",
    ),
    "the plain connection inside of what sets the tenant": (
        orders("inTenant(1, async () => db('orders').first())"),
        "through db",
    ),
    "a class that is handed a connection in the same file": (
        orders(
            "class Repo { constructor(private db: Knex) {}\n all() { return this.db('orders'); } }\n"
            "export const repo = new Repo(db);"
        ),
        "src/orders.ts:4 hands over db",
    ),
    "a transaction in a class that is handed a connection": (
        orders(
            "class Repo { constructor(private trx: Knex) {}\n all() { return this.trx('orders'); } }\n"
            "export const repo = new Repo(db);"
        ),
        "hands over db",
    ),
    "a connection that is kept under the name of a transaction": (
        orders("class Repo { constructor() { this.trx = db; }\n all() { return this.trx('orders'); } }"),
        "through this.trx: knex(…)",
    ),
    "the transaction or else the connection": (
        orders("export const all = (opts) => (opts.trx ?? db)('orders')"),
        "through opts.trx ?? db: knex(…)",
    ),
    "the transaction or else the connection, under a name": (
        orders("export const all = (trx) => { const q = trx || db; return q('orders'); }"),
        "through q: knex(…)",
    ),
    "the connection as a default": (
        orders("export const all = (trx = db) => trx('orders')"),
        "without one, trx is db",
    ),
    "a connection that is assigned later": (
        orders("export async function all(trx) { let q = trx; if (!q) q = db; return q('orders'); }"),
        "knex(…)",
    ),
    "a parameter that may be a connection": (
        orders("export const all = (q: Knex) => q('orders')"),
        "q is a parameter (src/orders.ts:2), and what callers hand over is not known",
    ),
    "a parameter that is either": (
        orders("export const all = (trx: Knex | Knex.Transaction) => trx('orders');\nall(db);"),
        "src/orders.ts:3 hands over db",
    ),
    "a caller in another file that hands over the connection": (
        orders(
            "export const all = (trx) => trx('orders')",
            job="import { all } from './orders';\nimport { db } from './db';\nall(db);",
        ),
        "src/job.ts:3 hands over db",
    ),
    "a caller of a method that hands over the connection": (
        orders(
            "export class Repo { all(trx) { return trx('orders'); } }",
            job="import { db } from './db';\nexport const run = (repo) => repo.all(db);",
        ),
        "src/job.ts:2 may hand over db",
    ),
    "a class made elsewhere with the connection": (
        orders(
            "export class Repo { constructor(private readonly trx) {}\n all() { return this.trx('orders'); } }",
            job="import { Repo } from './orders';\nimport { db } from './db';\nnew Repo(db);",
        ),
        "src/job.ts:3 hands over db",
    ),
    "a class below that is made with the connection": (
        orders(
            "class Base { constructor(protected trx) {} }\n"
            "class Repo extends Base { all() { return this.trx('orders'); } }\nnew Repo(db)"
        ),
        "hands over db",
    ),
    "a callback that is called without a tenant where it comes first": (
        orders(
            "const either = (a, b?) => { if (typeof a === 'function') { return a(db); } return inTenant(1, b); };\n"
            "either((q) => q('orders'));"
        ),
        "either hands db over",
    ),
    "a callback that is called under another name": (
        orders("const either = (a, b) => { const work = a ?? b; return work(db); };\neither((q) => q('orders'));"),
        "either hands db over",
    ),
    "a callback that is kept in a module": (
        orders(
            "let kept;\nexport const later = (work) => { kept = work; return inTenant(1, work); };\n"
            "export const now = () => kept(db);\nlater((q) => q('orders'));"
        ),
        "does something else with it",
    ),
    "a method of an object that an unknown name may be": (
        orders("const jobs = { exec: (work) => work(db) };\nexport const all = (x) => x.exec((q) => q('orders'));"),
        "exec hands db over",
    ),
    "a method that is assigned, which an unknown name may be": (
        orders("exports.exec = (work) => work(db);\nexport const all = (x) => x.exec((q) => q('orders'));"),
        "hands db over",
    ),
    "a function that gives a connection in a class below": (
        orders(
            f"class Base {{ async begin() {{ const trx = await db.transaction(); {SET} return trx; }}\n"
            " async all() { const q = await this.begin(); return q('orders'); } }\n"
            "class Plain extends Base { async begin() { return db; } }"
        ),
        "through q: knex(…)",
    ),
    "a pg client after COMMIT": (
        orders(
            "import { Client } from 'pg';\nexport async function all(id) { const c = new Client();"
            " await c.query('BEGIN');"
            " await c.query(`SET LOCAL app.tenant = '${id}'`); await c.query('COMMIT');"
            " return c.query('SELECT * FROM orders'); }"
        ),
        "src/orders.ts:3 sets the tenant on it, but not always, or not before this",
    ),
    "a transaction that was rolled back": (
        orders(
            f"async function all(id) {{ const trx = await db.transaction(); {SET}"
            " if (id > 1) { await trx.rollback(); } return trx('orders'); }"
        ),
        "not always",
    ),
    "a model without a transaction": (
        orders("class Order extends Model { static tableName = 'orders'; }\nexport const all = () => Order.query();"),
        "Order.query() runs on the connection that the model is bound to",
    ),
    "a model that is queried elsewhere": (
        orders(
            "export class Order extends Model { static get tableName() { return 'orders'; } }",
            api="import { Order } from './orders';\nexport const one = (id) => Order.query().findById(id);",
        ),
        "src/api.ts:2",
    ),
    "a model that is bound to a connection": (
        orders("class Order extends Model {}\nOrder.tableName = 'orders';\nconst Bound = Order.bindKnex(db);"),
        "through db",
    ),
    "an entity of TypeORM": (orders("@Entity('orders')\nclass Order {}"), "@Entity maps a class of an ORM"),
    "a table of Drizzle": (
        orders("import { pgTable } from 'drizzle-orm/pg-core';\nexport const orders = pgTable('orders', {});"),
        "pgTable of drizzle-orm/pg-core",
    ),
    "a model of Bookshelf": (
        orders("const Order = bookshelf.model('Order', { tableName: 'orders' });"),
        "hands it to bookshelf.model",
    ),
    "a model of Prisma": (
        {"prisma/schema.prisma": 'model Order {\n  id Int\n  @@map("orders")\n}'},
        "prisma/schema.prisma:3 maps it to a model",
    ),
    "a tenant that is set only if there is one": (
        {
            "src/db.ts": DB.replace(SET, f"if (id) {{ {SET} }}"),
            "src/orders.ts": IMPORT + "inTenant(1, (trx) => trx('orders'))",
        },
        "src/db.ts:6 sets the tenant on it, but not always, or not before this",
    ),
    "a tenant that is set only with &&": (
        {
            "src/db.ts": DB.replace(SET, f"id && ({SET[:-1]});"),
            "src/orders.ts": IMPORT + "inTenant(1, (trx) => trx('orders'))",
        },
        "inTenant hands trx over",
    ),
    "reading before the tenant is set": (
        orders(
            f"db.transaction(async (trx) => {{ const before = await trx('orders'); {SET} return trx('customers'); }})"
        ),
        "not before this",
    ),
    "calling back before the tenant is set": (
        {
            "src/db.ts": DB.replace(SET, "const rows = await work(trx);").replace(
                "return work(trx);", f"{SET} return rows;"
            ),
            "src/orders.ts": IMPORT + "inTenant(1, (trx) => trx('orders'))",
        },
        "inTenant hands trx over (src/db.ts:6)",
    ),
    "setting that nobody awaits": (
        orders(f"db.transaction(async (trx) => {{ {SET.removeprefix('await ')} return trx('orders'); }})"),
        "not always",
    ),
    "one function of two that sets the tenant": (
        orders(
            f"export const one = (id) => db.transaction(async (trx) => {{ {SET} return trx('orders'); }});\n"
            "export const all = () => db.transaction(async (trx) => trx('orders'));"
        ),
        "src/orders.ts:3 reaches it through trx",
    ),
    "a tenant that is set on another connection": (
        orders(
            "db.transaction(async (trx) => { await db.raw(`SELECT set_config('app.tenant', ?, true)`, [1]);"
            " return trx('orders'); })"
        ),
        "through trx",
    ),
    "a helper that hands over another handle than it set": (
        {
            "src/db.ts": DB.replace("return work(trx);", "return work(db);"),
            "src/orders.ts": IMPORT + "inTenant(1, (q) => q('orders'))",
        },
        "inTenant hands db over",
    ),
    "a tenant that is set outside of a transaction": (
        orders(
            "export async function all(id) { await db.raw(`SELECT set_config('app.tenant', ?, true)`, [id]);"
            " return db('orders'); }"
        ),
        "through db",
    ),
    "a tenant that is set for the session": (
        orders("db.transaction(async (trx) => { await trx.raw(`SET app.tenant = '1'`); return trx('orders'); })"),
        "sets the tenant for a session",
    ),
    "another setting": (
        orders(
            "db.transaction(async (trx) => { await trx.raw(`SELECT set_config('app.user', ?, true)`, [1]);"
            " return trx('orders'); })"
        ),
        "sets app.user, which is not what it takes",
    ),
    "a helper that may return before it sets the tenant": (
        orders(
            f"async function setTenant(trx, id) {{ if (!id) return; {SET} }}\n"
            "db.transaction(async (trx) => { await setTenant(trx, id); return trx('orders'); })"
        ),
        "through trx",
    ),
    "a tenant that is taken away again": (
        orders(
            "db.transaction(async (trx) => { await trx.raw(`SELECT set_config('app.tenant', '', true)`);"
            " return trx('orders'); })"
        ),
        "takes the tenant away",
    ),
    "a transaction that is replaced by the connection": (
        orders(f"async function all(trx, id) {{ {SET} trx = db; return trx('orders'); }}"),
        "through trx: knex(…)",
    ),
    "a parameter that falls back on the connection": (
        orders("export async function all(trx) { trx = trx || db; return trx('orders'); }"),
        "through trx: knex(…)",
    ),
    "a connection that is made when it is needed": (
        orders(
            "import knex from 'knex';\nlet conn;\nexport const connect = () => { conn ??= knex({}); return conn; };\n"
            "export const all = () => connect()('orders')"
        ),
        "through connect(): knex(…)",
    ),
    "functions that hand a connection to each other": (
        orders(
            "function one(trx, n) { if (n) two(trx, n - 1); return trx('orders'); }\n"
            "function two(trx, n) { if (n) one(trx, n - 1); return trx('orders'); }\none(db, 3);"
        ),
        "src/orders.ts:3 reaches it through trx",
    ),
    "a helper that may return in the try that sets the tenant": (
        orders(
            f"async function setTenant(trx, id) {{ try {{ if (!id) return; {SET} }} catch (e) {{ throw e; }} }}\n"
            "db.transaction(async (trx) => { await setTenant(trx, id); return trx('orders'); })"
        ),
        "through trx",
    ),
    "a method that is overridden by one that sets nothing": (
        orders(
            f"class Base {{ {RUN}\n"
            " all() { return this.run(1, (trx) => trx('orders')); } }\n"
            "class Other extends Base { run(id, work) { return work(db); } }"
        ),
        "run hands db over",
    ),
    "a field that is replaced from outside": (
        orders(
            "class Repo { constructor(trx: Knex.Transaction) { this.trx = trx; }\n"
            " all() { return this.trx('orders'); } }\nconst repo = new Repo(undefined);\nrepo.trx = db;"
        ),
        "through this.trx: knex(…)",
    ),
    "another transaction of the same name that has the tenant": (
        orders(
            f"async function all(trx, id) {{ {{ const trx = await db.transaction(); {SET} }} return trx('orders'); }}\n"
            "all(db, 1);"
        ),
        "not always, or not before this",
    ),
    "a caller whose import cannot be resolved": (
        orders(
            "export const all = (trx) => trx('orders')",
            job="import { all } from '#app/orders';\nimport { db } from './db';\nall(db);",
        ),
        "src/job.ts:3 may hand over db",
    ),
    "a pg client without BEGIN": (
        orders(
            "export async function all(client, id) {"
            " await client.query(`SELECT set_config('app.tenant', $1, true)`, [id]);"
            " return client.query('SELECT * FROM orders'); }"
        ),
        "outside of a transaction",
    ),
    "the request's connection without a tenant": (
        {
            "src/middleware.ts": "const db = knex({});\nexport const attach = (req, _, go) => { req.db = db; go(); };",
            "src/orders.ts": "export const list = (req) => req.db('orders')",
        },
        "through req.db: knex(…)",
    ),
    "a middleware that sets the tenant only for some": (
        {
            "src/middleware.ts": "export async function tenant(req, res, next) { const trx = await db.transaction();"
            f" if (req.user) {{ {SET} }} req.trx = trx; next(); }}",
            "src/orders.ts": "export const list = (req) => req.trx('orders')",
        },
        "not always",
    ),
    "a storage that is filled with the connection": (
        {
            "src/scope.ts": "import { AsyncLocalStorage } from 'node:async_hooks';\nexport const db = knex({});\n"
            "const storage = new AsyncLocalStorage();\nexport const current = () => storage.getStore() ?? db;",
            "src/orders.ts": "import { current } from './scope';\nexport const all = () => current()('orders')",
        },
        "through current()",
    ),
    "a constant that is used on the plain connection": (
        orders("const TABLE = 'orders';\nexport const all = () => db(TABLE);"),
        "reaches it, in src/orders.ts:3, through db",
    ),
    "a constant of another file on the plain connection": (
        orders(
            "import { TABLES } from './tables';\nexport const all = () => db(TABLES.orders)",
            tables="export const TABLES = { orders: 'orders', users: 'users' } as const;",
        ),
        "src/tables.ts:1 reaches it, in src/orders.ts:3, through db",
    ),
    "a name that is handed to a function behind another argument": (
        orders("const load = (a, table: string) => db(table);\nload(1, 'orders')"),
        "through db",
    ),
    "names in an object that CommonJS exports": (
        {
            "src/constants.js": "module.exports = { TABLES: { users: 'users', orders: 'orders' } };",
            "src/a.js": "const { TABLES } = require('./constants');\nconst knex = require('./db');\n"
            "knex(TABLES.orders);",
        },
        "src/constants.js:1 names it, in src/a.js:3, and hands it to knex of ./db",
    ),
    "names in an object within a module of CommonJS": (
        {
            "src/constants.js": "module.exports = { TABLES: { orders: 'orders' } };",
            "src/a.js": "const names = require('./constants');\nexports.all = (db) => db(names.TABLES.orders);",
        },
        "src/constants.js:1 reaches it, in src/a.js:2, through db",
    ),
    "a name that is exported by itself": (
        {
            "src/constants.js": "exports.ORDERS = 'orders';",
            "src/a.js": "const { ORDERS } = require('./constants');\nexports.all = (db) => db(ORDERS);",
        },
        "in src/a.js:2, through db",
    ),
    "names in an object that is the default export": (
        orders(
            "import tables from './tables';\nexport const all = () => db(tables.orders)",
            tables="export default { orders: 'orders', users: 'users' };",
        ),
        "in src/orders.ts:3, through db",
    ),
    "names that are frozen": (
        orders("const TABLES = Object.freeze({ orders: 'orders' });\nexport const all = () => db(TABLES.orders);"),
        "in src/orders.ts:3, through db",
    ),
    "names in a set": (
        orders("const TABLES = new Set(['users', 'orders']);\nfor (const table of TABLES) await db(table).del();"),
        "in src/orders.ts:3, through db",
    ),
    "a list of names right where a callback takes them": (
        orders("['users', 'orders'].forEach((table) => db(table).del());"),
        "through db",
    ),
    "a piece of SQL that begins with a column": (
        orders("db('a').whereRaw('n < coalesce((select max(n) from orders where a = b.id), 0)')"),
        "through db",
    ),
    "names in pairs that a loop goes through": (
        orders("for (const [table, column] of [['users', 'a'], ['orders', 'b']]) await db(table).del();"),
        "reaches it, in src/orders.ts:2, through db",
    ),
    "names in pairs behind others that a callback takes": (
        orders(
            "const T = [...more, ['x', 'orders']];\nT.forEach(([schema, table]) => db.raw(`DELETE FROM ${table}`));"
        ),
        "through db",
    ),
    "names in objects that a loop goes through": (
        orders("const T = [{ of: { table: 'orders' } }];\nfor (const { of: { table: t } } of T) await db(t).del();"),
        "through db",
    ),
    "SQL in objects that a loop goes through": (
        orders(
            "const T = [{ sql: `SELECT 1 FROM orders` }];\nfor (const s of T) { if (s.sql) { await db.raw(s.sql); } }"
        ),
        "through db",
    ),
    "a name that is taken out of a constant": (
        orders(
            "const TABLES = { orders: 'orders' };\nconst { orders } = TABLES;\nexport const all = () => db(orders);"
        ),
        "in src/orders.ts:4, through db",
    ),
    "a name that is taken out of a constant and exported": (
        orders("const TABLES = { orders: 'orders' };\nexport const { orders } = TABLES;"),
        "what becomes of it is not followed",
    ),
    "SQL that is put together step by step, without a tenant": (
        orders("let sql = 'SELECT *';\nsql += ' FROM orders';\nif (a) { sql += ' LIMIT 1'; }\ndb.raw(sql.trim());"),
        "through db",
    ),
    "SQL that something unknown is made of": (
        orders("const sql = 'SELECT * FROM orders';\nexport const all = () => run(sql.toBuffer());"),
        "what becomes of this SQL is not followed",
    ),
    "a name that is wrapped under its own name": (
        orders(
            "async function boundary(table, reason) {\n"
            " if (!reason.trim()) { throw new Error(); } return { table, reason }; }\n"
            "const query = (conn, of) => conn(of.table);\n"
            "for (const table of ['orders']) { const found = await boundary(table, `clean ${table} from all`);"
            " await query(db, found); }"
        ),
        "src/orders.ts:5 hands over db",
    ),
    "something of the workspace that is called as a set is": (
        orders("class Set { add(table) { return db(table); } }\nconst failed = new Set();\nfailed.add('orders');"),
        "through db",
    ),
    "a proxy that falls back on the connection": (
        {
            "src/scope.ts": "import { AsyncLocalStorage } from 'node:async_hooks';\nimport knex from 'knex';\n"
            "const pool = knex({});\nconst storage = new AsyncLocalStorage();\nexport const db = new Proxy(pool, {\n"
            " apply(_, __, args) { return (storage.getStore() ?? pool)(...args); } });",
            "src/orders.ts": "import { db } from './scope';\nexport const all = () => db('orders')",
        },
        "new Proxy(…) (src/scope.ts:5) stands before pool: knex(…) (src/scope.ts:3) is a connection",
    ),
    "a helper that sets the tenant only for some": (
        orders(
            f"async function setTenant(trx, id) {{ {SET} }}\n"
            "export const inSome = (id, work) => db.transaction(async (trx) => {\n"
            " if (id) await setTenant(trx, id);\n return work(trx); });\ninSome(1, (trx) => trx('orders'));"
        ),
        "inSome hands trx over (src/orders.ts:5): src/orders.ts:4 sets the tenant on it, but not always",
    ),
    "a client of a pool": (
        orders(
            "import { Pool } from 'pg';\nconst pool = new Pool();\nconst c = await pool.connect();\n"
            "c.query('SELECT 1 FROM orders');"
        ),
        "through c: new Pool() (src/orders.ts:3) is a connection for which no tenant is set",
    ),
    "a seed that calls what it is given a transaction": (
        {"seeds/a.ts": "export async function seed(trx: Knex.Transaction) { await trx('orders').insert({}); }"},
        "Knex runs seed (seeds/a.ts:1) on a connection for which no tenant is set",
    ),
    "a list of names that is folded": (
        orders("['orders'].reduce((done, table) => done.then(() => db(table).del()), Promise.resolve());"),
        "through db",
    ),
    "all values of an object": (
        orders("const TABLES = { a: 'orders' };\nObject.values(TABLES).forEach((table) => db(table).del());"),
        "in src/orders.ts:3, through db",
    ),
    "a list of tables that a loop empties": (
        orders("for (const table of ['orders', 'users']) { await db(table).del(); }"),
        "through db",
    ),
    "a list of tables that a callback empties": (
        orders("const ALL = ['orders'];\nALL.forEach((table) => db(table).del());"),
        "through db",
    ),
    "a base class that queries the table of its subclass": (
        orders(
            "class Base { constructor(private table) {}\n all() { return db(this.table); } }\n"
            "class Orders extends Base { constructor() { super('orders'); } }"
        ),
        "through db",
    ),
    "a helper that takes SQL and runs it without a tenant": (
        orders("const query = (text) => db.raw(text);\nquery('SELECT * FROM orders')"),
        "src/orders.ts:3 reaches it, in src/orders.ts:2, through db",
    ),
    "SQL in pieces": (orders("db.raw('SELECT * FROM ' + 'orders' + ' WHERE 1')"), "through db"),
    "a binding for an identifier": (orders("db.raw('SELECT * FROM ??', ['orders'])"), "through db"),
    "a second relation in a list": (orders("db.raw('select * from customers c, orders o')"), "through db"),
    "a quoted name with its schema": (orders("""db.raw('DELETE FROM "public"."orders"')"""), "through db"),
    "an alias in an object": (orders("db({ o: 'orders' })"), "through db"),
    "postgres.js": (
        orders("const sql = postgres();\nexport const all = () => sql`SELECT * FROM orders`"),
        "through sql",
    ),
    "Kysely without a transaction": (
        orders("const k = new Kysely({});\nexport const all = () => k.selectFrom('orders').selectAll().execute()"),
        "through k",
    ),
    "something that is not in the workspace": (
        orders("import { query } from '@acme/data';\nquery('SELECT * FROM orders')"),
        "query of @acme/data, whose code is not in the workspace",
    ),
    "something injected": (
        orders(
            "class Repo { constructor(@Inject('DB') private readonly conn) {}\n all() { return this.conn('orders'); } }"
        ),
        "conn is handed to Repo (src/orders.ts:2), and by whom is not known",
    ),
    "something unknown": (orders("class A { all() { return this.store('orders'); } }"), "through this.store"),
    "a global": (orders("knex('orders')"), "knex is not declared in this file"),
    "code that runs before the tenant is known": (
        {"src/db.ts": DB, "src/login.ts": IMPORT + "inTenant(1, (trx) => trx('orders'))"},
        "src/login.ts:2 names it, in code that runs before the tenant is known",
    ),
    "a seed": (
        {"seeds/a.ts": "export async function seed(knex: Knex) { await knex('orders').insert({}); }"},
        "through knex",
    ),
    "a SQL file": (
        {"scripts/purge.sql": "BEGIN;\nDELETE FROM orders;\nCOMMIT;"},
        "scripts/purge.sql:2 names it in SQL",
    ),
    "a SQL file that sets the tenant too late": (
        {"scripts/purge.sql": "DELETE FROM orders;\nSET app.tenant = '1';"},
        "scripts/purge.sql:1",
    ),
    "a shell script": ({"bin/purge.sh": 'psql -c "DELETE FROM orders WHERE old"'}, "bin/purge.sh:1 names it in SQL"),
    "a script in Python": (
        {"tools/report.py": 'rows = c.execute("""\n  select *\n  FROM orders""")'},
        "tools/report.py:3",
    ),
}

# A transaction that somebody unknown hands over is trusted.
TRUSTED = {
    "a parameter that is a transaction by its name",
    "a parameter that is a transaction by its type",
    "a class that is handed a transaction by somebody unknown",
}
FUNCTIONS = {"set_tenant": SETTINGS}


@pytest.mark.parametrize("case", PROVEN)
def test_proven(case: str) -> None:
    assert doubts(PROVEN[case], functions=FUNCTIONS) == []


@pytest.mark.parametrize("case", DOUBTED)
def test_doubted(case: str) -> None:
    files, expected = DOUBTED[case]
    found = doubts(files, functions=FUNCTIONS)
    assert found, "no doubt at all"
    assert any(expected in sentence for sentence in found), found


def test_no_secret_is_shown() -> None:
    (found,) = doubts({"src/a.ts": "const db = knex({ connection: 'postgres://me:hunter2@host' });\ndb('orders')"})
    assert "hunter2" not in found
    assert "db: knex(…)" in found


HOSTILE = {
    "brackets": "(" * 200_000 + "'orders'",
    "calls in calls": "f(" * 100_000 + "'orders'" + ")" * 100_000,
    "a long chain": "db('orders')" + ".a()" * 100_000,
    "a long sum": "db.raw('select * from orders'" + " + 'x'" * 100_000 + ")",
    "one long line": "db('orders');" * 50_000,
    "a name that is everywhere": "const orders = 'orders';\n" + "orders;" * 100_000,
    "functions that call each other": "".join(
        f"function f{n}(t) {{ f{n + 1}(t); f{n + 2}(t); return t('orders'); }}\n" for n in range(300)
    ),
    "templates in templates": "`${" * 50_000 + "orders",
    "quotes and commas": "from " + ", orders" * 50_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_code_ends_in_an_answer(case: str) -> None:
    assert all(isinstance(doubt, str) for doubt in itertools.islice(found({"a.ts": HOSTILE[case]}), 9))


def test_no_setting_proves_everything_doubtful() -> None:
    """Where the policies read no setting, no access is proven: the check of the proofs themselves."""
    proven = {
        case
        for case, files in PROVEN.items()
        if case not in TRUSTED and "trx('orders')" in (text := "".join(files.values())) and "set_config" in text
    }
    silent = {case for case in proven if not doubts(PROVEN[case], settings=frozenset())}
    assert len(proven) > 15
    assert silent == set()
