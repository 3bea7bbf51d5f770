"""FOR and FOREACH: which of its four forms a FOR loop has shows only behind IN (pl_gram.y, for_control)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediate.sql.plpgsql.tree import Foreach, ForInteger, ForQuery

if TYPE_CHECKING:
    from remediate.sql.plpgsql.parse import Parser


def parse_foreach(parser: Parser, label: str | None, offset: int) -> Foreach:
    cursor = parser.cursor
    targets = cursor.targets()
    depth = 0
    if cursor.accept("slice"):
        token = cursor.token
        depth = int(token.text) if token is not None and token.text.isdigit() else 0
        cursor.position += 1
    cursor.expect("in", "array")
    array = cursor.until("loop")
    return Foreach(offset, label, targets, depth, array, parser.loop_body())


def parse_for(parser: Parser, label: str | None, offset: int) -> ForInteger | ForQuery:
    cursor = parser.cursor
    targets = cursor.targets()
    cursor.expect("in")
    if cursor.accept("execute"):
        query = cursor.until("loop", "using")
        parameters = cursor.list_until("loop") if cursor.accept("using") else ()
        return ForQuery(offset, label, targets, query, True, parameters, parser.loop_body())
    reverse = cursor.accept("reverse")
    start = cursor.position
    end = cursor.skip_until(("..", "loop"))
    if cursor.word() == "loop":
        return ForQuery(offset, label, targets, cursor.piece(start, end), False, (), parser.loop_body())
    lower = cursor.piece(start, end)
    cursor.expect("..")
    upper = cursor.until("loop", "by")
    step = cursor.until("loop") if cursor.accept("by") else None
    return ForInteger(offset, label, targets[0].path[0], lower, upper, step, reverse, parser.loop_body())
