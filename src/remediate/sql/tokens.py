"""Tokens of a text, for the edits that have to leave everything else in it as it stands.

Expressions are changed in their syntax tree; a function's body is the author's own text, with comments and layout, and
is edited in place.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from postgast import PgQueryError, scan
from postgast.pg_query_pb2 import Token as _Kind

from remediate.sql.parse import SqlSyntaxError


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is the scanner's name: "IDENT", "SCONST", "ASCII_40" for an open parenthesis. Offsets in characters."""

    kind: str
    text: str
    start: int
    end: int


@functools.lru_cache(maxsize=64)
def tokens(text: str) -> tuple[Token, ...]:
    """The tokens without comments. Raises `SqlSyntaxError` where the text cannot be cut into tokens."""
    try:
        found = scan(text).tokens
    except PgQueryError as error:
        raise SqlSyntaxError(str(error)) from error
    data = text.encode()
    result = []
    position = characters = 0
    for one in found:
        kind = _Kind.Name(one.token)
        if kind in ("SQL_COMMENT", "C_COMMENT"):  # the keyword COMMENT is a token like any other
            continue
        # The scanner counts bytes; characters are counted along the way, so that a long text stays linear.
        characters += len(data[position : one.start].decode())
        piece = data[one.start : one.end].decode()
        result.append(Token(kind, piece, characters, characters + len(piece)))
        characters += len(piece)
        position = one.end
    return tuple(result)


@dataclass(frozen=True, slots=True)
class Call:
    """`name(…)` in a text: its span, and the spans of its arguments. Offsets in characters."""

    name: str
    start: int
    end: int
    arguments: tuple[tuple[int, int], ...]


def calls(text: str, name: str) -> list[Call]:
    """The calls of an unqualified (or pg_catalog-qualified) function, innermost included, in order of their start."""
    all_tokens = tokens(text)
    found = []
    for index, token in enumerate(all_tokens[:-1]):
        if token.kind == "IDENT" and token.text.lower() == name and all_tokens[index + 1].kind == "ASCII_40":
            start = token.start
            if index >= 2 and all_tokens[index - 1].text == "." and all_tokens[index - 2].text.lower() == "pg_catalog":
                start = all_tokens[index - 2].start
            if call := _read_call(name, start, all_tokens[index + 1 :]):
                found.append(call)
    return found


def _read_call(name: str, start: int, rest: tuple[Token, ...]) -> Call | None:
    depth, first, arguments = 0, rest[0].end, []
    for token in rest:
        if token.text in ("(", "["):
            depth += 1
        elif token.text in (")", "]"):
            depth -= 1
            if depth == 0:
                if token.start > first:
                    arguments.append((first, token.start))
                return Call(name, start, token.end, tuple(arguments))
        elif token.text == "," and depth == 1:
            arguments.append((first, token.start))
            first = token.end
    return None
