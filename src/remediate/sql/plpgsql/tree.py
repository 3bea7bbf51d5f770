"""PL/pgSQL as a tree: what `parse_block` makes of the body of a function or DO block.

Offsets count characters from the start of the body, so that every piece of SQL can be found in it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL as written: an expression or a statement, its INTO clause blanked out."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Target:
    """What is assigned to: a variable, a field of a record (`path` of two), with `subscript` an array's element."""

    path: tuple[str, ...]
    subscript: Sql | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """`type` as written; empty for a cursor or alias. `alias` is the name that it stands for.

    `parameters` are the names and types of those of a cursor.
    """

    name: str
    type: str
    default: Sql | None = None
    constant: bool = False
    not_null: bool = False
    cursor: Sql | None = None
    alias: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Handler:
    """WHEN conditions THEN body; a condition is a lower-case name, or a SQLSTATE as five upper-case characters."""

    conditions: tuple[str, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Block:
    offset: int
    label: str | None
    declarations: tuple[Declaration, ...]
    body: tuple[Statement, ...]
    handlers: tuple[Handler, ...] = ()


@dataclass(frozen=True, slots=True)
class Assign:
    offset: int
    target: Target
    value: Sql


@dataclass(frozen=True, slots=True)
class Branch:
    """A condition (for CASE with a subject the values) and what runs when it holds."""

    conditions: tuple[Sql, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class If:
    offset: int
    branches: tuple[Branch, ...]
    otherwise: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """`otherwise` None: without ELSE, no match is an error."""

    offset: int
    subject: Sql | None
    branches: tuple[Branch, ...]
    otherwise: tuple[Statement, ...] | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """LOOP, or WHILE with a condition."""

    offset: int
    label: str | None
    condition: Sql | None
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class ForInteger:
    offset: int
    label: str | None
    variable: str
    lower: Sql
    upper: Sql
    step: Sql | None
    reverse: bool
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class ForQuery:
    """`dynamic`: the query is an expression that gives its text (FOR … IN EXECUTE)."""

    offset: int
    label: str | None
    targets: tuple[Target, ...]
    query: Sql
    dynamic: bool
    parameters: tuple[Sql, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Foreach:
    offset: int
    label: str | None
    targets: tuple[Target, ...]
    slice: int
    array: Sql
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Exit:
    """EXIT, or CONTINUE."""

    offset: int
    proceed: bool
    label: str | None
    condition: Sql | None


@dataclass(frozen=True, slots=True)
class Return:
    offset: int
    value: Sql | None


@dataclass(frozen=True, slots=True)
class ReturnNext:
    offset: int
    value: Sql | None


@dataclass(frozen=True, slots=True)
class ReturnQuery:
    offset: int
    query: Sql
    dynamic: bool
    parameters: tuple[Sql, ...] = ()


@dataclass(frozen=True, slots=True)
class Raise:
    """`level` in lower case. `condition` a name or SQLSTATE; without anything an EXCEPTION raises the error again."""

    offset: int
    level: str
    message: str | None
    parameters: tuple[Sql, ...] = ()
    condition: str | None = None
    options: tuple[tuple[str, Sql], ...] = ()


@dataclass(frozen=True, slots=True)
class Assert:
    offset: int
    condition: Sql


@dataclass(frozen=True, slots=True)
class Execute:
    offset: int
    command: Sql
    into: tuple[Target, ...] = ()
    strict: bool = False
    parameters: tuple[Sql, ...] = ()


@dataclass(frozen=True, slots=True)
class Perform:
    """`query` is the SELECT that PERFORM stands for."""

    offset: int
    query: Sql


@dataclass(frozen=True, slots=True)
class SqlStatement:
    offset: int
    sql: Sql
    into: tuple[Target, ...] = ()
    strict: bool = False


@dataclass(frozen=True, slots=True)
class GetDiagnostics:
    """Pairs of a variable and the item, in lower case."""

    offset: int
    items: tuple[tuple[Target, str], ...]


@dataclass(frozen=True, slots=True)
class CursorStatement:
    """OPEN, FETCH, MOVE or CLOSE of the cursor `name`; `into` is what a FETCH fills.

    An OPEN has the `query` of an unbound cursor, with USING's `parameters` where it is `dynamic`, or the `arguments` of
    a bound one. `next` is false for a FETCH or MOVE to anywhere but the next row.
    """

    offset: int
    verb: str
    name: str = ""
    into: tuple[Target, ...] = ()
    query: Sql | None = None
    dynamic: bool = False
    parameters: tuple[Sql, ...] = ()
    arguments: tuple[tuple[str | None, Sql], ...] = ()
    next: bool = True


@dataclass(frozen=True, slots=True)
class Transaction:
    """COMMIT or ROLLBACK."""

    offset: int
    verb: str


@dataclass(frozen=True, slots=True)
class Null:
    offset: int


Statement: TypeAlias = (
    Block
    | Assign
    | If
    | Case
    | Loop
    | ForInteger
    | ForQuery
    | Foreach
    | Exit
    | Return
    | ReturnNext
    | ReturnQuery
    | Raise
    | Assert
    | Execute
    | Perform
    | SqlStatement
    | GetDiagnostics
    | CursorStatement
    | Transaction
    | Null
)


@dataclass(slots=True)
class _Walk:
    found: list[object] = field(default_factory=list)

    def visit(self, item: object) -> None:
        if isinstance(item, tuple):
            for each in item:
                self.visit(each)
        elif hasattr(item, "__dataclass_fields__"):
            self.found.append(item)
            for one in fields(item):  # type: ignore[arg-type]
                self.visit(getattr(item, one.name))


def walk(item: object) -> Iterator[object]:
    """Every statement, declaration, handler and piece of SQL in a tree, in reading order, `item` first."""
    visit = _Walk()
    visit.visit(item)
    return iter(visit.found)
