"""What a query builder has gathered, clause by clause, until it is compiled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from remediate.evaluate.knex.method import Scripted
from remediate.evaluate.values import UNDEFINED, Value


@dataclass
class Condition:
    """One condition of `where`, `having` or `on`. `kind` selects how it is written; `glue` is `and` or `or`."""

    grouping: str
    kind: str
    column: Value = UNDEFINED
    operator: Value = UNDEFINED
    value: Value = UNDEFINED
    negated: bool = False
    glue: str = "and"
    as_column: bool = False
    path: Value = UNDEFINED
    second_path: Value = UNDEFINED


@dataclass
class Columns:
    """Columns or one aggregate (`method` set) of the select list."""

    grouping: ClassVar[str] = "columns"
    value: Value
    kind: str = "columns"
    method: str = ""
    distinct: bool = False
    alias: Value = UNDEFINED
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass
class With:
    grouping: ClassVar[str] = "with"
    alias: Value
    columns: Value
    value: Value
    materialized: bool | None = None
    recursive: bool = False


@dataclass
class Union:
    grouping: ClassVar[str] = "union"
    clause: str
    value: Value
    wrapped: bool = False


@dataclass
class Order:
    """One item of `order by` or `group by`."""

    grouping: str
    value: Value
    raw: bool = False
    direction: Value = UNDEFINED
    nulls: Value = UNDEFINED


@dataclass
class Hints:
    grouping: ClassVar[str] = "hintComments"
    value: list[str]


@dataclass
class Join:
    grouping: ClassVar[str] = "join"
    table: Value
    kind: str
    schema: Value
    conditions: list[Condition]


Clause = Condition | Columns | With | Union | Order | Hints | Join


class Gathering(Scripted):
    """The state that the mixins of the query builder share."""

    clauses: list[Clause]
    single: dict[str, Any]
    verb: str
    next_glue: str
    next_negated: bool
    as_column: bool

    def take_glue(self) -> str:
        """The glue for the next condition; it falls back to `and`."""
        glue, self.next_glue = self.next_glue, "and"
        return glue

    def take_negated(self) -> bool:
        """Whether the next condition is negated; falls back to no."""
        negated, self.next_negated = self.next_negated, False
        return negated
