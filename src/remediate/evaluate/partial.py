"""Text of which some pieces are known: enough to say what an SQL statement is about when it cannot be sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from remediate.evaluate.knex.session import Subject
from remediate.evaluate.values import Drawn, Unknown
from remediate.source.place import Place
from remediate.sql.parse import SqlSyntaxError
from remediate.sql.tokens import tokens

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
_MARK = re.compile(_STAND_IN + r"\d+")
_STARTS = frozenset(
    {"alter", "begin", "comment", "commit", "create", "delete", "do", "drop", "grant", "insert", "refresh", "revoke"}
    | {"select", "set", "truncate", "update", "with"}
)


def split_at_gaps(text: PartialText) -> list[str | PartialText]:
    """The statements of a string one by one, those with gaps as partial texts of their own.

    Empty where it has but one statement, or cannot be cut into tokens.
    """
    pieces = text.known.split(_GAP)
    marked = pieces[0] + "".join(f"{_STAND_IN}{number}{piece}" for number, piece in enumerate(pieces[1:]))
    try:
        ends = [token.end for token in tokens(marked) if token.text == ";"]
    except SqlSyntaxError:
        return []
    statements = [marked[start:end] for start, end in zip([0, *ends], [*ends, len(marked)], strict=True)]
    statements = [statement for statement in statements if _COMMENT.sub("", statement).strip(" \t\r\n;")]
    if len(statements) < 2:
        return []
    return [
        PartialText(text.reason, text.place, False, _MARK.sub(_GAP, statement)) if _STAND_IN in statement else statement
        for statement in statements
    ]


def without_gaps(text: PartialText) -> str | None:
    """What is left where each gap is one or more whole statements, as of a file of data that is not at hand.

    Such a gap stands behind a `;`, and before one, before the end, or on a line above a word that begins a statement.
    None where one may be a part of a statement, or where nothing but gaps is there.
    """
    pieces = text.known.split(_GAP)
    marked = pieces[0] + "".join(f"{_STAND_IN}{number} {piece}" for number, piece in enumerate(pieces[1:]))
    try:
        found = tokens(marked)
    except SqlSyntaxError:
        return None
    gaps = [at for at, token in enumerate(found) if token.text.startswith(_STAND_IN)]
    if len(gaps) != len(pieces) - 1 or len(gaps) == len([token for token in found if token.text != ";"]):
        return None
    for at in gaps:
        if at and found[at - 1].text != ";" and at - 1 not in gaps:
            return None
        following = found[at + 1] if at + 1 < len(found) else None
        if following is None or following.text == ";" or at + 1 in gaps:
            continue
        if following.text.lower() not in _STARTS or "\n" not in marked[found[at].end : following.start]:
            return None
    return "".join(pieces)


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
