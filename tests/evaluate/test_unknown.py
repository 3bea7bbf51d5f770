# ruff: noqa: E501 (a case stands on one line, so that the table can be read)
"""What nothing can tell before the migration runs: never in silence, never in the way."""

from __future__ import annotations

import pytest

from evaluate.world import RecordingWorld, in_up, run
from remediate.evaluate.values import Unknown

ENV = "process.env.NODE_ENV === 'production'"


def test_sql_that_is_not_known_is_unresolved() -> None:
    evaluation = run(in_up("await knex.raw(`drop table ${process.env.T}`);\nawait knex.raw('a');"))
    assert [item.sql for item in evaluation.sent] == ["a"]
    [unresolved] = evaluation.unresolved
    assert "process.env.T" in unresolved.reason
    assert unresolved.place.line == 3


def test_the_environment_that_is_given_is_known() -> None:
    evaluation = run(in_up("await knex.raw(process.env.T);"), environment={"T": "a"})
    assert [item.sql for item in evaluation.sent] == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        "const t = process.env.T || 'a'; await knex.raw(t);",
        "const t = process.env.T ?? 'a'; await knex.raw(t);",
        "const { T = 'a' } = process.env; await knex.raw(T);",
        "const f = (t = 'a') => t; await knex.raw(f(process.env.T));",
        "const t = process.env.T ? process.env.T : 'a'; await knex.raw(t);",
    ],
)
def test_the_default_of_a_variable_is_taken_and_said(body: str) -> None:
    evaluation = run(in_up(body))
    assert [item.sql for item in evaluation.sent] == ["a"]
    assert evaluation.unresolved == ()
    assert any("process.env.T" in item.reason for item in evaluation.assumptions)


def test_a_branch_on_the_environment_goes_as_if_it_were_unset() -> None:
    evaluation = run(
        in_up(f"if ({ENV}) {{ await knex.raw('a'); }} else {{ await knex.raw('b'); }} await knex.raw('c');")
    )
    assert [(item.sql, item.conditional is not None) for item in evaluation.sent] == [("b", True), ("c", False)]
    assert evaluation.assumptions


def test_what_follows_a_return_that_may_happen_is_conditional() -> None:
    evaluation = run(in_up(f"await knex.raw('a'); if ({ENV}) return; await knex.raw('b');"))
    assert [(item.sql, item.conditional is not None) for item in evaluation.sent] == [("a", False), ("b", True)]


def test_a_variable_that_must_be_set_is_taken_as_set() -> None:
    evaluation = run(in_up("if (!process.env.T) throw new Error('T is required'); await knex.raw('a');"))
    assert [(item.sql, item.conditional) for item in evaluation.sent] == [("a", None)]
    assert evaluation.thrown is None


def test_a_branch_on_an_unknown_answer_is_taken_and_conditional() -> None:
    text = "import { enabled } from 'features';\n" + in_up(
        "if (enabled()) { await knex.raw('a'); } await knex.raw('b');"
    )
    evaluation = run(text)
    assert [(item.sql, item.conditional is not None) for item in evaluation.sent] == [("a", True), ("b", False)]


def test_an_early_return_on_an_unknown_answer_is_not_taken() -> None:
    text = "import { enabled } from 'features';\n" + in_up("if (!enabled()) { return; } await knex.raw('b');")
    evaluation = run(text)
    assert [(item.sql, item.conditional is not None) for item in evaluation.sent] == [("b", True)]


def test_a_catalog_question_without_an_answer_makes_the_branch_conditional() -> None:
    world = RecordingWorld(rows={"pg_proc": Unknown("not understood")})
    body = (
        "const r = await knex.raw('select exists (select 1 from pg_proc)'); if (!r.rows[0].exists) await knex.raw('a');"
    )
    evaluation = run(in_up(body), world)
    assert [(item.sql, item.conditional) for item in evaluation.sent][1:] == [("a", "not understood")]


def test_a_catalog_question_with_an_answer_is_answered() -> None:
    body = "const r = await knex.raw('select exists (…) from pg_proc'); if (!r.rows[0].exists) await knex.raw('a');"
    for exists, sent in ((True, 1), (False, 2)):
        assert len(run(in_up(body), RecordingWorld(rows={"pg_proc": [{"exists": exists}]})).sent) == sent


def test_a_loop_over_rows_of_a_catalog_query() -> None:
    world = RecordingWorld(rows={"pg_tables": [{"tablename": "a"}, {"tablename": "b"}]})
    body = "const { rows } = await knex.raw('select tablename from pg_tables'); for (const { tablename } of rows) await knex.raw(`drop table ${tablename}`);"
    assert [item.sql for item in run(in_up(body), world).sent][1:] == ["drop table a", "drop table b"]


def test_ddl_in_a_loop_over_rows_is_an_assumption() -> None:
    body = "for (const t of await knex('tenants')) { await knex.raw(`create schema ${t.name}`); }"
    evaluation = run(in_up(body))
    assert [item.sql for item in evaluation.sent] == ['select * from "tenants"']
    assert any("loop over query results" in item.reason for item in evaluation.assumptions)


def test_a_loop_over_something_unknown_that_reaches_the_database_is_unresolved() -> None:
    text = "import { tables } from 'shared';\n" + in_up("for (const t of tables) { await knex.raw(t); }")
    evaluation = run(text)
    assert [item.reason[:6] for item in evaluation.unresolved] == ["a loop"]
    evaluation = run("import { tables } from 'shared';\n" + in_up("tables.forEach(t => knex.raw(t).then());"))
    assert [item.reason[:6] for item in evaluation.unresolved] == ["a loop"]


def test_a_loop_over_something_unknown_that_stays_away_from_it_is_harmless() -> None:
    text = "import { tables } from 'shared';\n" + in_up("for (const t of tables) { console.log(t); }")
    assert run(text).unresolved == ()


@pytest.mark.parametrize("call", ["help(knex)", "help({ db: knex })", "help(() => knex.raw('a'))", "new help(knex)"])
def test_an_unknown_function_that_gets_the_handle_is_unresolved(call: str) -> None:
    world = RecordingWorld()
    evaluation = run("import { help } from '@company/db';\n" + in_up(f"await {call};"), world)
    [unresolved] = evaluation.unresolved
    assert "database handle" in unresolved.reason
    assert world.missed == [(unresolved, None)]


@pytest.mark.parametrize("call", ["knex.foo('x')", "knex.schema.foo('x')", "knex.migrate.latest()"])
def test_a_method_of_the_handle_that_is_not_known_is_unresolved(call: str) -> None:
    assert len(run(in_up(f"await {call};")).unresolved) == 1


@pytest.mark.parametrize(
    "make", ["import make from 'knex';\nconst db = make({});", "import { Pool } from 'pg';\nconst db = new Pool();"]
)
def test_a_connection_of_its_own_is_unresolved(make: str) -> None:
    method = "raw" if "knex" in make else "query"
    [unresolved] = run(f"{make}\n" + in_up(f"await db.{method}('drop table a');")).unresolved
    assert "connection of its own" in unresolved.reason


def test_values_that_are_not_known_leave_the_statement_known() -> None:
    evaluation = run(in_up("await knex('t').insert({ id: Math.random(), a: 1 });"))
    [sent] = evaluation.sent
    assert sent.sql.startswith('insert into "t"')
    assert "$1" in sent.sql
    assert sent.unknown_values


@pytest.mark.parametrize("value", ["Date.now()", "Math.random()", "process.argv"])
def test_what_differs_from_run_to_run_is_unknown(value: str) -> None:
    evaluation = run(in_up(f"await knex.raw(`select '${{{value}}}'`);"))
    assert evaluation.sent == ()
    assert len(evaluation.unresolved) == 1


DRAWN = [
    ("import { v4 as make } from 'uuid';", "make()"),
    ("const uuid = require('uuid');", "uuid.v1()"),
    ("import make from 'uuid/v4';", "make()"),
    ("import { randomUUID } from 'node:crypto';", "randomUUID()"),
    ("", "crypto.randomUUID()"),
    ("import crypto from 'crypto';", "crypto.randomBytes(16).toString('hex')"),
    ("", "new Date()"),
    ("", "new Date().toISOString()"),
]


@pytest.mark.parametrize(("imports", "value"), DRAWN)
def test_among_rows_something_stands_for_what_is_drawn_each_time(imports: str, value: str) -> None:
    body = f"const id = {value}; await knex('t').insert({{ id }}); await knex.raw(`insert into u values ('${{id}}')`);"
    evaluation = run(f"{imports}\n{in_up(body)}")
    assert not evaluation.unresolved
    first, second = (sent.sql.rpartition("values (")[2] for sent in evaluation.sent)
    assert first == second
    assert run(f"{imports}\n{in_up(body)}").sent == evaluation.sent


def test_each_time_something_else_is_drawn() -> None:
    body = "for (const i of [1, 2]) await knex('t').insert({ id: crypto.randomUUID() });"
    first, second = run(in_up(body)).sent
    assert first.sql != second.sql


@pytest.mark.parametrize(("imports", "value"), DRAWN)
def test_nothing_stands_for_it_in_the_schema(imports: str, value: str) -> None:
    evaluation = run(f"{imports}\n" + in_up(f"await knex.raw(`create table t_${{{value}}} (id int)`);"))
    assert evaluation.sent == ()
    assert len(evaluation.unresolved) == 1


def test_a_default_that_is_not_known_leaves_the_table_known() -> None:
    body = "await knex.schema.createTable('t', (t) => { t.uuid('id').defaultTo(v4()); t.text('a').notNullable(); });"
    evaluation = run("import { v4 } from 'uuid';\n" + in_up(body))
    assert [sent.sql for sent in evaluation.sent] == ['create table "t" ("id" uuid, "a" text not null)']
    [unresolved] = evaluation.unresolved
    assert unresolved.reason == "SQL that cannot be told: the default of id: uuid.v4()"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("uuid.NIL", "00000000-0000-0000-0000-000000000000"),
        ("uuid.v5('a', uuid.v5.DNS)", "4f3f2898-69e3-5a0d-820a-c4e87987dbce"),
        ("uuid.validate(uuid.NIL)", "true"),
        ("createHash('sha1').update('a').digest('hex')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ("createHash('md5').update('a').update('b').digest('base64')", "GH70Q2Ei0cwvQNwrkvDroA=="),
    ],
)
def test_what_is_computed_is_known(expression: str, value: str) -> None:
    imports = "import * as uuid from 'uuid';\nimport { createHash } from 'crypto';\n"
    [sent] = run(imports + in_up(f"await knex.raw(`select '${{{expression}}}'`);")).sent
    assert sent.sql == f"select '{value}'"


def test_a_list_that_is_empty_only_as_no_rows_are_known_ends_nothing() -> None:
    """Knex throws at an empty list, which no migration that was ever run on an empty database can have had."""
    body = """
    const rows = await knex('a').select('id');
    const items = [];
    for (const row of rows) items.push({ a_id: row.id });
    await knex('b').insert(items);
    await knex.raw('after');
    """
    evaluation = run(in_up(body))
    assert evaluation.sent[-1].sql == "after"
    assert not evaluation.unresolved
    assert any("a list that seems to be empty" in told.reason for told in evaluation.assumptions)


def test_a_list_that_is_empty_for_certain_ends_the_migration() -> None:
    evaluation = run(in_up("await knex('b').insert([]); await knex.raw('after');"))
    assert evaluation.sent == ()
    assert evaluation.thrown == "Error: The query is empty"


def test_errors_that_the_migration_catches_are_marked() -> None:
    body = """
    try { await knex.raw('a'); } catch (e) { console.log(e); }
    try { await knex.raw('b'); } catch (e) { throw e; }
    await knex.raw('c').catch(() => {});
    await knex.raw('d').catch(e => { throw e; });
    await knex.raw('e').then(() => {}, () => {});
    const f = async () => { await knex.raw('f'); };
    await f().catch(console.error);
    await knex.raw('g');
    """
    sent = {item.sql: item.swallowed for item in run(in_up(body)).sent}
    assert sent == {"a": True, "b": False, "c": True, "d": False, "e": True, "f": True, "g": False}


def test_a_refused_statement_throws_into_the_migration() -> None:
    body = "try { await knex.raw('bad'); await knex.raw('never'); } catch (e) { await knex.raw(e.code); }"
    assert [item.sql for item in run(in_up(body), RecordingWorld(refuse="bad")).sent] == ["bad", "42P01"]


def test_a_refusal_that_nobody_catches_ends_the_migration() -> None:
    evaluation = run(in_up("await knex.raw('bad'); await knex.raw('never');"), RecordingWorld(refuse="bad"))
    assert [item.sql for item in evaluation.sent] == ["bad"]
    assert evaluation.thrown is not None
    assert evaluation.unresolved == ()


def test_an_irreversible_down_is_no_unresolved_place() -> None:
    evaluation = run("exports.up = k => {};\nexports.down = () => { throw new Error('cannot'); };", direction="down")
    assert evaluation.thrown == "Error: cannot"
    assert evaluation.unresolved == ()


@pytest.mark.parametrize(
    "text",
    [
        "export async function up(knex) { await knex.raw('a' ",
        "exports.up = async (k) => { const = 1; };",
        b"\xff\xfe",
        "\0",
    ],
)
def test_a_file_that_does_not_parse_is_unresolved(text: str | bytes) -> None:
    evaluation = run(text)
    assert evaluation.sent == ()
    assert len(evaluation.unresolved) == 1


def test_a_file_without_up_is_unresolved() -> None:
    assert [item.reason for item in run("export const x = 1;").unresolved] == ["exports no up"]


def test_a_transaction_of_its_own_has_an_id() -> None:
    body = "await knex.transaction(async trx => { await trx.raw('a'); }); await knex.raw('b');"
    sent = {item.sql: item.transaction is not None for item in run(in_up(body)).sent if not item.control}
    assert sent == {"a": True, "b": False}


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("alter table users add constraint c ${x}", "users"),
        ("create policy p on app.users using (${x})", "app.users"),
        ('create table "Users" (${x})', "Users"),
        ("alter table ${x} add a text", None),
        ("alter table a add b ${x}; drop table c", "a"),
        ("${x}", None),
    ],
)
def test_what_is_known_of_unknown_sql_tells_what_it_is_about(sql: str, table: str | None) -> None:
    world = RecordingWorld()
    run("import { x } from 'shared';\n" + in_up(f"await knex.raw(`{sql}`);"), world)
    [(_, subject)] = world.missed
    assert (subject.name if subject else None) == table


def test_unknown_sql_that_only_changes_rows_says_nothing_about_the_schema() -> None:
    world = RecordingWorld()
    evaluation = run(
        "import { x } from 'shared';\n" + in_up("await knex.raw('delete from users where id = ' + x);"), world
    )
    assert world.missed == []
    assert len(evaluation.unresolved) == 1


def test_a_date_in_the_time_zone_of_the_machine_is_taken_as_utc_and_said() -> None:
    evaluation = run(
        in_up("await knex.raw(new Date('2000/1/2').toISOString()); await knex.raw(new Date(2000, 0, 2).toISOString());")
    )
    assert [item.sql for item in evaluation.sent] == ["2000-01-02T00:00:00.000Z"] * 2
    assert len(evaluation.assumptions) == 2


def test_a_counted_loop_over_rows_has_no_round() -> None:
    body = (
        "const rows = await knex('users'); for (let i = 0; i < rows.length; i++) { await knex('t').insert(rows[i]); }"
    )
    evaluation = run(in_up(body))
    assert len(evaluation.sent) == 1
    assert evaluation.unresolved == ()


def test_what_is_gathered_from_rows_is_empty() -> None:
    body = """
    const by = (await knex('users')).reduce((all, row) => { all[row.id] = row; return all; }, {});
    for (const [id, row] of Object.entries(by)) { await knex('t').insert({ id }); }
    """
    evaluation = run(in_up(body))
    assert len(evaluation.sent) == 1
    assert evaluation.unresolved == ()


@pytest.mark.parametrize("given", ["knex.client.config.connection", "{ host: knex.client.config.connection.host }"])
def test_a_library_that_gets_the_connection_is_told(given: str) -> None:
    evaluation = run(
        f"const Queue = require('some-queue');\nexports.up = async knex => {{ await new Queue({given}).start(); }};"
    )
    [unresolved] = evaluation.unresolved
    assert "with the database's connection" in unresolved.reason
    assert unresolved.place.line == 2


def test_what_a_class_inherits_from_something_unknown_is_not_known() -> None:
    body = "for (const row of await User.query()) { await knex('t').insert(row); }\nawait knex.raw('a');"
    text = "const { Base } = require('some-models');\nclass User extends Base {}\n" + in_up(body)
    world = RecordingWorld()
    evaluation = run(text, world)
    assert [item.sql for item in evaluation.sent] == ["a"]
    [unresolved] = evaluation.unresolved
    assert "inherits from something that is not known" in unresolved.reason
    assert world.missed == []


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        ("throw new Error('not here');", True),
        ("if (!(await knex.schema.hasTable('nope'))) throw new Error('no table');", True),
        (
            "const r = await knex.raw(\"select 1 from pg_proc where proname = 'f'\"); if (!r.rows.length) throw new Error('no f');",
            True,
        ),
        (f"if ({ENV}) throw new Error('not here');", False),
        ("const rows = await knex('t').select('a'); if (!rows.length) throw new Error('no rows');", False),
        ("const r = await knex.raw('select * from t'); if (!r.rows.length) throw new Error('no rows');", False),
        ("undefined.x;", False),
        ("throw somethingElse();", False),
    ],
)
def test_only_a_throw_that_is_certain_ends_the_run(body: str, ends: bool) -> None:
    world = RecordingWorld(rows={"pg_proc": [], "t": []})
    evaluation = run(in_up(body), world)
    assert evaluation.ends is ends


def test_each_migration_draws_something_else_from_a_helper() -> None:
    files = {
        "service/lib.ts": "export const make = () => crypto.randomUUID();",
        "service/migrations/002_other.ts": "",
    }
    text = "import { make } from '../lib';\n" + in_up("await knex('t').insert({ id: make() });")
    first, second = (run(text, files=files, name=name).sent for name in ("001_test.ts", "002_other.ts"))
    assert first[0].sql != second[0].sql
