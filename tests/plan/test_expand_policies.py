"""Policies that read a legacy name answer the same after expand, asked of PostgreSQL, and never more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import psycopg
import pytest

from remediate.plan.tenant_value import cast_type, session_tenant
from remediate.postgres.database import create_database, drop_database
from remediate.postgres.server import Server
from remediate.sql.setting_reads import Expanded, expand_reads, setting_reads
from support.database import Database

CANONICAL = "app.current_tenant_id"
LEGACY = ("app.current_tenant", "app.tenant_id")
A, B = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"

PLAIN = [
    "tenant_id = current_setting('app.current_tenant')::uuid",
    "tenant_id = current_setting('app.current_tenant', true)::uuid",
    "tenant_id = NULLIF(current_setting('app.current_tenant', true), '')::uuid",
    "tenant_id = (NULLIF(current_setting('app.current_tenant', true), ''))::uuid",
    "tenant_id = (SELECT NULLIF(current_setting('app.current_tenant', true), '')::uuid)",
    "tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid AS t)",
    "tenant_id = ((((current_setting('app.tenant_id')))))::uuid",
    "current_setting('app.tenant_id', true)::uuid = tenant_id",
    "(NULLIF(current_setting('app.tenant_id', true), '')::uuid) = (tenant_id)",
    "name = current_setting('app.tenant_id', true)",
    "name = current_setting('app.tenant_id', true)::text",
    "name = current_setting('app.tenant_id', true)::varchar",
    "name = current_setting('app.tenant_id', true)::varchar(255)",
    "name = current_setting('app.tenant_id', true)::character varying(64)",
    "tenant_id::text = current_setting('app.tenant_id', true)",
    "(tenant_id)::text = NULLIF(current_setting('app.tenant_id', true), ''::text)",
    "current_setting('app.current_tenant', true) = tenant_id::text",
    "tenant_id = current_setting('app.current_tenant', true)::uuid AND id > 0",
    "id > 0 AND (tenant_id = current_setting('app.current_tenant', true)::uuid)",
    "tenant_id = pg_catalog.current_setting('app.current_tenant', true)::uuid",
    "tenant_id = CURRENT_SETTING('app.current_tenant'::text, TRUE)::UUID",
    "EXISTS (SELECT 1 FROM parents p WHERE p.id = parent_id"
    " AND p.tenant_id = current_setting('app.tenant_id', true)::uuid)",
    "parent_id IN (SELECT id FROM parents WHERE tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)",
    "tenant_id = current_setting('app.current_tenant', true)::uuid AND name <> 'current_setting(''app.tenant_id'')'",
    "tenant_id = current_setting('app.current_tenant', true)::uuid"
    " AND name = current_setting('app.current_tenant', true)",
    "tenant_id = current_setting('app.tenant_id', true)::uuid OR tenant_id = current_setting('app.tenant_id')::uuid",
    "tenant_id = /* the tenant */ current_setting('app.tenant_id', true)::uuid",
    "tenant_id\n=\ncurrent_setting(\n'app.tenant_id',\ntrue)::uuid",
]
"""Each stands directly beside `=`: a NULL rejects the row."""

ONLY_PRINTED = [
    "tenant_id = CAST(current_setting('app.current_tenant', true) AS uuid)",
    "tenant_id = uuid(current_setting('app.current_tenant', true))",
]
"""So once PostgreSQL has printed them, as they stand in the catalog."""

OTHERWISE = [
    "tenant_id IS NOT DISTINCT FROM NULLIF(current_setting('app.tenant_id', true), '')::uuid",
    "COALESCE(NULLIF(current_setting('app.tenant_id', true), '')::uuid, tenant_id) = tenant_id",
    "current_setting('app.tenant_id', true) IS NULL OR tenant_id = current_setting('app.tenant_id', true)::uuid",
    "current_setting('app.tenant_id', true) = '' OR tenant_id::text = current_setting('app.tenant_id', true)",
    "tenant_id IN (current_setting('app.tenant_id', true)::uuid)",
    "tenant_id = ANY (ARRAY[current_setting('app.tenant_id', true)::uuid])",
    "tenant_id = ANY (string_to_array(current_setting('app.tenant_id', true), ',')::uuid[])",
    "NOT (tenant_id <> current_setting('app.tenant_id', true)::uuid)",
    "name = lower(current_setting('app.tenant_id', true))",
    "CASE WHEN current_setting('app.tenant_id', true) = 'x' THEN true"
    " ELSE tenant_id::text = current_setting('app.tenant_id', true) END",
]
"""The same while only the legacy name is set to a tenant; for the rest somebody has to look."""

UNTOUCHED = [
    "true",
    "tenant_id = current_setting('app.current_tenant_id', true)::uuid",
    "name = current_setting('app.user_id', true)",
    "name = 'current_setting(''app.tenant_id'')'",
    "name = current_user AND current_setting('role') = 'none'",
    "name = current_setting('app.' || 'tenant_id', true)",
]

SETTINGS = (*LEGACY, CANONICAL)


def expanded(expression: str) -> Expanded:
    return expand_reads(expression, CANONICAL, LEGACY, lambda names, type_: session_tenant(names, cast_type(type_)))


@pytest.fixture(scope="module")
def things(postgres: Server) -> Iterator[Database]:
    """Rows of two tenants and of none; a table of policies' hosts."""
    database = Database(postgres.endpoint, create_database(postgres.endpoint))
    database.run(
        f"""CREATE ROLE bound; GRANT bound TO CURRENT_USER;
        CREATE TABLE parents (id integer PRIMARY KEY, tenant_id uuid);
        INSERT INTO parents VALUES (1, '{A}'), (2, '{B}'), (3, NULL);
        CREATE TABLE things (id integer, parent_id integer, tenant_id uuid, name text);
        INSERT INTO things SELECT id, id, tenant_id, tenant_id::text FROM parents;
        GRANT SELECT ON parents, things TO bound;
        ALTER TABLE things ENABLE ROW LEVEL SECURITY;
        CREATE POLICY isolation ON things USING (false)"""
    )
    yield database
    drop_database(postgres.endpoint, database.name)
    Database(postgres.endpoint, "postgres").run("DROP ROLE bound")


def _stored(things: Database, expression: str) -> str:
    """The expression as PostgreSQL prints it."""
    things.run(f"ALTER POLICY isolation ON things USING ({expression})")
    return str(things.value("SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 'things'::regclass"))


States = dict[tuple[str | None, ...], list[int]]


def _answers(things: Database, expression: str, states: Sequence[tuple[str | None, ...]]) -> States:
    """The rows that a session sees in each state of `SETTINGS`; an error shows none."""
    things.run(f"ALTER POLICY isolation ON things USING ({expression})")
    answers: States = {}
    # What was set once in a session is never unset again, only empty: states with the same names unset share one.
    for unset in dict.fromkeys(tuple(value is None for value in state) for state in states):
        with things.connect() as connection:
            connection.execute("SET ROLE bound")
            for state in states:
                if unset != tuple(value is None for value in state):
                    continue
                for name, value in zip(SETTINGS, state, strict=True):
                    if value is not None:
                        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
                try:
                    rows = connection.execute("SELECT id FROM things ORDER BY id").fetchall()
                except psycopg.Error:
                    rows = []
                answers[state] = [row for (row,) in rows]
    return {state: answers[state] for state in states}


EVERY_STATE = list(product((None, "", A, B), (None, A), (None, "", A, B)))


def _meant(state: tuple[str | None, ...], names: tuple[str, ...]) -> tuple[str | None, ...] | None:
    """The state under which the old expression answers what the new one shall; None where nobody may see anything."""
    by_name = dict(zip(SETTINGS, state, strict=True))
    given = {by_name[name] for name in (*names, CANONICAL) if by_name[name]}
    if len(given) != 1:
        return None
    tenant = given.pop()
    return tuple(tenant if name in names else None for name in SETTINGS)


@pytest.mark.parametrize(
    ("expression", "printed"), [*product(PLAIN, (False,)), *product([*PLAIN, *ONLY_PRINTED], (True,))]
)
def test_every_name_shows_what_the_old_one_showed(things: Database, expression: str, printed: bool) -> None:
    original = _stored(things, expression) if printed else expression
    after = expanded(original)
    assert after.changed
    assert after.obstacles == ()
    read = {read.name for read in setting_reads(original)}
    names = tuple(name for name in LEGACY if name in read)
    before = _answers(things, original, [(A, None, None), (B, None, None), (None, A, None), (None, B, None)])
    for state, rows in _answers(things, after.text, EVERY_STATE).items():
        meant = _meant(state, names)
        assert rows == (before[meant] if meant else []), state


@pytest.mark.parametrize("printed", [False, True], ids=["as written", "as PostgreSQL prints it"])
@pytest.mark.parametrize("expression", OTHERWISE)
def test_what_is_no_comparison_is_told_and_works_as_before(things: Database, expression: str, printed: bool) -> None:
    original = _stored(things, expression) if printed else expression
    after = expanded(original)
    assert after.changed
    if "IS NULL" in expression or "COALESCE" in expression or "DISTINCT" in expression:
        assert after.obstacles
    states = [(None, A, None), (None, B, None)]
    before = _answers(things, original, states)
    assert _answers(things, after.text, states) == before
    with_canonical = _answers(things, after.text, [(None, None, A), (None, A, A), (None, None, B)])
    assert list(with_canonical.values()) == [before[states[0]], before[states[0]], before[states[1]]]


@pytest.mark.parametrize("expression", UNTOUCHED)
def test_what_reads_no_legacy_name_stays_as_it_is(things: Database, expression: str) -> None:
    for text in (expression, _stored(things, expression)):
        assert expanded(text) == Expanded(text, False, ())


@pytest.mark.parametrize("expression", PLAIN)
def test_expanding_again_changes_nothing_that_counts(things: Database, expression: str) -> None:
    """What is expanded reads legacy names still, and is recognised by its guard, not expanded again by the planner."""
    text = _stored(things, expanded(expression).text)
    assert {read.name for read in setting_reads(text)} >= {CANONICAL}


def test_three_names_in_one_policy(things: Database) -> None:
    both = (
        "tenant_id = current_setting('app.current_tenant', true)::uuid"
        " OR tenant_id = current_setting('app.tenant_id', true)::uuid"
    )
    after = expanded(both)
    answers = _answers(things, after.text, [(A, None, None), (None, B, None), (None, None, A), (A, None, B)])
    assert list(answers.values()) == [[1], [2], [1], [2]]
