"""Rows as node-postgres hands them to JavaScript: by the text of a value and the oid of its type.

From pg-types (lib/textParsers.js): integers up to four bytes and floats are numbers, bigint and numeric stay text,
json is parsed, some arrays are, the rest is the text that PostgreSQL sent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from remediate.evaluate.values import Unknown

Parser: TypeAlias = Callable[[str], Any]


def _plain(text: str) -> Any:
    return text


def _float(text: str) -> Any:
    number = float(text)
    return int(number) if math.isfinite(number) and number.is_integer() and abs(number) < 2**53 else number


def _json(text: str) -> Any:
    return json.loads(text)


def _object(text: str) -> Any:
    # Date, Buffer, interval and point are objects; what a migration does with one is not followed.
    return Unknown(f"an object that node-postgres makes of {text[:40]!r}", None, True)


_SCALARS: Final[dict[int, Parser]] = {
    16: lambda text: text == "t",
    20: _plain,  # bigint
    21: int,
    23: int,
    26: int,  # oid
    700: _float,
    701: _float,
    1700: _plain,  # numeric
    25: _plain,
    1042: _plain,
    1043: _plain,
    2950: _plain,
    114: _json,
    3802: _json,
    17: _object,
    600: _object,
    1082: _object,
    1114: _object,
    1184: _object,
    1186: _object,
}
"""By the oid of a built-in type, which is the same in every PostgreSQL; any other type arrives as text."""

_ARRAYS: Final[dict[int, int]] = {
    1000: 16, 1001: 17, 1005: 21, 1007: 23, 1028: 26, 1016: 20, 1017: 600, 1021: 700, 1022: 701, 1231: 1700,
    1014: 1042, 1015: 1043, 1008: 25, 1009: 25, 1115: 1114, 1182: 1082, 1185: 1184, 1187: 1186, 199: 114, 3807: 3802,
    2951: 2950, 1040: 25, 1041: 25, 1183: 25, 1270: 25, 791: 25, 3907: 25,
}  # fmt: skip
"""The arrays that are parsed, with the type of their elements; an array of name is not among them."""


def to_javascript(text: str | None, kind: int) -> Any:
    """One value, by its text (None for NULL) and the oid of its type."""
    if text is None:
        return None
    if (element := _ARRAYS.get(kind)) is not None:
        return _array(text, _SCALARS[element])
    return _SCALARS.get(kind, _plain)(text)


def _array(text: str, parser: Parser) -> Any:
    """postgres-array: nested braces, quoted elements, bounds before an equal sign."""
    position = text.index("=") + 1 if text.startswith("[") else 0
    stack: list[list[Any]] = [[]]
    while position < len(text):
        char = text[position]
        if char == "{":
            stack.append([])
            position += 1
        elif char == "}":
            done = stack.pop()
            stack[-1].append(done)
            position += 1
        elif char == ",":
            position += 1
        elif char == '"':
            piece, position = _quoted(text, position + 1)
            stack[-1].append(parser(piece))
        else:
            end = position
            while text[end] not in ",}":
                end += 1
            piece = text[position:end]
            stack[-1].append(None if piece == "NULL" else parser(piece))
            position = end
    return stack[0][0]


def _quoted(text: str, position: int) -> tuple[str, int]:
    piece = []
    while text[position] != '"':
        if text[position] == "\\":
            position += 1
        piece.append(text[position])
        position += 1
    return "".join(piece), position + 1
