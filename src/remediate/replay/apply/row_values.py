"""Values that INSERT and UPDATE give to columns: whether each may stand there (transformAssignedExpr)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from remediate.replay.apply.base import Applying
from remediate.replay.apply.casts import require_assignable, require_label
from remediate.replay.catalog import Column, Table
from remediate.replay.refused import Refused
from remediate.sql.parse import Node
from remediate.sql.piece import Piece, as_type
from remediate.sql.quote import quote_literal
from remediate.sql.types import base_type

_LENGTH: Final = re.compile(r"(character varying|character)\((\d+)\)")
_MOST_ROWS: Final = 100
"""Rows that are looked at: there may be thousands, written by the hand that wrote the first ones."""


def check_rows(node: Node, table: Table, at: Applying) -> None:
    """The rows of VALUES: as many values as columns, and each of a type that the column takes."""
    if not node.HasField("select_stmt"):
        return
    names = [item.res_target.name for item in node.cols]
    columns = [column for name in names if (column := table.column(name))] if names else list(table.columns)
    rows = node.select_stmt.select_stmt.values_lists
    for row in rows[:_MOST_ROWS]:
        _check_row(row.list.items, columns, bool(names), table, at)


def _check_row(values: Sequence[Node], columns: Sequence[Column], named: bool, table: Table, at: Applying) -> None:
    if len(values) > len(columns):
        raise Refused("42601", "INSERT has more expressions than target columns", subjects=[table.name])
    if named and len(values) < len(columns):
        raise Refused("42601", "INSERT has more target columns than expressions", subjects=[table.name])
    for value, column in zip(values, columns, strict=False):
        _check(value, column, table, at)


def _require_short(text: str, column: Column) -> None:
    """22001 where a text is longer than its column; blanks at the end are cut off (varchar in varchar.c)."""
    found = _LENGTH.fullmatch(column.type)
    if found is not None and text[int(found[2]) :].rstrip(" "):
        raise Refused("22001", f"value too long for type {column.type}")


def check_changes(node: Node, table: Table, at: Applying) -> None:
    """The values of SET that are constants."""
    for item in node.target_list:
        column = table.column(item.res_target.name)
        if column is not None and item.res_target.val.WhichOneof("node") == "a_const":
            _check(item.res_target.val, column, table, at)


def _check(value: Node, column: Column, table: Table, at: Applying) -> None:
    kind = value.WhichOneof("node")
    if kind == "a_const" and value.a_const.WhichOneof("val") == "sval":
        text = value.a_const.sval.sval
        as_type(Piece(quote_literal(text), kind="literal", value=text), base_type(column.type))
        require_label(text, column.type, at)
        _require_short(text, column)
    elif kind in ("a_const", "func_call", "sqlvalue_function", "type_cast"):
        given = at.expression(value).type
        if given is not None:
            require_assignable(given, column, table)
