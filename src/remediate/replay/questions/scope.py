"""Names in a SELECT: which column of which FROM item a reference means, and where its value stands at run time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from remediate.evaluate.values import Unknown
from remediate.replay.questions.errors import Refused
from remediate.replay.questions.session import Session
from remediate.replay.questions.values import Record, Value


class Env:
    """The row that an expression is computed for; `parent` is that of the query around."""

    __slots__ = ("aggregates", "parent", "row")

    def __init__(self, row: tuple[Value, ...], parent: Env | None, aggregates: Sequence[Value] = ()) -> None:
        self.row = row
        self.parent = parent
        self.aggregates = aggregates


Run: TypeAlias = Callable[[Env], Value]

Rows: TypeAlias = list[tuple[tuple[Value, ...], Unknown | None]]
"""Rows, each with the reason why it may not be there after all, or None when it certainly is."""


@dataclass(slots=True)
class Expression:
    """A compiled expression. `uses` are the slots of its own query's row that it reads; `outer` that it reads more.

    `name` is what a result column would be called after it (parse_target.c, FigureColname); a `weak` one, from a cast
    or CASE, gives way to the name of a type around it.
    """

    type: str
    run: Run
    uses: frozenset[int] = frozenset()
    outer: bool = False
    name: str | None = None
    weak: bool = False


@dataclass(slots=True)
class Column:
    """A column of a FROM item; `hidden` from unqualified names when a USING join has merged it into another one."""

    alias: str
    schema: str | None
    name: str
    type: str
    slot: int
    hidden: bool = False


@dataclass(slots=True)
class Query:
    """A compiled SELECT."""

    columns: list[tuple[str, str]]
    run: Callable[[Env | None], Rows]
    outer: bool = True


@dataclass(slots=True)
class Scope:
    """What names mean inside of one SELECT; `parent` is the SELECT around it."""

    session: Session
    parent: Scope | None = None
    columns: list[Column] = field(default_factory=list)
    queries: dict[str, Query] = field(default_factory=dict)
    open_data: bool = False

    def add(self, alias: str, schema: str | None, columns: Sequence[tuple[str, str]]) -> list[Column]:
        start = len(self.columns)
        added = [
            Column(alias, schema, name, type_name, start + number) for number, (name, type_name) in enumerate(columns)
        ]
        self.columns += added
        return added

    def query(self, name: str) -> Query | None:
        """A WITH query that is visible here."""
        return self.queries.get(name) or (self.parent.query(name) if self.parent else None)

    def _levels(self) -> Iterator[tuple[int, Scope]]:
        depth, scope = 0, self
        while True:
            yield depth, scope
            if scope.parent is None:
                return
            depth, scope = depth + 1, scope.parent

    def resolve(self, fields: list[str]) -> Expression:
        """The column or variable that a reference means. Raises `Refused` as PostgreSQL would."""
        found = self._column(fields)
        variable = self._variable(fields)
        if found is not None and variable is not None and len(fields) == 1:
            # plpgsql.variable_conflict = error, the default.
            raise Refused("42702", f'column reference "{fields[0]}" is ambiguous')
        if found is not None:
            return found
        if variable is not None:
            return variable
        if len(fields) == 1:
            whole = self._whole_row(fields[0])
            if whole is not None:
                return whole
            raise Refused("42703", f'column "{fields[0]}" does not exist')
        if any(column.alias == fields[-2] for _, scope in self._levels() for column in scope.columns):
            raise Refused("42703", f"column {'.'.join(fields[-2:])} does not exist")
        raise Refused("42P01", f'missing FROM-clause entry for table "{fields[-2]}"')

    def _column(self, fields: list[str]) -> Expression | None:
        for depth, scope in self._levels():
            if len(fields) == 1:
                matches = [column for column in scope.columns if column.name == fields[0] and not column.hidden]
            else:
                matches = [
                    column
                    for column in scope.columns
                    if column.name == fields[-1]
                    and column.alias == fields[-2]
                    and (len(fields) < 3 or column.schema == fields[-3])
                ]
            if len(matches) > 1:
                raise Refused("42702", f'column reference "{fields[-1]}" is ambiguous')
            if matches:
                column = matches[0]
                uses = frozenset({column.slot}) if depth == 0 else frozenset()
                return Expression(column.type, _read(depth, column.slot), uses, depth > 0, column.name)
        return None

    def _variable(self, fields: list[str]) -> Expression | None:
        variables = self.session.variables
        if variables is None:
            return None
        name, session = fields[-1], self.session

        def find() -> tuple[str, Value] | None:
            assert session.variables is not None
            if len(fields) == 1:
                return session.variables.lookup(name)
            return session.variables.lookup_qualified(fields[-2], name)

        found = find()
        if found is None:
            return None

        def run(env: Env) -> Value:
            now = find()
            return now[1] if now else None

        return Expression(found[0], run, frozenset(), True, name)

    def _whole_row(self, alias: str) -> Expression | None:
        for depth, scope in self._levels():
            columns = [column for column in scope.columns if column.alias == alias]
            if not columns:
                continue
            names = tuple(column.name for column in columns)
            types = tuple(column.type for column in columns)
            slots = [column.slot for column in columns]
            if len(columns) == 1 and columns[0].name == alias:
                continue

            def run(
                env: Env,
                depth: int = depth,
                names: tuple[str, ...] = names,
                types: tuple[str, ...] = types,
                slots: list[int] = slots,
            ) -> Value:
                at = ascend(env, depth)
                return Record(names, types, tuple(at.row[slot] for slot in slots))

            return Expression("record", run, frozenset(slots) if depth == 0 else frozenset(), depth > 0, alias)
        return None


def ascend(env: Env, depth: int) -> Env:
    for _ in range(depth):
        assert env.parent is not None
        env = env.parent
    return env


def _read(depth: int, slot: int) -> Run:
    if depth == 0:
        return lambda env: env.row[slot]
    if depth == 1:

        def one(env: Env) -> Any:
            assert env.parent is not None
            return env.parent.row[slot]

        return one
    return lambda env: ascend(env, depth).row[slot]
