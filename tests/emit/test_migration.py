"""Whole files, in every style: TypeScript takes them, Prettier would write them so, Knex sends the SQL meant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from remediate.detect.model import Step
from remediate.emit.emit import emit
from remediate.emit.house_style import HouseStyle
from remediate.emit.migration import emit_migration
from remediate.plan.model import MigrationPlan
from remediate.plan.operations import CreatePolicy, EnableRls, ForceRls, PolicyState, ReplaceFunction, RequireTable
from remediate.plan.tenant_column import AddMarkedColumn, BackfillColumn, FillFromParent
from remediate.replay.catalog import QName
from remediate.sql.tokens import tokens
from support.database import Database
from support.knex import KnexRunner
from support.plans import FINDING, POOL, STRINGS, STYLES, TS, Statements, literal, one_step, prettier_options, service
from support.typescript import PrettierCheck, TypeChecker

AWKWARD = QName("public", 'Order "items" `${x}` ?')
TABLES = """
CREATE TABLE venues (id integer PRIMARY KEY, tenant_id integer);
CREATE TABLE public."Order ""items"" `${x}` ?" (id integer, venue_id integer REFERENCES venues, tenant integer);
CREATE FUNCTION touch() RETURNS text LANGUAGE sql AS 'SELECT 1::text';
"""
BODY = "CREATE OR REPLACE FUNCTION public.touch() RETURNS text LANGUAGE sql AS $$\n  SELECT '`${a}\n ? \\n'::text\n$$"
CONDITION = "tenant = (SELECT NULLIF(current_setting('app.t', true), '')::integer)\n  AND 'a\n  b' <> '?'"
POLICY = PolicyState(AWKWARD, "for each\ncommand `", "all", False, ("public",), CONDITION, CONDITION)

TRANSACTIONAL = one_step(
    [
        *(Statements((f"SELECT {literal(text)}",), (f"SELECT {literal(text[::-1])}",)) for text in STRINGS),
        ReplaceFunction(QName("public", "touch"), BODY.replace("::text\n", "||'2'\n"), BODY),
        RequireTable(AWKWARD, ("id", "tenant"), False, False, ()),
        CreatePolicy(POLICY),
        EnableRls(AWKWARD),
        ForceRls(AWKWARD),
    ],
    level="unsafe",
    reasons={FINDING.id: ("somebody said */ so", "a" * 130 + " " + "b" * 90)},
)
PATH = (Step(AWKWARD, ("venue_id",), QName("public", "venues"), ("id",), False),)
MARK = "remediate:`${mark}?"
STEPWISE = one_step(
    [],
    steps=(
        (AddMarkedColumn(AWKWARD, "tenant_id", "integer", MARK),),
        (FillFromParent(AWKWARD, "tenant_id", PATH, "tenant_id", MARK),),
        (BackfillColumn(AWKWARD, "tenant_id", PATH, "tenant_id", ()),),
    ),
    phase="expand",
    level="unsafe",
    transactional=False,
)
TODAY = date(2026, 1, 1)
HEADER = ["Follow-up migration */ for `orders`.", "", "- public.orders", "- " + "long words " * 20]

Write = Callable[[MigrationPlan, HouseStyle, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(plan: MigrationPlan, style: HouseStyle, name: str) -> Path:
        folder = tmp_path / "migrations"
        folder.mkdir(exist_ok=True)
        file = folder / f"{name}{style.extension}"
        file.write_text(emit_migration(plan, style, HEADER), encoding="utf-8", newline="")
        return file

    return write


def test_typescript_takes_every_file(write: Write, type_checker: TypeChecker) -> None:
    files = [
        write(plan, style, f"{number}_{plan.phase}")
        for number, style in enumerate(STYLES.values())
        if style.typescript
        for plan in (TRANSACTIONAL, STEPWISE)
    ]
    assert type_checker(files) == []


@pytest.mark.parametrize("name", STYLES)
def test_prettier_would_write_it_so(write: Write, prettier_check: PrettierCheck, name: str) -> None:
    files = [write(plan, STYLES[name], plan.phase) for plan in (TRANSACTIONAL, STEPWISE)]
    assert prettier_check(files, **prettier_options(STYLES[name])) == {}


@pytest.mark.parametrize("name", STYLES)
def test_knex_sends_the_sql_of_the_plan(
    write: Write, knex_runner: KnexRunner, database: Database, tmp_path: Path, name: str
) -> None:
    """Token by token: only the white space between tokens may be other, and that within a DO block."""
    database.run(TABLES)
    write(TRANSACTIONAL, STYLES[name], "001_a")
    ran = knex_runner.latest(database, tmp_path).expect_success()
    assert _sent(ran.queries) == [_tokens(sql) for one in TRANSACTIONAL.operations for sql in one.up()]
    function = "SELECT prosrc FROM pg_proc WHERE proname = 'touch'"
    assert database.value(function) == BODY.split("$$")[1]
    assert database.run("SELECT polname FROM pg_policy") == [(POLICY.name,)]
    back = knex_runner.rollback(database, tmp_path).expect_success()
    assert _sent(back.queries) == [_tokens(sql) for one in reversed(TRANSACTIONAL.operations) for sql in one.down()]
    assert database.run("SELECT polname FROM pg_policy") == []


def _sent(queries: tuple[tuple[str, tuple[object, ...]], ...]) -> list[list[str]]:
    """What a transactional file sent, between its handling of lock_timeout."""
    ours = [sql for sql, _ in queries]
    marks = [index for index, sql in enumerate(ours) if "set_config(" in sql and "lock_timeout" in sql]
    assert len(marks) == 3
    return [_tokens(sql) for sql in ours[marks[1] + 1 : marks[2]]]


def _tokens(sql: str) -> list[str]:
    found = tokens(sql)
    if found[0].kind == "DO":
        return ["DO", *_tokens(found[1].text.split("$remediate$")[1])]
    return [token.text for token in found]


@pytest.mark.parametrize("name", STYLES)
def test_a_stepwise_file_runs_and_goes_back(
    write: Write, knex_runner: KnexRunner, database: Database, tmp_path: Path, name: str
) -> None:
    table = '"Order ""items"" `${x}` ?"'
    database.run(TABLES + f"INSERT INTO venues VALUES (7, 42); INSERT INTO {table} VALUES (1, 7)")
    write(STEPWISE, STYLES[name], "001_a")
    knex_runner.latest(database, tmp_path).expect_success()
    assert database.run(f"SELECT tenant_id FROM {table}") == [(42,)]
    knex_runner.rollback(database, tmp_path).expect_success()
    assert database.run(f"SELECT * FROM {table}") == [(1, 7, None)]


def test_the_lock_timeout_of_a_batch_is_what_it_was(
    write: Write, knex_runner: KnexRunner, database: Database, tmp_path: Path
) -> None:
    """Pending files share a transaction, and what one of them sets locally holds for the next."""
    plan = one_step([Statements(("CREATE TABLE a AS SELECT current_setting('lock_timeout') AS ours",))])
    write(plan, STYLES["typescript"], "002_a")
    text = (tmp_path / "migrations" / "002_a.ts").read_text()
    asking = "SET LOCAL lock_timeout = '77s'", "CREATE TABLE b AS SELECT current_setting('lock_timeout') AS after"
    for name, sql in zip(("001_a", "003_a"), asking, strict=True):
        before, _, rest = text.partition("  await")
        body = f"{before}  await knex.raw(`{sql}`);\n}}\nexport async function down() {{}}\n"
        (tmp_path / "migrations" / f"{name}.ts").write_text(body)
        assert rest
    knex_runner.latest(database, tmp_path).expect_success()
    assert database.run("SELECT ours, after FROM a, b") == [("5s", "77s")]


def test_a_change_says_what_it_does() -> None:
    (change,) = emit([service(TS)], [TRANSACTIONAL], TODAY)
    assert (change.path, change.kind, change.before) == ("o/migrations/002_repair.ts", "migration", None)
    assert change.locks == TRANSACTIONAL.locks
    assert change.sql[-1].endswith("FORCE ROW LEVEL SECURITY")
    assert (change.rules, change.findings) == (("missing-rls",), (FINDING.id,))


def test_files_of_a_service_follow_each_other_and_unsafe_ones_have_names_of_their_own() -> None:
    safe = one_step([Statements(("SELECT 1",))])
    unsafe = one_step([Statements(("SELECT 2",))], level="unsafe")
    first, second = emit([service(TS)], [safe, unsafe], TODAY)
    assert first.path == "o/migrations/002_repair.ts"
    assert second.path == "o/migrations/003_repair_part_2.ts"
    assert (first.after, second.after) == ((), (first.path,))


def test_a_service_of_pool_migrations_gets_nothing() -> None:
    assert emit([service(POOL)], [TRANSACTIONAL], TODAY) == ()
