"""Text in, statements out: the door to the SQL parser (libpg_query 18 through postgast), bounded for hostile input.

Nodes are the parser's own protobuf messages, untyped here: `Node` names what they are, and only this package and the
handlers of replay look inside.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from postgast import PgQueryError
from postgast import parse as parse_protobuf
from postgast.native import lib
from postgast.pg_query_pb2 import ParseResult

from remediate.sql.older import Disguise

Node: TypeAlias = Any

LARGEST = 32 * 1024 * 1024
"""Bytes of SQL in one string that are still read."""

DEEPEST = 900
"""Levels of a statement's tree that are still read."""

_BLANK = re.compile(rb"(?:\s+|--[^\n]*(?:\n|\Z)|;)+")


class SqlSyntaxError(Exception):
    """PostgreSQL's 42601. `offset` is the byte offset into the text, where it is known."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class UnreadableSqlError(Exception):
    """SQL that is too large or too deep to be read here; PostgreSQL might well take it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a parsed string. `offset` is the byte offset of `text` in that string.

    `kind` is the parser's name of the statement: "create_stmt", "create_policy_stmt", …
    """

    text: str
    offset: int
    kind: str
    node: Node = field(repr=False)


def parse(text: str) -> list[Statement]:
    """The statements of a string, in order; empty statements and comments are left out.

    Raises `SqlSyntaxError` if any of them has a syntax error: PostgreSQL parses a whole simple-query string before it
    runs the first statement (exec_simple_query), so nothing of it takes effect. Raises `UnreadableSqlError` for what
    exceeds `LARGEST` or `DEEPEST`.
    """
    data = _encoded(text)
    tree = _tree(text)
    statements = []
    for raw in tree.stmts:
        start = raw.stmt_location
        end = start + raw.stmt_len if raw.stmt_len else len(data)
        offset = _skip_blank(data, start, end)
        kind = raw.stmt.WhichOneof("node")
        if kind is None:
            continue
        if kind == "variable_set_stmt":
            _refuse_parameter(raw.stmt.variable_set_stmt)
        body = data[offset:end].rstrip()
        statements.append(Statement(body.decode(), offset, kind, getattr(raw.stmt, kind)))
    return statements


def _refuse_parameter(node: Node) -> None:
    """libpg_query's grammar takes `SET x = $1`, PostgreSQL's does not."""
    for item in node.args:
        if item.WhichOneof("node") == "param_ref":
            number = item.param_ref.number
            raise SqlSyntaxError(f'syntax error at or near "${number or "1"}"', item.param_ref.location)


def parse_expression(text: str) -> Node:
    """The tree of one value expression (the message inside of `Node` is found with `WhichOneof("node")`).

    Raises as `parse` does, and `SqlSyntaxError` where the text is more or less than one expression.
    """
    statements = parse(f"SELECT {text}")
    if len(statements) == 1 and statements[0].kind == "select_stmt":
        node = statements[0].node
        if len(node.target_list) == 1 and not node.from_clause and not node.HasField("where_clause"):
            target = node.target_list[0].res_target
            if not target.name:
                return target.val
    raise SqlSyntaxError(f"is no expression: {text[:60]}")


def _encoded(text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise SqlSyntaxError('invalid byte sequence for encoding "UTF8"') from error
    if len(data) > LARGEST:
        raise UnreadableSqlError(f"an SQL string of {len(data)} bytes is too large to be read")
    if b"\0" in data:
        # The parser takes a C string and would silently stop here.
        raise SqlSyntaxError('invalid byte sequence for encoding "UTF8": 0x00', data.index(b"\0"))
    return data


def _tree(text: str) -> Any:
    disguise = Disguise(text)
    try:
        tree = parse_protobuf(disguise.text)
        return ParseResult.FromString(disguise.undo_bytes(tree.SerializeToString())) if disguise.names else tree
    except PgQueryError as error:
        offset = len(text[: error.cursorpos - 1].encode()) if error.cursorpos else None
        raise SqlSyntaxError(disguise.undo(error.message), offset) from error
    except DecodeError:
        # The protobuf runtime reads no message deeper than 100 levels, which twenty nested SELECTs exceed; the
        # parser's JSON says the same without that limit, thirty times slower.
        return _tree_by_json(disguise)


def _tree_by_json(disguise: Disguise) -> Any:
    result = lib.pg_query_parse(disguise.text.encode())
    try:
        if result.error:
            raise UnreadableSqlError("the SQL is nested too deeply to be read")
        tree = json.loads(disguise.undo_bytes(result.parse_tree))
        return json_format.ParseDict(tree, ParseResult(), max_recursion_depth=DEEPEST)
    except (RecursionError, json_format.ParseError, UnicodeDecodeError) as error:
        raise UnreadableSqlError("the SQL is nested too deeply to be read") from error
    finally:
        lib.pg_query_free_parse_result(result)


def _skip_blank(data: bytes, start: int, end: int) -> int:
    """The offset behind white space, comments (block comments nest) and empty statements."""
    position = start
    while position < end:
        if match := _BLANK.match(data, position, end):
            position = match.end()
        elif data.startswith(b"/*", position):
            depth = 0
            while position < end:
                if data.startswith(b"/*", position):
                    depth += 1
                    position += 2
                elif data.startswith(b"*/", position):
                    depth -= 1
                    position += 2
                    if not depth:
                        break
                else:
                    position += 1
        else:
            break
    return min(position, end)
