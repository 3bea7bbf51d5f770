"""Rows that earlier statements put there, as the static engine remembers them and as PostgreSQL has them."""

from __future__ import annotations

import pytest

from remediate.evaluate.model import Sent
from remediate.evaluate.values import Unknown
from remediate.replay.engine import StaticEngine
from remediate.source.place import Place
from support.database import Database

from .test_questions import from_server

_KINDS = "CREATE TABLE kinds (id serial PRIMARY KEY, key varchar(20) NOT NULL, note text DEFAULT 'none')"
_THREE = "INSERT INTO kinds (key, note) VALUES ('A', 'x'), ('B', DEFAULT), ('OTHER', NULL)"
_ALL = "SELECT * FROM kinds ORDER BY id"

# ruff: noqa: E501
KNOWN: dict[str, list[str]] = {
    "rows with generated numbers and defaults": [_KINDS, _THREE, _ALL],
    "one row after the other": [_KINDS, "INSERT INTO kinds (key) VALUES ('A')", "INSERT INTO kinds (key) VALUES ('B')", "SELECT id FROM kinds WHERE key = 'B'"],
    "a row of defaults": ["CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, a text DEFAULT 'x', b int)", "INSERT INTO t DEFAULT VALUES", "SELECT * FROM t"],
    "columns by position": ["CREATE TABLE t (a int, b text, c boolean)", "INSERT INTO t VALUES (1, 'x'), (2, 'y')", "SELECT * FROM t ORDER BY a"],
    "the row that was inserted if it was missing": [_KINDS, "INSERT INTO kinds (key) SELECT 'A' WHERE NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'nope')", "INSERT INTO kinds (key) VALUES ('B')", "INSERT INTO kinds (key) SELECT 'B' WHERE NOT EXISTS (SELECT 1 FROM kinds WHERE key = 'B')", _ALL],
    "rows out of other rows": [_KINDS, _THREE, "CREATE TABLE u (kind int, label text)", "INSERT INTO u (kind, label) SELECT id, upper(key) FROM kinds WHERE key <> 'A'", "SELECT kind, label FROM u ORDER BY kind"],
    "rows that conflict are left out": [_KINDS, "CREATE UNIQUE INDEX ON kinds (key)", _THREE, "INSERT INTO kinds (key) VALUES ('B'), ('C') ON CONFLICT DO NOTHING", "SELECT key FROM kinds ORDER BY key"],
    "rows that are changed": [_KINDS, _THREE, "UPDATE kinds SET note = key || '!', key = lower(key) WHERE key LIKE 'A%' OR note IS NULL", _ALL],
    "rows that are deleted": [_KINDS, _THREE, "DELETE FROM kinds WHERE key = 'A'", "INSERT INTO kinds (key) VALUES ('D')", _ALL],
    "a table that was emptied and filled again": ["CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)", "TRUNCATE t", "INSERT INTO t VALUES (2)", "SELECT a FROM t"],
    "columns that came and went": [_KINDS, _THREE, "ALTER TABLE kinds RENAME COLUMN key TO code", "ALTER TABLE kinds DROP COLUMN note, ADD COLUMN note int DEFAULT 7, ADD COLUMN more text", _ALL],
    "a column in the place of one of the same name": [_KINDS, _THREE, "ALTER TABLE kinds DROP COLUMN note, ADD COLUMN note text DEFAULT 'none'", _ALL],
    "a table with another name": [_KINDS, _THREE, "ALTER TABLE kinds RENAME TO sorts", "CREATE TABLE kinds (id int)", "INSERT INTO kinds VALUES (9)", "SELECT s.id, k.id AS other FROM sorts s, kinds k WHERE s.key = 'OTHER'"],
    "a table that was dropped and made again": [_KINDS, _THREE, "DROP TABLE kinds", _KINDS, "INSERT INTO kinds (key) VALUES ('Z')", _ALL],
    "enums, arrays, json and numbers": ["CREATE TYPE mood AS ENUM ('ok', 'bad')", "CREATE TABLE t (m mood, a text[], j jsonb, n numeric(6,2), b boolean)", "INSERT INTO t VALUES ('ok', '{x,y}', '{\"k\": [1]}', 2.5, 't')", "SELECT m, a, j -> 'k' ->> 0 AS k, n, b FROM t"],
    "rows of a block": [_KINDS, "DO $$ BEGIN FOR i IN 1..2 LOOP INSERT INTO kinds (key) VALUES ('k' || i); END LOOP; END $$", "SELECT id, key FROM kinds ORDER BY id"],
    "counts": [_KINDS, _THREE, "SELECT count(*)::int AS n, max(id) AS last FROM kinds WHERE note IS NOT NULL"],
    "what an insert returns": [_KINDS, _THREE, "INSERT INTO kinds (key) VALUES ('Y'), ('Z') RETURNING id, key"],
}  # fmt: skip


def _last(engine: StaticEngine, strings: list[str]) -> object:
    answer = None
    for sql in strings:
        answer = engine.execute(Sent("service", "1.ts", "up", Place("1.ts"), sql, "raw"), True)
    assert answer is not None
    assert not engine.told.refusals
    return answer.rows


@pytest.mark.parametrize("name", KNOWN)
def test_rows_are_those_that_a_server_has(name: str, database: Database) -> None:
    *before, question = KNOWN[name]
    ours = _last(StaticEngine(strict=True), KNOWN[name])
    assert not isinstance(ours, Unknown), ours.reason
    with database.connect() as connection:
        for sql in before:
            connection.execute(sql.encode())
        theirs = from_server(connection, question)
    assert [{key: str(value) for key, value in row.items()} for row in theirs] == [
        {key: str(value) for key, value in row.items()}
        for row in ours  # type: ignore[attr-defined]
    ]


_TOUCH = "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := 1; RETURN NEW; END'"
UNKNOWN: dict[str, list[str]] = {
    "a table that no migration filled": [_KINDS, _ALL],
    "rows from a file": [_KINDS, _THREE, "COPY kinds FROM '/tmp/x'", _ALL],
    "rows of a query over unknown rows": [_KINDS, "CREATE TABLE t (k text)", "INSERT INTO kinds (key) SELECT k FROM t", _ALL],
    "rows that a trigger changes": [_KINDS, _TOUCH, "CREATE TRIGGER t BEFORE INSERT ON kinds FOR EACH ROW EXECUTE FUNCTION touch()", _THREE, _ALL],
    "rows that go with others": ["CREATE TABLE p (id int PRIMARY KEY)", "CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE)", "INSERT INTO p VALUES (1)", "INSERT INTO c VALUES (1)", "DELETE FROM p", "SELECT * FROM c"],
    "rows in WITH": [_KINDS, _THREE, "WITH gone AS (DELETE FROM kinds RETURNING *) SELECT count(*) FROM gone", _ALL],
    "rows that are deleted by what is not known": [_KINDS, _THREE, "UPDATE kinds SET note = now()::text", "DELETE FROM kinds WHERE note < '2020'", _ALL],
    "rows of a table with children": [_KINDS, "CREATE TABLE more () INHERITS (kinds)", _THREE, _ALL],
    "a table made from a query": ["CREATE TABLE t AS SELECT generate_series(1, 3) AS a", "INSERT INTO t VALUES (4)", "SELECT * FROM t"],
    "a number after a sequence was set": [_KINDS, _THREE, "SELECT setval('kinds_id_seq', 100)", "INSERT INTO kinds (key) VALUES ('Z')", "SELECT id FROM kinds WHERE key = 'Z' AND id > 3"],
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_cannot_be_followed_is_not_known(name: str) -> None:
    rows = _last(StaticEngine(strict=True), UNKNOWN[name])
    assert isinstance(rows, Unknown)
    assert rows.about_data


def test_what_is_known_of_rows_is_told_as_an_assumption() -> None:
    engine = StaticEngine(strict=True)
    _last(engine, KNOWN["counts"])
    reasons = {assumption.reason for assumption in engine.told.assumptions}
    assert reasons == {"reads a table, which is taken to hold just the rows that the migrations put there"}
