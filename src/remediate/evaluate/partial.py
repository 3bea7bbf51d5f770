"""Text of which some pieces are known: enough to say what an SQL statement is about when it cannot be sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from remediate.evaluate.knex.session import Subject
from remediate.evaluate.values import Unknown
from remediate.source.place import Place

_GAP = "\0"
"""Stands for a piece that is not known; it cannot stand in SQL."""


@dataclass(frozen=True, slots=True)
class PartialText(Unknown):
    """Unknown text; `known` is what is known of it, with a NUL for each piece that is not."""

    known: str = ""


def partial_text(pieces: Iterable[str | Unknown], place: Place) -> PartialText:
    """The text that these pieces make; at least one of them is unknown."""
    known: list[str] = []
    first: Unknown | None = None
    for piece in pieces:
        if isinstance(piece, str):
            known.append(piece)
        else:
            first = first or piece
            known.append(piece.known if isinstance(piece, PartialText) else _GAP)
    reason, where = (first.reason, first.place) if first is not None else ("text that is not known", None)
    return PartialText(reason, where or place, False, "".join(known))


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


def only_rows(text: PartialText) -> bool:
    """Whether each statement begins as one that changes or reads rows, so that no gap can make it change the schema."""
    statements = [part for part in _COMMENT.sub(" ", text.known).split(";") if part.strip()]
    return bool(statements) and all(_ROWS.match(part) for part in statements)


def subject_of(text: PartialText) -> Subject | None:
    """The relation that a single statement is about, when its name is known."""
    sql = _COMMENT.sub(" ", text.known).strip().rstrip(";")
    if ";" in sql or "$$" in sql:
        return None
    for action, pattern in _ABOUT:
        found = pattern.match(sql)
        if found is not None:
            return Subject(action, found[1].replace('"', ""))
    return None
