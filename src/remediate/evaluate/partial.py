"""Text of which some pieces are known: enough to say what an SQL statement is about when it cannot be sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from remediate.evaluate.knex.session import Subject
from remediate.evaluate.values import Drawn, Unknown
from remediate.source.place import Place
from remediate.sql.parse import SqlSyntaxError
from remediate.sql.tokens import Token, tokens

_GAP = "\0"
"""Stands for a piece that is not known; it cannot stand in SQL."""


@dataclass(frozen=True, slots=True)
class PartialText(Unknown):
    """Unknown text; `known` is what is known of it, with a NUL for each piece that is not.

    `stand_in` is the text with stand-ins for all that is not known, where each piece has one.
    """

    known: str = ""
    stand_in: str | None = None


def partial_text(pieces: Iterable[str | Unknown], place: Place) -> PartialText:
    """The text that these pieces make; at least one of them is unknown."""
    known: list[str] = []
    filled: list[str | None] = []
    first: Unknown | None = None
    for piece in pieces:
        if isinstance(piece, str):
            known.append(piece)
            filled.append(piece)
        else:
            first = first or piece
            known.append(piece.known if isinstance(piece, PartialText) else _GAP)
            filled.append(piece.stand_in if isinstance(piece, PartialText | Drawn) else None)
    whole = None if None in filled else "".join(map(str, filled))
    reason, where = (first.reason, first.place) if first is not None else ("text that is not known", None)
    return PartialText(reason, where or place, False, "".join(known), whole)


_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_ROWS = re.compile(r"\s*(?:insert\s+into|update|delete\s+from|select)\s", re.IGNORECASE)
_NAME = r"((?:\"[^\"\0]+\"|\w+)(?:\.(?:\"[^\"\0]+\"|\w+))?)(?=[\s(;]|$)"
_ABOUT: tuple[tuple[Literal["create table", "alter table", "create view"], re.Pattern[str]], ...] = tuple(
    (action, re.compile(pattern + _NAME, re.IGNORECASE))  # type: ignore[misc]
    for action, pattern in (
        ("alter table", r"\s*alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?"),
        ("create table", r"\s*create\s+(?:unlogged\s+)?table\s+(?:if\s+not\s+exists\s+)?"),
        ("create view", r"\s*create\s+(?:or\s+replace\s+)?(?:materialized\s+)?view\s+(?:if\s+not\s+exists\s+)?"),
        ("alter table", r"\s*(?:create|alter)\s+policy\s+[^;]*?\son\s+"),
        ("alter table", r"\s*drop\s+policy\s+[^;]*?\son\s+"),
        ("alter table", r"\s*create\s+(?:unique\s+)?index\s[^;(]*?\son\s+(?:only\s+)?"),
    )
)


_ABOUT_ROLES = re.compile(
    r"\s*(?:(?:create|alter|drop)\s+(?:role|user|group)\s(?!mapping)|grant\s|revoke\s|alter\s+default\s+privileges\s)",
    re.IGNORECASE,
)
_STAND_IN = "statements_that_are_not_known_"
_STARTS = frozenset(
    {"alter", "begin", "comment", "commit", "create", "delete", "do", "drop", "grant", "insert", "refresh", "revoke"}
    | {"select", "set", "truncate", "update", "with"}
)


@dataclass(frozen=True, slots=True)
class Rest:
    """The statements of a text that are known; `left_out` is what is known of each of the others, as of a text.

    `broken` is true where a gap is in a statement, rather than whole statements.
    """

    sql: str
    left_out: tuple[PartialText, ...]

    @property
    def broken(self) -> bool:
        return any(one.known != _GAP for one in self.left_out)


def without_gaps(text: PartialText) -> Rest | None:
    """What is left without the statements that a gap is in, as of the password of a role among a schema's tables.

    A gap may also be whole statements, as of a file of data that is not at hand: it then stands behind a `;`, and
    before one, before the end, or on a line above a word that begins a statement. None where nothing is left, and where
    a gap may reach into what seems to be another statement: in a comment, or beside a quote that does not end.
    """
    pieces = text.known.split(_GAP)
    marked = pieces[0] + "".join(f"{_STAND_IN}{number} {piece}" for number, piece in enumerate(pieces[1:]))
    try:
        found = tokens(marked)
    except SqlSyntaxError:
        return None
    if sum(token.text.count(_STAND_IN) for token in found) != len(pieces) - 1:
        return None
    kept: list[str] = []
    left_out: list[PartialText] = []
    for statement, start, end in _statements(found, marked):
        while statement and statement[0].text.startswith(_STAND_IN) and _begins(statement[1:], statement[0], marked):
            left_out.append(PartialText(text.reason, text.place, text.about_data, _GAP))
            start, statement = statement[0].end, statement[1:]
        if any(_STAND_IN in token.text for token in statement):
            left_out.append(PartialText(text.reason, text.place, text.about_data, _unmarked(marked[start:end])))
        elif statement:
            kept.append(marked[start:end])
    return Rest("".join(kept), tuple(left_out)) if kept else None


def _statements(found: Sequence[Token], text: str) -> Iterator[tuple[list[Token], int, int]]:
    """The tokens of each statement, and its span with the `;`."""
    start = first = 0
    for at, token in enumerate(found):
        if token.text == ";":
            yield list(found[first:at]), start, token.end
            start, first = token.end, at + 1
    yield list(found[first:]), start, len(text)


def _begins(rest: Sequence[Token], gap: Token, text: str) -> bool:
    """Whether a gap is whole statements: nothing comes after it, or a statement of its own on another line."""
    if not rest or rest[0].text.startswith(_STAND_IN):
        return True
    return rest[0].text.lower() in _STARTS and "\n" in text[gap.end : rest[0].start]


def _unmarked(text: str) -> str:
    return re.sub(_STAND_IN + r"\d+ ", _GAP, text)


def only_rows(text: PartialText) -> bool:
    """Whether each statement begins as one that changes or reads rows, so that no gap can make it change the schema."""
    statements = [part for part in _COMMENT.sub(" ", text.known).split(";") if part.strip()]
    return bool(statements) and all(_ROWS.match(part) for part in statements)


def subject_of(text: PartialText) -> Subject | None:
    """The relation that a single statement is about, when its name is known."""
    sql = _COMMENT.sub(" ", text.known).strip().rstrip(";")
    if ";" in sql or "$$" in sql:
        return None
    if _ABOUT_ROLES.match(sql):
        return Subject("roles", "")
    for action, pattern in _ABOUT:
        found = pattern.match(sql)
        if found is not None:
            return Subject(action, found[1].replace('"', ""))
    return None
