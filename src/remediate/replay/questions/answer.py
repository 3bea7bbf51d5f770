"""The public functions: a SELECT and a reader of the catalog in, rows as node-postgres gives them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from remediate.evaluate.values import Unknown
from remediate.replay.questions.casts import cast
from remediate.replay.questions.errors import NotUnderstood, Refused
from remediate.replay.questions.scope import Rows
from remediate.replay.questions.select import compile_select
from remediate.replay.questions.session import Session
from remediate.replay.questions.values import OID_TYPES, to_javascript
from remediate.replay.reading import CatalogReader
from remediate.sql.parse import Node, SqlSyntaxError, UnreadableSqlError, parse


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows for a fresh database. `assumption` is the reason why another database may answer otherwise, or None."""

    rows: list[dict[str, Any]] | Unknown
    assumption: str | None = None


def answer(select: Node | str, reader: CatalogReader) -> list[dict[str, Any]] | Unknown:
    """The rows that a SELECT over the catalog gives, as node-postgres hands them to JavaScript.

    `select` is its text or its SelectStmt. A value in a row may be `Unknown`; where it is not known which rows there
    are, the whole answer is `Unknown`, with `about_data` where only rows of the user's tables would tell. Raises
    `Refused` with PostgreSQL's SQLSTATE for what it would refuse.
    """
    return run_question(select, Session(reader))


def answer_fresh(select: Node | str, reader: CatalogReader) -> Answer:
    """Like `answer`, and where it depends on the rows of tables, with those tables empty."""
    rows = answer(select, reader)
    if isinstance(rows, Unknown) and rows.about_data:
        return Answer(run_question(select, Session(reader, tables_are_empty=True)), rows.reason)
    if not isinstance(rows, Unknown):
        for row in rows:
            doubt = next((v for v in row.values() if isinstance(v, Unknown) and v.about_data), None)
            if doubt is not None:
                return Answer(run_question(select, Session(reader, tables_are_empty=True)), doubt.reason)
    return Answer(rows)


def run_question(select: Node | str, session: Session) -> list[dict[str, Any]] | Unknown:
    """`answer` in a session of the caller's: with variables, and with functions that can be called."""
    try:
        columns, rows = run_select(select, session)
    except NotUnderstood as error:
        return Unknown(f"the query uses {error.reason}")
    doubt = next((reason for _, reason in rows if reason is not None), None)
    if doubt is not None:
        return doubt
    result = []
    for row, _ in rows:
        made: dict[str, Any] = {}
        for (name, kind), value in zip(columns, row, strict=True):
            if kind in OID_TYPES and kind != "oid":
                value = cast(value, kind, "text", session)
            made[name] = to_javascript(value, kind)
        result.append(made)
    return result


def run_select(select: Node | str, session: Session) -> tuple[list[tuple[str, str]], Rows]:
    """The columns (name and type) and rows of a SELECT, in SQL's own values. Raises `NotUnderstood` and `Refused`."""
    node = select_node(select) if isinstance(select, str) else select
    try:
        query = compile_select(node, session, None)
        return query.columns, query.run(None)
    except RecursionError as error:
        raise NotUnderstood("deeper nesting than can be followed") from error


def select_node(text: str) -> Node:
    """The SelectStmt of a text that holds exactly one. Raises `Refused` 42601 for a syntax error."""
    try:
        statements = parse(text)
    except SqlSyntaxError as error:
        raise Refused("42601", error.message) from error
    except UnreadableSqlError as error:
        raise NotUnderstood(str(error)) from error
    if len(statements) != 1 or statements[0].kind != "select_stmt":
        raise NotUnderstood("something other than one SELECT")
    return statements[0].node
