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
    node: Node | None = None
    try:
        node = select_node(select) if isinstance(select, str) else select
        columns, rows = run_select(node, session)
    except NotUnderstood as error:
        about_data = node is not None and reads_rows(node, session)
        if about_data and session.tables_are_empty:
            return []
        return Unknown(f"the query uses {error.reason}", about_data=about_data)
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


def reads_rows(select: Node, session: Session) -> bool:
    """Whether a SELECT gives no row while some table of the user's is empty, whatever else it does."""
    if int(select.op) > 1 or select.values_lists or select.HasField("having_clause") or select.HasField("with_clause"):
        return False
    grouped = bool(select.group_clause)
    if not grouped and any(_aggregates(item.res_target.val) for item in select.target_list):
        return False
    return any(_needs_rows(item, session) for item in select.from_clause)


def _aggregates(node: Node) -> bool:
    # A call anywhere may be one; then there is a row even over no rows.
    return "func_call" in str(node)


def _needs_rows(node: Node, session: Session) -> bool:
    kind = node.WhichOneof("node")
    if kind == "range_var":
        found = session.find_relation(node.range_var.relname, node.range_var.schemaname or None)
        return found is not None and found.schema not in ("pg_catalog", "information_schema")
    if kind == "range_subselect":
        return reads_rows(node.range_subselect.subquery.select_stmt, session)
    if kind == "join_expr":
        left, right = (_needs_rows(side, session) for side in (node.join_expr.larg, node.join_expr.rarg))
        # 1 INNER, 2 LEFT, 3 FULL, 4 RIGHT
        return {1: left or right, 2: left, 3: left and right, 4: right}.get(int(node.join_expr.jointype), False)
    return False


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
