"""Function bodies: compared without white space and comments, checked for syntax, searched for what they touch."""

from __future__ import annotations

import re
from dataclasses import dataclass

from postgast.native import lib

from remediate.sql.older import Disguise
from remediate.sql.settings import Token, tokens

PROCEDURAL = ("plpgsql", "sql")

_WRITES = {"insert": "into", "update": "", "delete": "from", "truncate": ""}
_NOT_A_RELATION = frozenset({"select", "only", "set", "lateral", "table", "where", "of", "current", "on"})


def normal_body(body: str, language: str) -> str:
    """The body such that equal ones are equal text: one space between tokens, no comments, keywords in lower case."""
    if language not in PROCEDURAL:
        return body.strip()
    found = tokens(body)
    if not found:
        return " ".join(body.split())
    return " ".join(_normal(token) for token in found)


def _normal(token: Token) -> str:
    if token.text[0] in "'\"$" or token.text[:2] in ("E'", "e'"):
        inner = token.string
        return f"'{inner}'" if inner is not None and token.text[0] == "$" else token.text
    return token.text.lower()


def syntax_error(create_function: str) -> str | None:
    """What PL/pgSQL's parser refuses in a CREATE FUNCTION or DO statement; None when it takes it, or cannot tell.

    libpg_query has no catalog: what it says about types and variables is not PostgreSQL's answer.
    """
    disguise = Disguise(create_function, everywhere=True)
    try:
        result = lib.pg_query_parse_plpgsql(disguise.text.encode())
    except UnicodeEncodeError:
        return None
    try:
        if not result.error:
            return None
        message = disguise.undo((result.error.contents.message or b"").decode("utf-8", "replace"))
    finally:
        lib.pg_query_free_plpgsql_parse_result(result)
    return message if message.startswith(("syntax error", "missing", "unterminated", "mismatched")) else None


@dataclass(frozen=True, slots=True)
class Touched:
    """Relations as (schema or None, name); `dynamic` where a string is executed."""

    reads: tuple[tuple[str | None, str], ...]
    writes: tuple[tuple[str | None, str], ...]
    calls: tuple[tuple[str | None, str], ...]
    dynamic: bool


def touched(body: str) -> Touched:
    """What a body of SQL or PL/pgSQL reads, writes and calls, found by its tokens; best effort."""
    found = tokens(body)
    reads: dict[tuple[str | None, str], None] = {}
    writes: dict[tuple[str | None, str], None] = {}
    calls: dict[tuple[str | None, str], None] = {}
    dynamic = False
    for at, token in enumerate(found):
        word = token.text.lower()
        if word in ("from", "join"):
            before = found[at - 1].text.lower() if at else ""
            if before not in ("distinct", "delete") and (name := _relation(found, at + 1)):
                reads[name] = None
        elif word in _WRITES:
            start = at + 1
            if _WRITES[word] and not (start < len(found) and found[start].text.lower() == _WRITES[word]):
                continue
            start += 1 if _WRITES[word] else 0
            if start < len(found) and found[start].text.lower() in ("only", "table"):
                start += 1
            if name := _relation(found, start, columns=True):
                writes[name] = None
        elif word == "execute" and at + 1 < len(found) and found[at + 1].text.lower() not in ("function", "procedure"):
            dynamic = True
        elif token.text == "(" and at and (name := _called(found, at - 1)):
            calls[name] = None
    return Touched(tuple(reads), tuple(writes), tuple(calls), dynamic)


def _name(token: Token) -> str | None:
    if token.text.startswith('"'):
        return token.text[1:-1].replace('""', '"')
    return token.text.lower() if re.match(r"[^\W\d]\w*\Z", token.text) else None


def _relation(found: list[Token], at: int, *, columns: bool = False) -> tuple[str | None, str] | None:
    if at >= len(found) or (name := _name(found[at])) is None or name in _NOT_A_RELATION:
        return None
    if at + 2 < len(found) and found[at + 1].text == "." and (inner := _name(found[at + 2])):
        return name, inner
    if not columns and at + 1 < len(found) and found[at + 1].text == "(":
        return None  # a function in FROM
    return None, name


def _called(found: list[Token], at: int) -> tuple[str | None, str] | None:
    name = _name(found[at])
    if name is None:
        return None
    if at >= 2 and found[at - 1].text == ".":
        return _name(found[at - 2]), name
    return None, name
