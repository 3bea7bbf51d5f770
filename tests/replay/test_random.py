"""Random sequences of DDL, refused statements among them: the static engine and PostgreSQL end alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay.differential import differences
from support.database import Database

TABLES = st.sampled_from(["venues", "events", "order", "Tickets"])
COLUMNS = st.sampled_from(["id", "tenant_id", "name", "price", "venue_id", "at"])
TYPES = st.sampled_from(["uuid", "int", "bigint", "text", "varchar(20)", "numeric(10,2)", "timestamptz", "boolean"])
NAMES = st.sampled_from(["p1", "p2", "p3"])
ROLES = st.sampled_from(["PUBLIC", "CURRENT_USER"])
FUNCTIONS = st.sampled_from(["touch", "tenant"])


def quoted(name: str) -> str:
    return f'"{name}"' if name in ("order", "Tickets") else name


@st.composite
def expressions(draw: st.DrawFn, depth: int = 0) -> str:
    """A boolean expression over the columns, often one that some table does not have."""
    column = draw(COLUMNS)
    if depth < 2 and draw(st.integers(0, 3)) == 0:
        left, right = draw(expressions(depth + 1)), draw(expressions(depth + 1))
        return f"({left}) {draw(st.sampled_from(['AND', 'OR']))} ({right})"
    if depth < 2 and draw(st.integers(0, 5)) == 0:
        table = quoted(draw(TABLES))
        return f"id IN (SELECT x.id FROM {table} x WHERE x.{draw(COLUMNS)} IS NOT NULL)"
    return draw(
        st.sampled_from(
            [
                f"{column} IS NOT NULL",
                "tenant_id = current_setting('app.tenant', true)::uuid",
                "tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid",
                "tenant_id::text = current_setting('app.tenant')",
                "name IN ('a', 'b')",
                "name LIKE 'a%'",
                "price > 0",
                "price BETWEEN 1 AND 2.5",
                "NOT (price = 1 OR name = 'x')",
                "tenant_id = tenant()",
                "true",
            ]
        )
    )


@st.composite
def statements(draw: st.DrawFn) -> str:
    """One statement, as likely as not to be refused."""
    table, other = quoted(draw(TABLES)), quoted(draw(TABLES))
    column, new, name = draw(COLUMNS), draw(COLUMNS), draw(NAMES)
    kind, cascade = draw(TYPES), draw(st.sampled_from(["", " CASCADE"]))
    exists = draw(st.sampled_from(["", "IF EXISTS "]))
    command = draw(st.sampled_from(["ALL", "SELECT", "UPDATE", "DELETE"]))
    strictness = draw(st.sampled_from(["PERMISSIVE", "RESTRICTIVE"]))
    function = draw(FUNCTIONS)
    body = draw(expressions())
    made: list[Callable[[], str]] = [
        lambda: (
            f"CREATE TABLE {table} (id {draw(st.sampled_from(['uuid', 'serial', 'int']))} PRIMARY KEY, "
            f"tenant_id uuid NOT NULL, name varchar(20) DEFAULT 'a', {column} {kind})"
        ),
        lambda: f"CREATE TABLE IF NOT EXISTS {table} (id int, tenant_id uuid, price numeric CHECK (price > 0))",
        lambda: f"CREATE TABLE {table} (LIKE {other} INCLUDING ALL)",
        lambda: f"DROP TABLE {exists}{table}{cascade}",
        lambda: f"ALTER TABLE {table} ADD COLUMN {column} {kind}",
        lambda: f"ALTER TABLE {table} DROP COLUMN {exists}{column}{cascade}",
        lambda: f"ALTER TABLE {table} RENAME COLUMN {column} TO {new}",
        lambda: f"ALTER TABLE {table} RENAME TO {other}",
        lambda: f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind}",
        lambda: f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL, ALTER COLUMN {new} DROP DEFAULT",
        lambda: f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({body})",
        lambda: f"ALTER TABLE {table} ADD CHECK ({body})",
        lambda: f"ALTER TABLE {table} ADD UNIQUE ({column}, {new})",
        lambda: f"ALTER TABLE {table} ADD FOREIGN KEY ({column}) REFERENCES {other} (id) ON DELETE CASCADE",
        lambda: f"ALTER TABLE {table} DROP CONSTRAINT {exists}{name}{cascade}",
        lambda: f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        lambda: f"CREATE POLICY {name} ON {table} AS {strictness} FOR {command} TO {draw(ROLES)} USING ({body})",
        lambda: f"CREATE POLICY {name} ON {table} FOR INSERT WITH CHECK ({body})",
        lambda: f"ALTER POLICY {name} ON {table} USING ({body})",
        lambda: f"ALTER POLICY {name} ON {table} RENAME TO p3",
        lambda: f"DROP POLICY {exists}{name} ON {table}",
        lambda: f"CREATE INDEX ON {table} ({column})",
        lambda: f"CREATE UNIQUE INDEX {name} ON {table} ({column}, {new}) WHERE {body}",
        lambda: f"DROP INDEX {exists}{name}{cascade}",
        lambda: (
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS {draw(st.sampled_from(['trigger', 'uuid']))} "
            "LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
        ),
        lambda: f"DROP FUNCTION {exists}{function}(){cascade}",
        lambda: f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION touch()",
        lambda: f"CREATE OR REPLACE VIEW v AS SELECT id, {column} FROM {table} WHERE {body}",
        lambda: f"DROP VIEW {exists}v{cascade}",
        lambda: (
            f"DO $$ BEGIN ALTER TABLE {table} ADD COLUMN {column} int; EXCEPTION WHEN duplicate_column THEN NULL; "
            "END $$"
        ),
        lambda: f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY; CREATE POLICY {name} ON {other} USING ({body})",
    ]
    return draw(st.sampled_from(made))()


def scripts(least: int, most: int) -> Any:
    """Half of the tables are there from the start, so that statements find something to do."""
    start = st.just("CREATE TABLE venues (id uuid PRIMARY KEY, tenant_id uuid, name text, price numeric(10,2))")
    rest = st.lists(statements(), min_size=least, max_size=most)
    return st.tuples(start, rest).map(lambda parts: [parts[0], *parts[1]])


_QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=40, deadline=None, suppress_health_check=_QUIET, derandomize=True)
@given(script=scripts(6, 25))
def test_random_scripts_end_alike(script: list[str], new_database: Callable[..., Database]) -> None:
    assert differences(new_database(), script) == []


@pytest.mark.long
@settings(max_examples=1500, deadline=None, suppress_health_check=_QUIET)
@given(script=scripts(10, 60))
def test_long_random_scripts_end_alike(script: list[str], new_database: Callable[..., Database]) -> None:
    assert differences(new_database(), script) == []
