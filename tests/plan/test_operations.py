"""On a real PostgreSQL, the `down` of every operation restores the catalog exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import psycopg
import pytest

from remediate.detect.model import Step
from remediate.plan.operations import (
    AlterPolicy,
    CreateFunction,
    CreatePolicy,
    EnableRls,
    ForceRls,
    Operation,
    PolicyState,
    ReplaceFunction,
    ReplaceTrigger,
    RequireTable,
)
from remediate.plan.tenant_column import AddMarkedColumn, FillFromParent
from remediate.postgres.database import create_database, drop_database
from remediate.postgres.server import Server
from remediate.postgres.snapshot import catalog_snapshot, snapshot_differences
from remediate.replay.catalog import QName
from support.database import Database

ORDERS = QName("public", "orders")
LONG = QName("public", "l" * 63)
SELECTED = QName("Sales", 'Select "all" now')
USING = "tenant_id = (SELECT NULLIF(current_setting('app.t', true), '')::integer)"
POLICY = PolicyState(ORDERS, "kept", "all", True, ("public",), USING, USING)
UPDATES = replace(POLICY, name="updates", command="update", check=None)
CHECKS = replace(POLICY, name="checks", command="insert", using=None)

HISTORY = f"""
CREATE ROLE reader; CREATE ROLE "Mixed writer";
CREATE TABLE parents (id integer PRIMARY KEY, tenant_id integer);
CREATE TABLE orders (id integer, tenant_id integer, parent_id integer REFERENCES parents);
CREATE TABLE {LONG.name} (id integer, tenant_id integer, parent_id integer);
CREATE SCHEMA "Sales"; CREATE TABLE "Sales"."Select ""all"" now" (id integer, "order" integer);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN  -- as it was
  RETURN NEW;
END
$$;
CREATE FUNCTION plain(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a';
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
{POLICY.create()}; {UPDATES.create()}; {CHECKS.create()};
CREATE POLICY "the Kept" ON "Sales"."Select ""all"" now"
  AS RESTRICTIVE FOR DELETE TO "Mixed writer", reader USING (true);
"""
TOUCH = """CREATE OR REPLACE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN  -- as it was
  RETURN NEW;
END
$$"""
TRIGGER = "CREATE TRIGGER touch BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.touch()"
LOCKS = ("ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE")
STEP = Step(ORDERS, ("parent_id",), QName("public", "parents"), ("id",), False)

OPERATIONS: dict[str, Operation] = {
    "a policy": CreatePolicy(replace(POLICY, name="new")),
    "a policy for some": CreatePolicy(replace(POLICY, name="New one", roles=("reader", "Mixed writer"), check=None)),
    "a policy that can be made again": CreatePolicy(replace(POLICY, name="new"), "remediate:0'\\"),
    "a policy with a name that needs quotes that can be made again": CreatePolicy(
        PolicyState(SELECTED, 'is "o" late', "insert", True, ("public",), None, '"order" = 1'), "remediate:0123"
    ),
    "a restrictive policy": CreatePolicy(replace(POLICY, name="floor", permissive=False)),
    "an insert policy on a table whose name needs quotes": CreatePolicy(
        PolicyState(SELECTED, "isolate", "insert", True, ("public",), None, '"order" = 1')
    ),
    "USING changed": AlterPolicy(POLICY, replace(POLICY, using="tenant_id = 4")),
    "WITH CHECK changed": AlterPolicy(POLICY, replace(POLICY, check="tenant_id = 4\n  AND id > 0")),
    "both changed": AlterPolicy(POLICY, replace(POLICY, using="true", check="false")),
    "roles changed": AlterPolicy(POLICY, replace(POLICY, roles=("Mixed writer", "reader"))),
    "everything changed": AlterPolicy(POLICY, replace(POLICY, roles=("reader",), using="id = 1", check="id = 2")),
    "command changed": AlterPolicy(POLICY, replace(POLICY, command="update")),
    "made restrictive": AlterPolicy(POLICY, replace(POLICY, permissive=False)),
    "WITH CHECK taken away": AlterPolicy(POLICY, replace(POLICY, check=None)),
    "USING taken away": AlterPolicy(UPDATES, replace(UPDATES, using=None, check="true")),
    "WITH CHECK given": AlterPolicy(UPDATES, replace(UPDATES, check="id = 7")),
    "an insert policy narrowed": AlterPolicy(CHECKS, replace(CHECKS, check="false")),
    "row level security": EnableRls(ORDERS),
    "row level security on a table whose name needs quotes": EnableRls(SELECTED),
    "FORCE": ForceRls(ORDERS),
    "a function's body": ReplaceFunction(QName("public", "touch"), TOUCH, TOUCH.replace("as it was", "as it is")),
    "a new function": CreateFunction(
        QName("public", "orders_touch"),
        TOUCH.replace(" OR REPLACE", "").replace("touch", "orders_touch"),
        "public.orders_touch()",
    ),
    "a new function that can be made again": CreateFunction(
        QName("public", "orders_touch"),
        TOUCH.replace("touch", "orders_touch"),
        "public.orders_touch()",
        "remediate:0123",
    ),
    "a trigger's function": ReplaceTrigger(ORDERS, "touch", TRIGGER, TRIGGER.replace("public.touch()", "other()")),
    "a column": AddMarkedColumn(ORDERS, "owner", "integer", "remediate:0123"),
    "a column with a name that needs quotes": AddMarkedColumn(SELECTED, 'a "b" \\ c\'d', "uuid", "remediate:'\\"),
    "a filling trigger of a long name": FillFromParent(
        LONG, "tenant_id", (Step(LONG, ("parent_id",), QName("public", "parents"), ("id",), False),), "tenant_id", "m"
    ),
    "a filling trigger": FillFromParent(ORDERS, "tenant_id", (STEP,), "tenant_id", "remediate:0123"),
}


@pytest.fixture(scope="module")
def history(postgres: Server) -> Iterator[Database]:
    database = Database(postgres.endpoint, create_database(postgres.endpoint))
    database.run(HISTORY)
    yield database
    drop_database(postgres.endpoint, database.name)
    database = Database(postgres.endpoint, "postgres")
    database.run('DROP ROLE reader; DROP ROLE "Mixed writer"')


@pytest.mark.parametrize("name", OPERATIONS)
def test_down_restores_what_was_there(name: str, history: Database) -> None:
    operation = OPERATIONS[name]
    with history.connect() as connection, connection.transaction(force_rollback=True):
        before = catalog_snapshot(connection)
        for sql in operation.up():
            connection.execute(sql.encode())
        changed = snapshot_differences(before, catalog_snapshot(connection))
        for sql in operation.down():
            connection.execute(sql.encode())
        assert snapshot_differences(before, catalog_snapshot(connection)) == []
    assert changed
    assert all(_is_about(operation, difference) for difference in changed)


RESTARTABLE = {
    name
    for name, operation in OPERATIONS.items()
    if "again" in name or not isinstance(operation, CreatePolicy | CreateFunction)
}


@pytest.mark.parametrize("name", sorted(RESTARTABLE))
def test_twice_is_as_good_as_once(name: str, history: Database) -> None:
    """What stands in a file that can be run again: also its `down`."""
    operation = OPERATIONS[name]
    with history.connect() as connection, connection.transaction(force_rollback=True):
        before = catalog_snapshot(connection)
        states = []
        for sql in (operation.up(), operation.up(), operation.down(), operation.down()):
            for statement in sql:
                connection.execute(statement.encode())
            states.append(catalog_snapshot(connection))
        assert snapshot_differences(states[0], states[1]) == []
        assert snapshot_differences(before, states[2]) == []
        assert snapshot_differences(before, states[3]) == []


TAKEN = {
    "a policy that can be made again": "CREATE POLICY new ON orders",
    "a new function that can be made again": TOUCH.replace("touch", "orders_touch"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_somebody_else_has_made_is_not_made_again(name: str, history: Database) -> None:
    with history.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(TAKEN[name].encode())
        with pytest.raises(psycopg.Error, match="already"):
            connection.execute(";\n".join(OPERATIONS[name].up()).encode())


def _is_about(operation: Operation, difference: str) -> bool:
    names = [operation.subject().removeprefix("function ").split(".")[-1].replace('"', '""')]
    if isinstance(operation, FillFromParent):
        names.append(operation.function.name)
    return any(name in difference for name in names)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_locks_are_those_that_it_says(name: str, history: Database) -> None:
    operation = OPERATIONS[name]
    with history.connect() as connection, connection.transaction(force_rollback=True):
        # What is there already is replaced, and that takes more.
        again = operation.up() if isinstance(operation, FillFromParent) else ()
        for sql in (*operation.up(), *again):
            connection.execute(sql.encode())
        rows = connection.execute(
            """SELECT nspname, relname, replace(regexp_replace(mode, '(?<!^)([A-Z])', ' \\1', 'g'), ' Lock', '')
               FROM pg_locks JOIN pg_class AS c ON c.oid = relation JOIN pg_namespace AS n ON n.oid = relnamespace
               WHERE pid = pg_backend_pid() AND relkind = 'r' AND nspname <> 'pg_catalog' AND mode ~ 'Exclusive'"""
        ).fetchall()
    taken = [(QName(schema, table), mode.upper()) for schema, table, mode in rows]
    assert _strongest(operation.locks()) == _strongest(taken)


def _strongest(locks: Iterable[tuple[QName, str]]) -> dict[QName, str]:
    """The strongest lock on each relation; weaker ones beside it make no difference."""
    strongest: dict[QName, str] = {}
    for relation, mode in sorted(locks, key=lambda lock: LOCKS.index(lock[1])):
        strongest[relation] = mode
    return strongest


def test_a_policy_is_never_missing_in_between(history: Database) -> None:
    """DROP and CREATE only where ALTER POLICY cannot do it."""
    recreated = {
        name
        for name, operation in OPERATIONS.items()
        if isinstance(operation, AlterPolicy) and any("DROP POLICY" in sql for sql in operation.up())
    }
    assert recreated == {"command changed", "made restrictive", "WITH CHECK taken away", "USING taken away"}


REQUIRED = RequireTable(ORDERS, ("id", "tenant_id"), True, False, ("checks", "kept", "updates"))

BROKEN = {
    "ALTER TABLE orders RENAME TO orders_old": "public.orders does not exist here",
    "ALTER TABLE orders RENAME COLUMN id TO key": "public.orders has not the columns",
    "ALTER TABLE orders DISABLE ROW LEVEL SECURITY": "row level security of public.orders is not as",
    "ALTER TABLE orders FORCE ROW LEVEL SECURITY": "row level security of public.orders is not as",
    "DROP POLICY kept ON orders": "the policies of public.orders are not those",
    "CREATE POLICY more ON orders USING (true)": "the policies of public.orders are not those",
    'ALTER POLICY kept ON orders RENAME TO "Kept"': "the policies of public.orders are not those",
}


@pytest.fixture
def try_out(history: Database):  # type: ignore[no-untyped-def]
    """Runs statements after RLS was enabled on orders; nothing of it stays."""

    def run(*statements: str) -> None:
        with history.connect() as connection, connection.transaction(force_rollback=True):
            for sql in (*EnableRls(ORDERS).up(), *statements):
                connection.execute(sql.encode())

    return run


def test_a_table_that_is_as_planned_is_let_through(try_out: Callable[..., None]) -> None:
    try_out(*REQUIRED.up())
    try_out(*RequireTable(SELECTED, ("order",), False, False, ("the Kept",)).up())
    bare = "ALTER TABLE parents ENABLE ROW LEVEL SECURITY"
    try_out(bare, *RequireTable(QName("public", "parents"), (), True, False, ()).up())
    assert REQUIRED.down() == ()


@pytest.mark.parametrize("change", BROKEN)
def test_a_table_that_is_not_as_planned_stops_the_migration(change: str, try_out: Callable[..., None]) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match=BROKEN[change]):
        try_out(change, *REQUIRED.up())


def test_a_percent_sign_in_a_name_is_no_placeholder(try_out: Callable[..., None]) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="does not exist here"):
        try_out(*RequireTable(QName("public", "100%s%"), (), True, False, ()).up())


def test_an_object_of_that_name_that_is_not_ours_is_not_touched(try_out: Callable[..., None]) -> None:
    column = AddMarkedColumn(ORDERS, "tenant_id", "integer", "remediate:0123")
    with pytest.raises(psycopg.errors.RaiseException, match=r"orders.tenant_id is there already.*did not add it"):
        try_out(*column.up())
    try_out(*column.down(), "SELECT tenant_id FROM orders")
    function = "CREATE FUNCTION fill_orders_tenant_id() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    fill = FillFromParent(ORDERS, "tenant_id", (STEP,), "tenant_id", "remediate:0123")
    with pytest.raises(psycopg.errors.RaiseException, match=r"fill_orders_tenant_id is there already"):
        try_out(function, *fill.up())
    try_out(function, *fill.down(), "DROP FUNCTION fill_orders_tenant_id()")


def test_what_is_marked_can_be_made_again(try_out: Callable[..., None]) -> None:
    column = AddMarkedColumn(ORDERS, "owner", "integer", "remediate:0123")
    fill = FillFromParent(ORDERS, "owner", (STEP,), "tenant_id", "remediate:0123")
    try_out(*column.up(), *column.up(), *fill.up(), *fill.up(), *fill.down(), *fill.down(), *column.down())
