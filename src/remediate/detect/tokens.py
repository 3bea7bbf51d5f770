"""SQL and PL/pgSQL as a list of tokens: enough to see what is compared with what, in any dialect of either.

Policies arrive as PostgreSQL deparses them, but function bodies as they were typed, and PL/pgSQL is no SQL that a
parser of statements takes. Tokens serve both, and never fail: what is no token is a token of one character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal["word", "quoted", "string", "number", "symbol"]

_TOKEN = re.compile(
    r"""
      (?P<skip>   \s+ | --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<string> [eE]'(?:[^'\\]|\\.|'')*' | [bBxXnN]?'(?:[^']|'')*'
                | \$(?P<tag>[A-Za-z_]\w*)?\$.*?\$(?(tag)(?P=tag))\$ )
    | (?P<quoted> "(?:[^"]|"")*" )
    | (?P<number> \d+(?:\.\d+)? | \$\d+ )
    | (?P<word>   [^\W\d][\w$]* )
    | (?P<symbol> :: | := | <> | != | <= | >= | \|\| | ->> | -> | . )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is folded to lower case for bare words, without quotes for quoted names and strings."""

    kind: Kind
    text: str

    @property
    def name(self) -> str | None:
        """The identifier that it may be, else None."""
        return self.text if self.kind in ("word", "quoted") else None


@lru_cache(maxsize=4096)
def tokens(sql: str) -> tuple[Token, ...]:
    """Every token of `sql`, without white space and comments."""
    found: list[Token] = []
    for match in _TOKEN.finditer(sql):
        text = match.group()
        match match.lastgroup:
            case "skip":
                continue
            case "quoted":
                found.append(Token("quoted", text[1:-1].replace('""', '"')))
            case "number":
                found.append(Token("number", text))
            case "word":
                found.append(Token("word", text.lower()))
            case "symbol":
                found.append(Token("symbol", text))
            case _:
                found.append(Token("string", _string_value(text)))
    return tuple(found)


def words(text: str) -> frozenset[str]:
    """A set of words, written as text."""
    return frozenset(text.split())


def _string_value(text: str) -> str:
    if text.startswith("$"):
        opening = text.index("$", 1) + 1
        return text[opening:-opening]
    return text[text.index("'") + 1 : -1].replace("''", "'")


def closing(sequence: Sequence[Token], opening: int) -> int:
    """The index of the parenthesis that closes the one at `opening`, or the length where none does."""
    depth = 0
    for index in range(opening, len(sequence)):
        if sequence[index] == OPEN:
            depth += 1
        elif sequence[index] == CLOSE:
            depth -= 1
            if depth == 0:
                return index
    return len(sequence)


def opening(sequence: Sequence[Token], closing_index: int) -> int:
    """The index of the parenthesis that opens the one at `closing_index`, or -1 where none does."""
    depth = 0
    for index in range(closing_index, -1, -1):
        if sequence[index] == CLOSE:
            depth += 1
        elif sequence[index] == OPEN:
            depth -= 1
            if depth == 0:
                return index
    return -1


OPEN = Token("symbol", "(")
CLOSE = Token("symbol", ")")
COMMA = Token("symbol", ",")
CAST = Token("symbol", "::")
DOT = Token("symbol", ".")
