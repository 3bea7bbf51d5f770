"""What the migrations themselves did to the rows of a table: a memory, bounded, of statements that can be followed.

Migrations ask about rows that earlier ones inserted: the id of a lookup table's row for a CHECK, a list of roles to
loop over. Nothing is computed until someone asks (`questions/remembered.py`); what cannot be followed (COPY, a
trigger that writes, rows from elsewhere) makes the rows of the table unknown for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from remediate.replay.catalog import Table
from remediate.sql.parse import Node

MOST_ROWS: Final = 300
"""Rows of one table that are remembered; nobody lists more by hand for other statements to look at."""

MOST_EVENTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Wrote:
    """A statement about rows, with the table and its unique keys as they were."""

    verb: Literal["insert", "update", "delete"]
    node: Node
    table: Table
    keys: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Inserted:
    """INSERT … SELECT, whose rows were computed when it ran: by column, SQL's value and its type."""

    rows: tuple[Mapping[str, tuple[Any, str]], ...]
    table: Table
    may_conflict: bool
    keys: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Reshaped:
    """The table's columns changed; `renamed` is the old and the new name of one.

    `dropped` are those that went, also where a new one of the same name came.
    """

    before: Table
    after: Table
    renamed: tuple[str, str] | None = None
    dropped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Emptied:
    """TRUNCATE."""


@dataclass(frozen=True, slots=True)
class Reset:
    """A sequence was set: the next numbers are not known."""


Event: TypeAlias = Wrote | Inserted | Reshaped | Emptied | Reset


class RowLog:
    """The events of one table, newest last, as a list that shares its beginning; `computed` caches its rows."""

    __slots__ = ("computed", "event", "length", "previous")

    def __init__(self, event: Event, previous: RowLog | None = None) -> None:
        self.event = event
        self.previous = previous
        self.length: int = 1 if previous is None else previous.length + 1
        self.computed: Any = None


@dataclass(frozen=True, slots=True)
class Lost:
    """The rows of the table cannot be told any more."""


Remembered: TypeAlias = RowLog | Lost
