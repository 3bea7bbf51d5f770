"""Whole files, in every style: TypeScript takes them, Prettier would write them so, Knex sends the SQL meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
from remediate.postgres.snapshot import catalog_snapshot, snapshot_differences
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


FOUR = [QName("public", name) for name in ("a", "b", "c", "d")]
TENANT = "tenant = (SELECT NULLIF(current_setting('app.t', true), '')::integer)"
TABLE_BY_TABLE = one_step(
    [],
    steps=(
        *(
            (CreatePolicy(PolicyState(name, "own", "all", True, ("public",), TENANT, None), MARK), EnableRls(name))
            for name in FOUR[:2]
        ),
        *((ForceRls(name),) for name in FOUR),
    ),
    transactional=False,
)


@pytest.mark.parametrize("name", STYLES)
def test_prettier_would_write_a_file_with_a_step_for_each_table_so(
    write: Write, prettier_check: PrettierCheck, type_checker: TypeChecker, name: str
) -> None:
    long = replace(TABLE_BY_TABLE, steps=tuple((ForceRls(QName("public", "t" * 20 + str(n))),) for n in range(4)))
    files = [write(plan, STYLES[name], f"00{n}") for n, plan in enumerate((TABLE_BY_TABLE, long))]
    assert prettier_check(files, **prettier_options(STYLES[name])) == {}
    assert "for (const table of" in files[0].read_text()
    assert not STYLES[name].typescript or type_checker(files) == []


@pytest.mark.parametrize("name", STYLES)
def test_a_file_with_a_step_for_each_table_goes_on_after_a_lock_that_it_did_not_get(
    write: Write, knex_runner: KnexRunner, database: Database, tmp_path: Path, name: str
) -> None:
    database.run("".join(f"CREATE TABLE {table.name} (tenant integer);" for table in FOUR))
    write(replace(TABLE_BY_TABLE, lock_timeout="50ms"), STYLES[name], "001_a")
    with database.connect() as busy:
        before = catalog_snapshot(busy)
        busy.execute("BEGIN; LOCK TABLE c IN ACCESS SHARE MODE")
        assert knex_runner.latest(database, tmp_path).code == "55P03"
        forced = "SELECT array_agg(relname::text ORDER BY relname) FROM pg_class WHERE relforcerowsecurity"
        assert database.value(forced) == ["a", "b"], "one table at a time, and what is done stays"
        busy.execute("COMMIT")
        knex_runner.latest(database, tmp_path).expect_success()
        assert database.value(forced) == ["a", "b", "c", "d"]
        assert database.value("SELECT count(*) FROM pg_policy WHERE polname = 'own'") == 2
        knex_runner.rollback(database, tmp_path).expect_success()
        left = snapshot_differences(before, catalog_snapshot(busy))
        assert [one for one in left if "knex_migrations" not in one] == []


def test_a_file_that_can_be_run_again_takes_no_policy_for_its_own_that_is_not(
    write: Write, knex_runner: KnexRunner, database: Database, tmp_path: Path
) -> None:
    database.run("".join(f"CREATE TABLE {table.name} (tenant integer);" for table in FOUR))
    database.run("CREATE POLICY own ON b USING (tenant = 1)")
    write(TABLE_BY_TABLE, STYLES["typescript"], "001_a")
    ran = knex_runner.latest(database, tmp_path)
    assert (ran.code, "already exists" in (ran.error or "")) == ("42710", True)
    assert database.value("SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 'b'::regclass") == (
        "(tenant = 1)"
    )


@pytest.mark.parametrize("name", STYLES)
def test_a_file_happens_wholly_or_not_at_all_where_a_service_has_switched_transactions_off(
    write: Write, knex_runner: KnexRunner, database: Database, tmp_path: Path, name: str
) -> None:
    write(one_step([Statements(("CREATE TABLE one ()", "SELECT nope"))]), STYLES[name], "001_a")
    assert knex_runner.latest(database, tmp_path, disable_transactions=True).code == "42703"
    assert database.value("SELECT to_regclass('one')") is None
