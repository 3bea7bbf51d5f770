# ruff: noqa: E501 (a case stands on one line, so that the table can be read)
"""What migrations really do, one idiom a case: the text of `up`, and what it sends."""

from __future__ import annotations

import pytest

from evaluate.world import RecordingWorld, in_up, run

TABLES = {"users": ("id", "tenant_id"), "orders": ("id",)}

# (what it shows, the body of up, what is sent)
BODIES: list[tuple[str, str, list[str]]] = [
    ("an empty up", "", []),
    ("a raw string", "await knex.raw('select 1');", ["select 1"]),
    ("a raw template", "await knex.raw(`select 1`);", ["select 1"]),
    ("raw on the schema", "await knex.schema.raw('select 1');", ["select 1"]),
    ("chained raws", "await knex.schema.raw('a').raw('b');", ["a", "b"]),
    ("an un-awaited builder never runs", "knex.raw('select 1');", []),
    ("a returned builder runs", "return knex.raw('select 1');", ["select 1"]),
    ("a builder kept in a variable runs when it is awaited", "const q = knex.raw('a'); await q;", ["a"]),
    ("a builder runs each time it is awaited", "const q = knex.raw('a'); await q; await q;", ["a", "a"]),
    ("a builder in a condition", "if (true) await knex.raw('a'); else await knex.raw('b');", ["a"]),
    ("a constant in a template", "const t = 'users'; await knex.raw(`drop table ${t}`);", ["drop table users"]),
    ("concatenation", "await knex.raw('drop ' + 'table ' + 'a');", ["drop table a"]),
    ("a loop over a constant array", "for (const t of ['a', 'b']) await knex.raw(t);", ["a", "b"]),
    ("a loop over entries", "for (const [k, v] of Object.entries({a: 1})) await knex.raw(k + v);", ["a1"]),
    ("a loop over objects", "for (const { t, c } of [{ t: 'x', c: 'y' }]) await knex.raw(`${t}.${c}`);", ["x.y"]),
    ("nested loops", "for (const a of ['x', 'y']) for (const b of [1, 2]) await knex.raw(a + b);", ["x1", "x2", "y1", "y2"]),
    ("a counted loop", "for (let i = 0; i < 2; i++) await knex.raw(`s${i}`);", ["s0", "s1"]),
    ("a loop over keys", "for (const k in { a: 1, b: 2 }) await knex.raw(k);", ["a", "b"]),
    (
        "batches until a round updates nothing",
        "while (true) { const n = await knex('t').whereNull('a').update({ a: 1 }); if (n === 0) break; } "
        "await knex.raw('after');",
        ['update "t" set "a" = 1 where "a" is null', "after"],
    ),
    (
        "batches until a flag falls",
        "let more = true; while (more) { const { rows } = await knex.raw('update t'); "
        "if (rows.length === 0) { more = false; } } await knex.raw('after');",
        ["update t", "after"],
    ),
    (
        "batches of a for without a test",
        "for (;;) { const r = await knex.raw('update t'); if (!r.rowCount) { return; } }",
        ["update t"],
    ),
    ("while with a counter", "let i = 0; while (i < 2) { await knex.raw(`s${i++}`); }", ["s0", "s1"]),
    ("for await", "for await (const t of ['a', 'b']) await knex.raw(t);", ["a", "b"]),
    ("break and continue", "for (const t of ['a', 'b', 'c']) { if (t === 'a') continue; if (t === 'c') break; await knex.raw(t); }", ["b"]),
    ("forEach with an async function", "['a', 'b'].forEach(async t => { await knex.raw(t); });", ["a", "b"]),
    ("map into Promise.all", "await Promise.all(['a', 'b'].map(t => knex.raw(t)));", ["a", "b"]),
    ("Promise.all of an array of builders", "await Promise.all([knex.raw('a'), knex.raw('b')]);", ["a", "b"]),
    ("a returned Promise.all", "return Promise.all([knex.raw('a')]);", ["a"]),
    ("Promise.allSettled", "await Promise.allSettled([knex.raw('a'), knex.raw('b')]);", ["a", "b"]),
    ("reduce over promises", "await ['a', 'b'].reduce((p, t) => p.then(() => knex.raw(t)), Promise.resolve());", ["a", "b"]),
    ("then chains", "return knex.raw('a').then(() => knex.raw('b')).then(() => knex.raw('c'));", ["a", "b", "c"]),
    ("then runs a builder that is not awaited", "knex.raw('a').then(() => {});", ["a"]),
    ("finally", "await knex.raw('a').finally(() => knex.raw('b'));", ["a", "b"]),
    ("catch after a success", "await knex.raw('a').catch(() => knex.raw('b'));", ["a"]),
    ("an async helper", "async function f(k) { await k.raw('a'); } await f(knex);", ["a"]),
    ("an async helper that is not awaited runs", "async function f(k) { await k.raw('a'); } f(knex);", ["a"]),
    ("a helper that returns a builder", "const f = t => knex.raw(t); await f('a'); f('b');", ["a"]),
    ("an async arrow that returns a builder runs it", "const f = async t => knex.raw(t); f('a');", ["a"]),
    ("a helper before its declaration", "await f(); function f() { return knex.raw('a'); }", ["a"]),
    (
        "what an asynchronous callback awaits is sent after its table",
        "await knex.schema.table('users', async t => { t.string('r'); await knex('users').update({ r: 'x' }); t.string('late'); });",
        ['alter table "users" add column "r" varchar(255)', 'update "users" set "r" = \'x\''],
    ),
    ("a closure over the handle", "const go = async (t) => { await knex.raw(t); }; await go('a');", ["a"]),
    ("an immediately called function", "await (async () => { await knex.raw('a'); })();", ["a"]),
    ("default parameters", "const f = (t, s = 'public') => `${s}.${t}`; await knex.raw(f('a'));", ["public.a"]),
    ("rest parameters", "const f = (...t) => t.join(', '); await knex.raw(f('a', 'b'));", ["a, b"]),
    ("spread arguments", "const f = (a, b) => a + b; await knex.raw(f(...['a', 'b']));", ["ab"]),
    ("destructured parameters", "const f = ({ t, c = 'id' }) => t + c; await knex.raw(f({ t: 'x' }));", ["xid"]),
    ("join with quotes", "await knex.raw(`in (${['a', 'b'].map(x => `'${x}'`).join(', ')})`);", ["in ('a', 'b')"]),
    ("a switch", "switch ('b') { case 'a': await knex.raw('1'); break; case 'b': await knex.raw('2'); }", ["2"]),
    ("an object as a table of texts", "const q = { a: 'x', b: 'y' }; await knex.raw(q['b']);", ["y"]),
    ("an object with methods", "const o = { t: 'x', sql() { return this.t; } }; await knex.raw(o.sql());", ["x"]),
    ("a class used as a namespace", "class S { static t = 'x'; static sql() { return S.t; } } await knex.raw(S.sql());", ["x"]),
    ("an instance with a handle", "class M { constructor(private k: any) {} go() { return this.k.raw('a'); } } await new M(knex).go();", ["a"]),
    ("an enum", "enum R { Admin = 'admin', User = 'user' } await knex.raw(Object.values(R).join());", ["admin,user"]),
    ("a numeric enum", "enum R { A, B = 5, C } await knex.raw(`${R.A} ${R.C} ${R[5]}`);", ["0 6 B"]),
    ("a const assertion", "const T = ['a'] as const; for (const t of T) await knex.raw(t);", ["a"]),
    ("satisfies, as and !", "const o = { a: 'x' } satisfies object; await knex.raw((o as any).a!);", ["x"]),
    (
        "type arguments after await",
        "type R = { a: string }; const h = await knex.select<R[]>('a').from('t').first<{ a: string }>(); "
        "await knex<R>('u').insert({ a: 'b' }); await knex.raw<{ rows: R[] }>('x');",
        ['select "a" from "t" limit 1', "insert into \"u\" (\"a\") values ('b')", "x"],
    ),
    (
        "type arguments after other operators",
        "const f = <T,>(x: T): T => x; const g = { f }; "
        "if (!f<boolean>(false) && !g.f<boolean>(false)) await knex.raw('a' + g.f<string>('b') + f<string>('c')); "
        "await knex.raw(`${1 + -f<number>(3)} ${typeof g?.f<string>('d')}`);",
        ["abc", "-2 string"],
    ),
    ("generics", "const f = <T,>(x: T): T => x; await knex.raw(f<string>('a'));", ["a"]),
    ("optional chaining", "const o: any = null; await knex.raw(o?.a ?? 'b');", ["b"]),
    ("a tagged template of the program", "const sql = (s, ...v) => s.join('-') + s.raw.length + v; await knex.raw(sql`a${1}b`);", ["a-b21"]),
    ("knex.raw as a tag", "await knex.raw`select 1`;", ["select 1"]),
    ("a labelled continue", "outer: for (const a of [1, 2]) { for (const b of [1, 2]) { if (b === 2) continue outer; await knex.raw(`${a}${b}`); } }", ["11", "21"]),
    ("try without an error", "try { await knex.raw('a'); } catch (e) { await knex.raw('b'); } finally { await knex.raw('c'); }", ["a", "c"]),
    ("throw and catch", "try { throw new Error('x'); } catch (e) { await knex.raw(e.message); }", ["x"]),
    ("a Set without repetitions", "for (const t of new Set(['a', 'a', 'b'])) await knex.raw(t);", ["a", "b"]),
    ("a Map", "for (const [k, v] of new Map([['a', 1]])) await knex.raw(k + v);", ["a1"]),
    ("a replaced text", "await knex.raw('__T__ x'.replace(/__T__/g, 'users'));", ["users x"]),
    ("split statements", "for (const s of 'a;b;'.split(';').filter(s => s.trim())) await knex.raw(s);", ["a", "b"]),
    ("console is without effect", "console.log('x', knex); console.table([]); await knex.raw('a');", ["a"]),
    ("a timer", "await new Promise(r => setTimeout(r, 10)); await knex.raw('a');", ["a"]),
    ("a new promise", "await new Promise((ok, no) => knex.raw('a').then(ok).catch(no));", ["a"]),
    ("hasTable that says no", "if (!(await knex.schema.hasTable('nope'))) await knex.raw('a');", ["a"]),
    ("hasTable that says yes", "if (await knex.schema.hasTable('users')) await knex.raw('a');", ["a"]),
    ("hasTable with then", "await knex.schema.hasTable('users').then(e => { if (!e) return knex.raw('a'); return knex.raw('b'); });", ["b"]),
    ("hasColumn", "if (!(await knex.schema.hasColumn('users', 'x'))) await knex.raw('a');", ["a"]),
    ("a guard with continue", "for (const t of ['users', 'nope']) { if (!(await knex.schema.hasTable(t))) continue; await knex.raw(t); }", ["users"]),
    ("an early return", "if (await knex.schema.hasTable('users')) { return; } await knex.raw('a');", []),
    ("createTable", "await knex.schema.createTable('t', t => { t.text('a'); });", ['create table "t" ("a" text)']),
    ("a table callback with a loop", "await knex.schema.createTable('t', t => { ['a', 'b'].forEach(c => t.text(c)); });", ['create table "t" ("a" text, "b" text)']),
    ("a table callback that is a function", "await knex.schema.createTable('t', function (t) { t.text('a'); });", ['create table "t" ("a" text)']),
    ("then in a table callback runs after the table", "await knex.schema.alterTable('t', t => { t.text('a'); knex.raw('b').then(() => { t.text('c'); return knex.raw('d'); }); });", ['alter table "t" add column "a" text', "b", "d"]),
    ("a column that waits for an answer comes too late", "await knex.schema.alterTable('t', t => { knex.schema.hasColumn('users', 'id').then(e => { if (e) t.text('a'); }); t.text('b'); });", ['alter table "t" add column "b" text']),
    ("a column after an await in a table callback comes too late", "await knex.schema.createTable('t', async t => { t.text('a'); if (await knex.schema.hasTable('users')) t.text('b'); });", ['create table "t" ("a" text)']),
    ("a model of Objection", "const { Model } = require('objection'); class User extends Model { static tableName = 'users'; } Model.knex(knex); for (const u of await User.query().where({ a: 1 })) { await knex.raw(u.a); } await knex.raw('a');", ["a"]),
    ("this in a table callback", "await knex.schema.createTable('t', function () { this.text('a'); });", ['create table "t" ("a" text)']),
    ("a helper that adds columns", "const common = (t: Knex.TableBuilder) => { t.text('a'); }; await knex.schema.createTable('t', t => { common(t); });", ['create table "t" ("a" text)']),
    ("a data loop", "for (const r of [{ a: 1 }]) await knex('t').insert(r);", ['insert into "t" ("a") values (1)']),
    ("a chain of tables", "await knex.schema.dropTable('a').dropTable('b');", ['drop table "a"', 'drop table "b"']),
    ("a call through call and apply", "const f = function (x) { return this.k.raw(x); }; await f.call({ k: knex }, 'a'); await f.apply({ k: knex }, ['b']);", ["a", "b"]),
    ("a bound function", "const raw = knex.raw.bind(knex); await raw('a');", ["a"]),
    ("a destructured handle", "const { schema } = knex; await schema.raw('a');", ["a"]),
    ("arguments", "function f() { return arguments[0].raw(arguments[1]); } await f(knex, 'a');", ["a"]),
    ("a generator", "function* g() { yield 'a'; yield 'b'; } for (const t of g()) await knex.raw(t);", ["a", "b"]),
    ("a getter", "const o = { get t() { return 'a'; } }; await knex.raw(o.t);", ["a"]),
    ("an assignment in a chain", "let a, b; a = b = 'x'; await knex.raw(a + b);", ["xx"]),
    ("a sequence", "let x; x = (1, 'a'); await knex.raw(x);", ["a"]),
    ("JSON", "await knex.raw(JSON.stringify({ a: [1, 'b'] }));", ['{"a":[1,"b"]}']),
    ("a comma in an array of statements", "const q = ['a', 'b',]; for (let i = 0; i < q.length; i += 1) { await knex.raw(q[i]); }", ["a", "b"]),
    ("a unknown logger is harmless", "logger.info('x'); await knex.raw('a');", ["a"]),
    ("a builder is text in a template", "await knex.raw(`select ${knex.raw('1')}`);", ["select 1"]),
    ("bindings", "await knex.raw('select ?', [1]);", ["select 1"]),
    ("identifiers as bindings", "await knex.raw('select ??', ['a']);", ['select "a"']),
    ("rows of a query are none", "const rows = await knex('users').select('id'); for (const r of rows) await knex('t').insert(r);", ['select "id" from "users"']),
    ("the length of rows", "const rows = await knex('users'); if (rows.length) await knex.raw('a');", ['select * from "users"']),
    ("the first row", "const r = await knex('users').first(); if (!r) await knex.raw('a');", ['select * from "users" limit 1', "a"]),
    ("mapped rows", "const ids = (await knex('users')).map(r => r.id); if (ids.length > 0) await knex.raw('a');", ['select * from "users"']),
]  # fmt: skip

IMPORTS = "import type { Knex } from 'knex';\nimport { logger } from '@company/logger';\n"


@pytest.mark.parametrize(("body", "sent"), [pytest.param(body, sent, id=title) for title, body, sent in BODIES])
def test_a_migration_sends(body: str, sent: list[str]) -> None:
    evaluation = run(IMPORTS + f"export async function up(knex: Knex) {{\n{body}\n}}", RecordingWorld(TABLES))
    assert [item.sql for item in evaluation.sent] == sent
    assert evaluation.unresolved == ()


FORMS = {
    "export async function": "export async function up(knex) { await knex.raw('a'); }",
    "export function that returns": "export function up(knex) { return knex.raw('a'); }",
    "export const arrow": "export const up = async (knex) => { await knex.raw('a'); };",
    "export const arrow with an expression": "export const up = (knex) => knex.raw('a');",
    "exports.up": "exports.up = async function (knex) { await knex.raw('a'); };",
    "exports.up and then": "exports.up = knex => knex.raw('a');\nexports.down = knex => knex.raw('b');",
    "exports with brackets": "exports['up'] = knex => knex.raw('a');",
    "module.exports object": "module.exports = { up, down };\nasync function up(knex) { await knex.raw('a'); }\nfunction down() {}",
    "module.exports with methods": "module.exports = { async up(knex) { await knex.raw('a'); }, async down() {} };",
    "module.exports.up": "module.exports.up = knex => knex.raw('a');",
    "exports = module.exports": "exports = module.exports = {}; exports.up = knex => knex.raw('a');",
    "export default object": "export default { up: (knex) => knex.raw('a') };",
    "export default of a constant": "const migration = { async up(knex) { await knex.raw('a'); } };\nexport default migration;",
    "export list": "async function up(knex) { await knex.raw('a'); }\nexport { up };",
    "export list with a new name": "async function forward(knex) { await knex.raw('a'); }\nexport { forward as up };",
    "export =": "import Knex = require('knex');\nexport = { up: (knex: Knex) => knex.raw('a') };",
    "strict CommonJS": "'use strict';\nconst T = 'a';\nexports.up = async (knex) => { await knex.raw(T); };",
    "compiled by TypeScript": '"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\n'
    "exports.down = exports.up = void 0;\nasync function up(knex) { await knex.raw('a'); }\nexports.up = up;",
    "Bluebird as the second parameter": "exports.up = (knex, Promise) => Promise.all([knex.raw('a')]);",
    "a pool by its type": "import { Pool } from 'pg';\nexport async function up(pool: Pool) { await pool.query('a'); }",
    "a client by its type": "import { PoolClient } from 'pg';\nexport const up = async (c: PoolClient) => { await c.query(`a`); };",
    "a pool by its use": "exports.up = async (db) => { const c = await db.connect(); try { await c.query('a'); } finally { c.release(); } };",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_every_way_to_export_up_is_understood(text: str) -> None:
    evaluation = run(text)
    assert [item.sql for item in evaluation.sent] == ["a"]
    assert evaluation.unresolved == ()


HELPER = (
    "export const T = 'a';\nexport const sql = (t: string) => t;\nexport default async (k, t) => { await k.raw(t); };"
)

MODULES = {
    "a named import": ("import { T } from './helper';\nexport const up = k => k.raw(T);", {"helper.ts": HELPER}),
    "a renamed import": ("import { T as U } from './helper';\nexport const up = k => k.raw(U);", {"helper.ts": HELPER}),
    "a default import": ("import go from './helper';\nexport const up = k => go(k, 'a');", {"helper.ts": HELPER}),
    "a namespace import": ("import * as h from './helper';\nexport const up = k => k.raw(h.T);", {"helper.ts": HELPER}),
    "a .js specifier that means .ts": (
        "import { T } from './helper.js';\nexport const up = k => k.raw(T);",
        {"helper.ts": HELPER},
    ),
    "the process and the buffer of Node by their modules": (
        "import process, { env } from 'node:process';\nimport { Buffer } from 'buffer';\nexport const up = k => k.raw(process.env.A === env.A ? Buffer.from('a').toString() : 'b');",
        {},
    ),
    "an index file": ("import { T } from './lib';\nexport const up = k => k.raw(T);", {"lib/index.ts": HELPER}),
    "require": (
        "const { T } = require('./helper');\nexports.up = k => k.raw(T);",
        {"helper.js": "module.exports = { T: 'a' };"},
    ),
    "require of exports": ("const h = require('./h');\nexports.up = k => k.raw(h.T);", {"h.js": "exports.T = 'a';"}),
    "a default import of CommonJS": (
        "import h from './h';\nexport const up = k => k.raw(h.T);",
        {"h.js": "module.exports = { T: 'a' };"},
    ),
    "re-exported up": ("export { up } from './real';", {"real.ts": "export const up = k => k.raw('a');"}),
    "everything re-exported": ("export * from './real';", {"real.ts": "export const up = k => k.raw('a');"}),
    "re-exported twice": (
        "import { T } from './lib';\nexport const up = k => k.raw(T);",
        {"lib/index.ts": "export * from './names';", "lib/names.ts": "export const T = 'a';"},
    ),
    "JSON": ("import d from './d.json';\nexport const up = k => k.raw(d.t);", {"d.json": '{"t": "a"}'}),
    "a dynamic import": (
        "export const up = async k => { const { T } = await import('./helper'); await k.raw(T); };",
        {"helper.ts": HELPER},
    ),
    "modules in a circle": (
        "import { T } from './helper';\nexport const V = 'a';\nexport const up = k => k.raw(T());",
        {"helper.ts": "import { V } from './001_test';\nexport const T = () => V;"},
    ),
    "an SQL file": (
        "import { readFileSync } from 'fs';\nimport { join } from 'path';\n"
        "export const up = k => k.raw(readFileSync(join(__dirname, 'up.sql'), 'utf8'));",
        {"up.sql": "a"},
    ),
    "an SQL file through require": (
        "const fs = require('node:fs');\nconst path = require('path');\n"
        "exports.up = k => k.raw(fs.readFileSync(path.resolve(__dirname, './up.sql')).toString());",
        {"up.sql": "a"},
    ),
    "a module that is not there is harmless until it is used": (
        "import log from '../../missing';\nimport x from 'left-pad';\nexport const up = async k => { log.info(x('y')); await k.raw('a'); };",
        {},
    ),
}


@pytest.mark.parametrize(("text", "files"), MODULES.values(), ids=MODULES.keys())
def test_imports_are_followed(text: str, files: dict[str, str]) -> None:
    evaluation = run(text, files={f"service/migrations/{path}": content for path, content in files.items()})
    assert [item.sql for item in evaluation.sent] == ["a"]
    assert evaluation.unresolved == ()


def test_path_aliases_of_tsconfig_are_followed() -> None:
    evaluation = run(
        "import { T } from '@shared/tables';\nimport { U } from 'lib/other';\nexport const up = k => k.raw(T + U);",
        files={
            "service/tsconfig.json": '{ // aliases\n "compilerOptions": {"baseUrl": "./src", "paths": {"@shared/*": ["shared/*"],} } }',
            "service/src/shared/tables.ts": "export const T = 'a';",
            "service/src/lib/other.ts": "export const U = 'b';",
        },
    )
    assert [item.sql for item in evaluation.sent] == ["ab"]


def test_down_is_evaluated_when_asked_for() -> None:
    text = "exports.up = k => k.raw('a');\nexports.down = k => k.raw('b');"
    assert [item.sql for item in run(text, direction="down").sent] == ["b"]


def test_the_transaction_of_the_configuration_is_told() -> None:
    assert run(in_up("")).transactional
    assert not run("export const config = { transaction: false };\nexport const up = k => k.raw('a');").transactional
    assert not run("exports.config = { transaction: false };\nexports.up = k => k.raw('a');").transactional


def test_the_text_of_a_literal_maps_to_its_place() -> None:
    text = in_up("  // é\n  await knex.raw(`ALTER TABLE a\n    ENABLE ROW LEVEL SECURITY`);")
    [sent] = run(text).sent
    assert sent.template is not None
    assert text.encode()[sent.template.start : sent.template.end].decode() == sent.sql
    assert (sent.place.line, sent.template.line) == (4, 4)


@pytest.mark.parametrize("body", ["await knex.raw('a' + 'b')", r"await knex.raw('a\nb')", "await knex.raw(`a${1}`)"])
def test_a_text_that_was_computed_maps_to_no_place(body: str) -> None:
    assert [sent.template for sent in run(in_up(body)).sent] == [None]


def test_a_literal_in_a_constant_still_maps_to_its_place() -> None:
    text = "const SQL = 'select 1';\n" + in_up("await knex.raw(SQL)")
    [sent] = run(text).sent
    assert sent.template is not None
    assert sent.template.line == 1


def test_each_call_of_a_chain_has_its_own_line() -> None:
    text = in_up("await knex.schema\n  .dropTable('a')\n  .dropTable('b');")
    assert [sent.place.line for sent in run(text).sent] == [4, 5]
