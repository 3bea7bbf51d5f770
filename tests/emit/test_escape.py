"""What real Knex sends is the SQL that was meant, byte for byte, whatever stands in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from remediate.emit.escape import comment, quoted, raw_sql
from remediate.emit.indent import indent
from remediate.plan.sendable import sendable
from remediate.plan.tenant_column import BINDING
from remediate.sql.tokens import tokens
from support.database import Database
from support.knex import KnexRunner
from support.node import Node
from support.plans import STRINGS, Statements, literal


@pytest.fixture
def run(knex_runner: KnexRunner, database: Database, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Runs SQL as the text of a migration; returns what Knex sent for it."""

    def run(*statements: str) -> list[str]:
        folder = tmp_path / "migrations"
        folder.mkdir()
        calls = "".join(f"  await knex.raw(`{raw_sql(sql)}`)\n" for sql in statements)
        (folder / "001_a.ts").write_text(
            f"export async function up(knex) {{\n  await knex.raw('SELECT 1 AS begins')\n{calls}"
            "  await knex.raw('SELECT 1 AS ends')\n}\nexport async function down() {}\n",
            encoding="utf-8",
            newline="",
        )
        sent = [sql for sql, _ in knex_runner.latest(database, tmp_path).expect_success().queries]
        return sent[sent.index("SELECT 1 AS begins") + 1 : sent.index("SELECT 1 AS ends")]

    return run


def test_knex_sends_what_was_meant(run) -> None:  # type: ignore[no-untyped-def]
    statements = [f"SELECT {literal(text)}" for text in STRINGS]
    assert run(*statements) == statements


def test_operators_with_question_marks_reach_the_server(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    database.run("CREATE TABLE documents (body jsonb)")
    sql = "CREATE FUNCTION asks() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM documents WHERE body ? 'a' $$"
    run(sql)
    assert database.value("SELECT prosrc FROM pg_proc WHERE proname = 'asks'") == sql.split("$$")[1]


@pytest.mark.parametrize("backslashes", [1, 2, 3, 4])
def test_a_backslash_before_a_question_mark_cannot_be_sent(run, backslashes: int) -> None:  # type: ignore[no-untyped-def]
    """Were this to pass one day, such repairs need not be manual any more (see `plan/sendable.py`)."""
    sql = f"SELECT '{backslashes * chr(92)}?'"
    assert run(sql) != [sql]
    assert not sendable([Statements((sql,))])
    assert not sendable([Statements(("SELECT 1",), (sql,))])


def test_everything_else_can_be_sent() -> None:
    assert sendable([Statements(tuple(literal(text) for text in STRINGS), tuple(map(literal, STRINGS)))])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=3))
def test_a_template_literal_gives_the_text_back(parts: list[str]) -> None:
    """What TypeScript makes of the literal, undone by hand; Node itself judges `STRINGS` above."""
    sql = "?".join(parts)
    assume("\\?" not in sql)
    literal = raw_sql(sql)
    assert "\r" not in literal
    cooked, index = [], 0
    while index < len(literal):
        if literal[index] == "\\":
            index += 1
            cooked.append({"r": "\r"}.get(literal[index], literal[index]))
        else:
            assert literal[index] != "`"
            assert not literal.startswith("${", index)
            cooked.append(literal[index])
        index += 1
    assert "".join(cooked).replace("\\?", "?") == sql


def test_bindings_become_question_marks_only_where_they_are_asked_for() -> None:
    assert raw_sql(f"a = {BINDING} AND b ? 'c'", bindings=True) == "a = ? AND b \\\\? 'c'"
    assert raw_sql(f"SELECT '{BINDING}'") == f"SELECT '{BINDING}'"


@pytest.mark.parametrize("text", [*STRINGS, "*/ ends it", "a\n b\n*/"])
def test_no_text_ends_a_comment(node: Node, text: str) -> None:
    node("-e", f"/* {comment(text)} */\n// {comment(text)}\n")


def test_strings_are_read_as_they_were_written(node: Node) -> None:
    for quote in "'\"":
        source = ",".join(quoted(text, quote) for text in STRINGS)
        assert json.loads(node("-p", f"JSON.stringify([{source}])")) == STRINGS


INDENTED = [
    "SELECT 1,\n  2\nFROM a",
    "CREATE POLICY p ON a\n  USING (b = 'x\n  y\nz')",
    'SELECT "a\n b"\n  FROM c',
    "CREATE FUNCTION f() RETURNS trigger AS $$\nBEGIN\n  RETURN NEW;\nEND\n$$\nLANGUAGE plpgsql",
    "CREATE FUNCTION f() RETURNS text AS '\n  SELECT ''a''\n'\nLANGUAGE sql",
    "CREATE FUNCTION f() RETURNS trigger AS $fill$\nBEGIN\nEND\n$fill$ LANGUAGE plpgsql",
    "CREATE FUNCTION f() RETURNS trigger AS $remediate$\nBEGIN\nEND\n$remediate$ LANGUAGE plpgsql",
    "SELECT E'a\\\n b',\n U&'\\0441\n'",
    "/* a comment\nof lines */ SELECT 1\n-- and one more\n, 2",
]


@pytest.mark.parametrize("sql", INDENTED)
def test_indentation_is_white_space_between_tokens(sql: str) -> None:
    written = indent(sql, "      ")
    assert [(token.kind, token.text) for token in tokens(written)] == [
        (token.kind, token.text) for token in tokens(sql)
    ]
    assert written.startswith("      ")


def test_a_block_that_is_only_run_is_indented_but_not_its_constants() -> None:
    sql = "DO $x$\nBEGIN\n  RAISE 'a\nb';\n\nEND\n$x$"
    assert indent(sql, "  ") == "  DO $x$\n  BEGIN\n    RAISE 'a\nb';\n\n  END\n  $x$"


def test_what_is_no_sql_stays_as_it_is() -> None:
    assert indent("SELECT 'open\n string", "  ") == "  SELECT 'open\n string"
