"""Questions about the catalog, answered by us and by PostgreSQL over the same schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from remediate.evaluate.values import Unknown
from remediate.postgres.database import create_database, drop_database
from remediate.postgres.server import Server
from remediate.replay.builder import CatalogBuilder
from remediate.replay.catalog import Column, QName, Table
from remediate.replay.questions import answer, answer_fresh
from remediate.replay.questions.answer import run_question
from remediate.replay.questions.session import Session
from remediate.replay.questions.system import system_relations, system_types
from remediate.replay.refused import Refused
from support.database import Database
from support.introspected import introspect

from .cases import ABOUT_DATA, CASES, REFUSED, UNKNOWN

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def asked(postgres: Server) -> Iterator[psycopg.Connection[Any]]:
    name = create_database(postgres.endpoint)
    try:
        with Database(postgres.endpoint, name).connect() as connection:
            connection.execute((HERE / "schema.sql").read_bytes())
            yield connection
    finally:
        drop_database(postgres.endpoint, name)
        with Database(postgres.endpoint, "postgres").connect() as connection:
            connection.execute("DROP ROLE app_user")
            connection.execute("DROP ROLE auditor")


@pytest.fixture(scope="module")
def reader(asked: psycopg.Connection[Any]) -> CatalogBuilder:
    return introspect(asked)


# What node-postgres's default parsers (pg-types) make of the text form, by the type's oid.
_NUMBERS = {21, 23, 26}
_ARRAYS = {1000, 1005, 1007, 1009, 1014, 1015, 1016, 1028, 1231, 2951}


def as_node_sees(result: psycopg.pq.abc.PGresult) -> list[dict[str, Any]]:
    rows = []
    for row in range(result.ntuples):
        made: dict[str, Any] = {}
        for column in range(result.nfields):
            raw = result.get_value(row, column)
            made[(result.fname(column) or b"").decode()] = _parsed(raw, result.ftype(column))
        rows.append(made)
    return rows


def _parsed(raw: bytes | None, oid: int) -> Any:
    if raw is None:
        return None
    text = raw.decode()
    if oid == 16:
        return text == "t"
    if oid in _NUMBERS:
        return int(text)
    if oid in (700, 701):
        return float(text)
    if oid in _ARRAYS:
        items = [] if text == "{}" else [item.strip('"') for item in text[1:-1].split(",")]
        items = [None if item == "NULL" else item for item in items]
        return [int(item) for item in items] if oid in (1005, 1007, 1028) else items
    return text


def from_server(connection: psycopg.Connection[Any], sql: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql.encode())
    assert cursor.pgresult is not None
    return as_node_sees(cursor.pgresult)


def in_any_order(rows: list[dict[str, Any]], sql: str) -> Any:
    return rows if "ORDER BY" in sql and "agg(" not in sql else sorted(rows, key=repr)


@pytest.mark.parametrize("sql", CASES.values(), ids=CASES.keys())
def test_answers_as_postgresql_does(sql: str, asked: psycopg.Connection[Any], reader: CatalogBuilder) -> None:
    ours = answer(sql, reader)
    assert not isinstance(ours, Unknown), ours.reason
    assert in_any_order(ours, sql) == in_any_order(from_server(asked, sql), sql)


@pytest.mark.parametrize("sql", REFUSED.values(), ids=REFUSED.keys())
def test_refuses_as_postgresql_does(sql: str, asked: psycopg.Connection[Any], reader: CatalogBuilder) -> None:
    with pytest.raises(psycopg.Error) as theirs:
        asked.execute(sql.encode())
    with pytest.raises(Refused) as ours:
        answer(sql, reader)
    assert ours.value.code == theirs.value.sqlstate


@pytest.mark.parametrize("sql", ABOUT_DATA.values(), ids=ABOUT_DATA.keys())
def test_rows_of_tables_are_not_known_and_none_on_a_fresh_database(
    sql: str, asked: psycopg.Connection[Any], reader: CatalogBuilder
) -> None:
    ours = answer(sql, reader)
    doubts = [ours] if isinstance(ours, Unknown) else [value for row in ours for value in row.values()]
    assert any(isinstance(doubt, Unknown) and doubt.about_data for doubt in doubts)
    fresh = answer_fresh(sql, reader)
    assert fresh.assumption is not None
    assert fresh.rows == from_server(asked, sql)


@pytest.mark.parametrize("sql", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_only_the_server_knows_is_unknown(sql: str, reader: CatalogBuilder) -> None:
    ours = answer(sql, reader)
    values = [ours] if isinstance(ours, Unknown) else [value for row in ours for value in row.values()]
    assert any(isinstance(value, Unknown) and not value.about_data and value.reason for value in values)


def test_the_names_of_the_system_are_those_of_a_server(asked: psycopg.Connection[Any]) -> None:
    found = {
        (schema, name)
        for schema, name in asked.execute(
            "SELECT nspname::text, relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname IN ('pg_catalog', 'information_schema') AND relkind IN ('r', 'v', 'i')"
            " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
        )
    }
    assert found == set(system_relations())
    types = asked.execute(
        "SELECT nspname::text, typname::text FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace"
        " WHERE nspname IN ('pg_catalog', 'information_schema') AND typname !~ '^_' AND typrelid = 0"
    )
    assert set(types) == set(system_types())


def test_migrations_are_told_the_version_that_the_configuration_names() -> None:
    sql = "SELECT current_setting('server_version_num')::int AS v"
    assert answer(sql, CatalogBuilder(server_version=13)) == [{"v": 130000}]


def test_a_question_costs_the_same_in_a_large_catalog(reader: CatalogBuilder) -> None:
    large = CatalogBuilder()
    for number in range(3000):
        key = QName("public", f"table_{number}")
        large.tables[key] = Table(key, (Column("id", "integer"), Column("tenant_id", "uuid")), ())
    session = Session(large)
    before = session.steps
    sql = "SELECT 1 FROM information_schema.columns WHERE table_name = 'table_7' AND column_name = 'tenant_id'"
    assert run_question(sql, session) == [{"?column?": 1}]
    assert before - session.steps < 1000
