"""Checks the syntax of every piece of SQL in a block, as PostgreSQL does before it runs a DO block."""

from __future__ import annotations

from remediate.replay.refused import Refused
from remediate.sql.parse import SqlSyntaxError, UnreadableSqlError, parse
from remediate.sql.plpgsql import walk
from remediate.sql.plpgsql.tree import (
    Block,
    CursorStatement,
    Declaration,
    ForQuery,
    Perform,
    ReturnQuery,
    Sql,
    SqlStatement,
)


def check_syntax(block: Block) -> None:
    """Raises `Refused` 42601 for the first piece that does not parse, whether it would be reached or not."""
    found = list(walk(block))
    cursors = {item.name for item in found if isinstance(item, Declaration) and (item.cursor or "cursor" in item.type)}
    whole: set[int] = set()
    for item in found:
        if isinstance(item, SqlStatement):
            whole.add(id(item.sql))
        elif isinstance(item, Perform) or (
            isinstance(item, ForQuery | ReturnQuery | CursorStatement) and not item.dynamic
        ):
            whole.add(id(item.query))
        elif isinstance(item, Declaration) and item.cursor is not None:
            whole.add(id(item.cursor))
    for item in found:
        if isinstance(item, Sql) and item.text.split("(")[0].strip().lower() not in cursors:
            _check(item.text if id(item) in whole else f"SELECT {item.text}")


def _check(text: str) -> None:
    try:
        parse(text)
    except SqlSyntaxError as error:
        raise Refused("42601", error.message) from error
    except UnreadableSqlError:
        return
