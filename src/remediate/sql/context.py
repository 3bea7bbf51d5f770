"""What spelling carries along: the relations in scope, what was met on the way, and what is renamed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from remediate.sql.lookup import FoundRelation, Lookup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediate.sql.parse import Node
    from remediate.sql.piece import Piece

Name: TypeAlias = tuple[str, str]
"""(schema, name)"""


class Unspelled(Exception):
    """A kind of node that is not spelled here."""


@dataclass(slots=True)
class Entry:
    """One relation in scope under its alias. `relation` is None for a sub-select, a CTE or a function."""

    alias: str
    columns: Mapping[str, str | None] | None
    relation: Name | None = None
    qualify: bool = True
    printed: str = ""
    """The alias that PostgreSQL prints where an outer relation has the same one (set_rtable_names)."""
    merged: frozenset[str] = frozenset()
    """Columns that USING has merged into those of the left side: without the alias they are the left side's."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function that an expression calls; `volatility` is None where it is not known."""

    schema: str | None
    name: str
    arguments: tuple[str | None, ...]
    volatility: str | None
    builtin: bool


@dataclass(slots=True)
class Context:
    """`levels` are the FROM lists around, outermost first. `spell` is the way back into the expressions.

    `columns`, `relations`, `calls` and `types` gather what was met. `rename_columns` and `rename_relations` say what
    is written in place of what was resolved, for ALTER … RENAME.
    """

    lookup: Lookup
    spell: Callable[[Node, Context], Piece]
    levels: list[list[Entry]] = field(default_factory=list)
    ctes: list[dict[str, dict[str, str | None] | None]] = field(default_factory=list)
    columns: set[tuple[Name, str]] = field(default_factory=set)
    relations: dict[Name, None] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    rename_columns: Mapping[tuple[Name, str], str] = field(default_factory=dict)
    rename_relations: Mapping[Name, Name] = field(default_factory=dict)
    rename_functions: Mapping[Name, Name] = field(default_factory=dict)
    has_subquery: bool = False
    forbid_subquery: str | None = None
    """What a sub-select may not stand in, refused where it is met (transformSubLink)."""
    duplicate: str | None = None
    """An output column of the outermost SELECT that is there twice."""
    mutable: bool = False
    """Whether something was met whose value depends on more than its arguments: a clock, a time zone, a setting."""

    @contextmanager
    def level(self) -> Iterator[list[Entry]]:
        """A new innermost FROM list."""
        entries: list[Entry] = []
        self.levels.append(entries)
        try:
            yield entries
        finally:
            self.levels.pop()

    def unspelled(self, kind: str | None) -> Unspelled:
        return Unspelled(f"{kind} is not spelled here")

    def written_name(self, relation: Name | None, column: str) -> str:
        """The name of a column as it is to be written."""
        return column if relation is None else self.rename_columns.get((relation, column), column)

    def free_alias(self, alias: str) -> str:
        """The alias, or the alias with _1, _2, … where a relation around has it; empty where it may stay."""
        taken = {entry.printed or entry.alias for level in self.levels for entry in level}
        if alias not in taken:
            return ""
        number = 1
        while f"{alias}_{number}" in taken:
            number += 1
        return f"{alias}_{number}"

    def meet(self, found: FoundRelation) -> Name:
        name = (found.schema, found.name)
        self.relations[name] = None
        return name
