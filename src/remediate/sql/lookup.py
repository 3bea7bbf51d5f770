"""What spelling an expression has to know of the schema; replay answers it from its catalog, tests from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FoundRelation:
    """`columns` maps names to types in column order; None where they are not known (then any name may be one)."""

    schema: str
    name: str
    columns: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class FoundFunction:
    """A user's function that a call refers to. `volatility` as pg_proc.provolatile: i, s or v.

    `variadic`: its last parameter, an array, takes all further arguments.
    """

    schema: str
    name: str
    arguments: tuple[str, ...]
    returns: str
    volatility: str = "v"
    variadic: bool = False


class MismatchError(Exception):
    """Types that do not go together: 42883 (no such operator) or 22P02 (no constant of that type)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Lookup(Protocol):
    """Names as stored; `schema` None means unqualified, to be looked up in the search_path.

    An answer of None means "not known here, leave it as it is"; a lookup that knows that PostgreSQL would refuse the
    name raises instead.
    """

    def relation(self, schema: str | None, name: str) -> FoundRelation | None: ...

    def function(self, schema: str | None, name: str, arguments: Sequence[str | None]) -> FoundFunction | None:
        """The user's function that is called with arguments of these types (None: not known)."""
        ...

    def type_name(self, schema: str | None, name: str) -> str | None:
        """A user's type as format_type spells it."""
        ...

    def missing_column(self, name: str, relation: str | None) -> None:
        """Told of a column that is in none of the relations in scope, all of which are known."""
        ...

    def missing_entry(self, alias: str) -> None:
        """Told of a qualifier that nothing in FROM is called."""
        ...


class NoLookup:
    """Knows nothing: names stay as they are written."""

    def relation(self, schema: str | None, name: str) -> FoundRelation | None:
        return None

    def function(self, schema: str | None, name: str, arguments: Sequence[str | None]) -> FoundFunction | None:
        return None

    def type_name(self, schema: str | None, name: str) -> str | None:
        return None

    def missing_column(self, name: str, relation: str | None) -> None:
        return None

    def missing_entry(self, alias: str) -> None:
        return None
