"""DO blocks, executed by PostgreSQL and by us over statements sent to PostgreSQL: the catalogs must be the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from remediate.postgres.database import create_database, drop_database
from remediate.postgres.server import Server
from remediate.postgres.snapshot import Snapshot, catalog_snapshot, snapshot_differences
from remediate.replay.builder import CatalogBuilder
from remediate.replay.plpgsql import run_do, run_query
from remediate.replay.refused import Refused
from support.database import Database
from support.introspected import introspect

from .cases import CASES

HERE = Path(__file__).parent


class ServerHost:
    """Sends the statements of a block to a real server, and reads the catalog back from it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.sent: list[tuple[str, int, str | None]] = []
        self.unknowns: list[str] = []
        self.subjects: list[str] = []
        self.assumed: list[str] = []
        self._read: CatalogBuilder | None = None
        self._marks = 0

    @property
    def reader(self) -> CatalogBuilder:
        if self._read is None:
            self._read = introspect(self.connection)
        return self._read

    def execute(self, sql: str, offset: int, conditional: str | None) -> None:
        self.sent.append((sql, offset, conditional))
        self._read = None
        try:
            self.connection.execute(sql.encode())
        except psycopg.Error as error:
            raise Refused(error.sqlstate or "?", error.diag.message_primary or "") from error

    def unknown(self, reason: str, offset: int, subjects: tuple[str, ...], conditional: str | None) -> None:
        self.unknowns.append(reason)
        self.subjects += subjects

    def assume(self, reason: str, offset: int) -> None:
        self.assumed.append(reason)

    def savepoint(self) -> object:
        self._marks += 1
        self.connection.execute(f"SAVEPOINT mark_{self._marks}".encode())
        return self._marks

    def rollback_to(self, savepoint: object) -> None:
        self._read = None
        self.connection.execute(f"ROLLBACK TO SAVEPOINT mark_{savepoint}".encode())


@pytest.fixture(scope="module")
def connection(postgres: Server) -> Iterator[psycopg.Connection[Any]]:
    name = create_database(postgres.endpoint)
    try:
        with Database(postgres.endpoint, name).connect() as opened:
            opened.execute((HERE / "schema.sql").read_bytes())
            opened.autocommit = False
            yield opened
    finally:
        drop_database(postgres.endpoint, name)


def as_postgresql(connection: psycopg.Connection[Any], body: str) -> tuple[Snapshot, str | None]:
    """What the block really does, taken back afterwards: the catalog, and the SQLSTATE that it ended with."""
    code = None
    try:
        try:
            connection.execute(f"DO $the_block${body}$the_block$".encode())
        except psycopg.Error as error:
            code = error.sqlstate
            connection.rollback()
        return catalog_snapshot(connection), code
    finally:
        connection.rollback()


def as_we_do(connection: psycopg.Connection[Any], body: str) -> tuple[Snapshot, str | None, ServerHost]:
    host = ServerHost(connection)
    code = None
    try:
        try:
            run_do(body, host)
        except Refused as error:
            code = error.code
            connection.rollback()
        return catalog_snapshot(connection), code, host
    finally:
        connection.rollback()


@pytest.mark.parametrize("body", CASES.values(), ids=CASES.keys())
def test_does_to_the_catalog_what_postgresql_does(body: str, connection: psycopg.Connection[Any]) -> None:
    theirs, their_code = as_postgresql(connection, body)
    ours, our_code, host = as_we_do(connection, body)
    assert our_code == their_code
    assert snapshot_differences(theirs, ours) == []
    assert host.unknowns == []


def test_statements_know_where_they_stand(connection: psycopg.Connection[Any]) -> None:
    body = "BEGIN\n  CREATE TABLE a ();\n  IF true THEN\n    EXECUTE 'CREATE TABLE b ()';\n  END IF;\nEND"
    _, _, host = as_we_do(connection, body)
    assert [(sql, body[offset : offset + 7]) for sql, offset, _ in host.sent] == [
        ("CREATE TABLE a ()", "CREATE "),
        ("CREATE TABLE b ()", "EXECUTE"),
    ]


def test_what_a_function_does_stands_where_it_is_called(connection: psycopg.Connection[Any]) -> None:
    body = "BEGIN\n  NULL;\n  PERFORM enable_rls('users');\nEND"
    _, _, host = as_we_do(connection, body)
    assert [body[offset : offset + 7] for _, offset, _ in host.sent] == ["PERFORM", "PERFORM"]


def test_what_hangs_on_rows_is_conditional(connection: psycopg.Connection[Any]) -> None:
    _, _, host = as_we_do(connection, CASES["count of rows decides"])
    assert host.sent == [(host.sent[0][0], host.sent[0][1], "depends on the rows of public.users")]
    assert host.assumed == ["a condition of a block depends on the rows of public.users"]


def test_what_follows_a_guard_against_rows_is_not_conditional(connection: psycopg.Connection[Any]) -> None:
    _, _, host = as_we_do(connection, CASES["rows that would stop it"])
    assert [conditional for _, _, conditional in host.sent] == [None]


def test_text_that_nobody_knows_is_an_unknown_effect(connection: psycopg.Connection[Any]) -> None:
    _, code, host = as_we_do(connection, "BEGIN EXECUTE 'CREATE TABLE t_' || extract(epoch from now())::text; END")
    assert code is None
    assert len(host.unknowns) == 1


def test_an_unknown_effect_names_the_relations_that_it_is_about(connection: psycopg.Connection[Any]) -> None:
    _, _, host = as_we_do(connection, "BEGIN EXECUTE 'ALTER TABLE app.events RENAME TO e_' || now()::text; END")
    assert host.subjects == ["app.events"]


@pytest.mark.parametrize(
    "body",
    [
        "DECLARE i int := 0; BEGIN LOOP i := i + 1; END LOOP; END",
        "BEGIN WHILE true LOOP NULL; END LOOP; END",
        "DECLARE s text := 'x'; BEGIN FOR i IN 1..100 LOOP s := s || s; END LOOP; END",
        "BEGIN FOR i IN 1..1000000000 LOOP NULL; END LOOP; END",
        "BEGIN CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN PERFORM f(); END'; PERFORM f(); END",
    ],
    ids=["endless loop", "endless while", "endless text", "long range", "endless recursion"],
)
def test_ends_where_the_block_does_not(body: str, connection: psycopg.Connection[Any]) -> None:
    _, _, host = as_we_do(connection, body)
    assert host is not None


def test_another_language_is_an_unknown_effect(connection: psycopg.Connection[Any]) -> None:
    host = ServerHost(connection)
    assert not run_do("import os", host, language="plpython3u").complete
    assert len(host.unknowns) == 1


def test_a_select_runs_the_functions_that_it_calls(connection: psycopg.Connection[Any]) -> None:
    host = ServerHost(connection)
    try:
        rows = run_query(
            "SELECT add_column(tablename::regclass, 'extra') AS made FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename IN ('users', 'notes') ORDER BY tablename",
            host,
        )
        assert rows == [{"made": True}, {"made": True}]
        assert [sql for sql, _, _ in host.sent] == [
            "ALTER TABLE notes ADD COLUMN extra text",
            "ALTER TABLE users ADD COLUMN extra text",
        ]
    finally:
        connection.rollback()
