"""Computes the rows of a table out of what is remembered of it (`row_log.py`), when someone asks.

A value that nothing can tell (a default of now(), say) is unknown by itself and leaves the rest of its row known. A row
that may be there or not makes the rows unknown as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from remediate.evaluate.values import Unknown
from remediate.replay.catalog import Column, Table
from remediate.replay.questions.casts import cast, type_of_spelling
from remediate.replay.questions.errors import NotUnderstood, Refused
from remediate.replay.questions.expressions import Compiler
from remediate.replay.questions.operators import both, equal
from remediate.replay.questions.scope import Env, Expression, Scope
from remediate.replay.questions.session import Session
from remediate.replay.questions.values import TEXT_TYPES, Value, to_javascript
from remediate.replay.row_log import MOST_ROWS, Emptied, Event, Inserted, Reset, Reshaped, RowLog, Wrote
from remediate.sql.parse import Node, parse_expression

_SCALE = re.compile(r"\(\d+,\s*(\d+)\)$")


class _CannotTellError(Exception):
    """Which rows there are cannot be told."""


@dataclass(slots=True)
class State:
    """The rows, by column, and the next number of each column that counts (None: not known)."""

    rows: list[dict[str, Value]] = field(default_factory=list)
    numbers: dict[str, int | None] = field(default_factory=dict)

    def copy(self) -> State:
        return State([dict(row) for row in self.rows], dict(self.numbers))


def remembered(log: RowLog, session: Session) -> list[dict[str, Value]] | None:
    """The rows after the newest event, or None where they cannot be told."""
    waiting: list[RowLog] = []
    current: RowLog | None = log
    while current is not None and current.computed is None:
        waiting.append(current)
        current = current.previous
    state: State | bool = State() if current is None else current.computed
    for step in reversed(waiting):
        if isinstance(state, State):
            state = _after(state.copy(), step.event, session)
        step.computed = state
    return state.rows if isinstance(state, State) else None


def added(log: RowLog, session: Session) -> tuple[list[dict[str, Value]], list[dict[str, Value]], bool] | None:
    """The rows before the newest event, those that it added, and whether it leaves out what conflicts.

    None where they cannot be told, or where the event is no INSERT. Rows that break a unique key are among them.
    """
    event = log.event
    old = remembered(log.previous, session) if log.previous is not None else []
    if old is None or not isinstance(event, Inserted | Wrote) or (isinstance(event, Wrote) and event.verb != "insert"):
        return None
    previous = log.previous.computed if log.previous is not None else State()
    may_conflict = event.may_conflict if isinstance(event, Inserted) else event.node.HasField("on_conflict_clause")
    state = _after(previous.copy(), event if may_conflict else replace(event, keys=()), session)
    return (old, state.rows[len(old) :], may_conflict) if isinstance(state, State) else None


def returned_rows(insert: Node, session: Session) -> list[dict[str, Value]] | None:
    """What INSERT … RETURNING gave, right after it ran, as node-postgres gives it; None where that cannot be told."""
    relation = session.find_relation(insert.relation.relname, insert.relation.schemaname or None)
    log = session.reader.rows_of(relation) if relation is not None else None
    if log is None or insert.HasField("on_conflict_clause") or not isinstance(log.event, Wrote):
        return None
    table, rows = log.event.table, remembered(log, session)
    count = len(insert.select_stmt.select_stmt.values_lists) or 1
    if rows is None or log.event.node is not insert:
        return None
    scope = Scope(session)
    scope.add(table.name.name, table.name.schema, _typed_columns(table, session))
    compiler = Compiler(scope)
    try:
        targets = [
            target for item in insert.returning_clause.exprs for target in _returned(item.res_target, scope, compiler)
        ]
    except (NotUnderstood, Refused):
        return None
    made = []
    for row in rows[len(rows) - count :]:
        env = Env(tuple(row.get(column.name) for column in scope.columns), None)
        made.append({name: to_javascript(part.run(env), part.type) for name, part in targets})
    return made


def _returned(target: Any, scope: Scope, compiler: Compiler) -> list[tuple[str, Expression]]:
    value = target.val
    if value.WhichOneof("node") == "column_ref" and value.column_ref.fields[-1].WhichOneof("node") == "a_star":
        return [(column.name, scope.resolve([column.name])) for column in scope.columns]
    made = compiler.compile(value)
    return [(target.name or made.name or "?column?", made)]


def _typed_columns(table: Table, session: Session) -> list[tuple[str, str]]:
    return [(column.name, type_of_spelling(column.type, session)) for column in table.columns]


def _after(state: State, event: Event, session: Session) -> State | bool:
    try:
        _Follower(state, session).apply(event)
    except (_CannotTellError, NotUnderstood, Refused, RecursionError):
        return False
    return state if len(state.rows) <= MOST_ROWS else False


class _Follower:
    """Applies one event to the rows."""

    def __init__(self, state: State, session: Session) -> None:
        self.state = state
        self.session = session

    def apply(self, event: Event) -> None:
        if isinstance(event, Wrote):
            {"insert": self._insert, "update": self._update, "delete": self._delete}[event.verb](event)
        elif isinstance(event, Inserted):
            for values in event.rows:
                given = {name: self._stored(value, kind, event.table, name) for name, (value, kind) in values.items()}
                self._add(given, event.table, event.keys, "skip" if event.may_conflict else "refuse")
        elif isinstance(event, Reshaped):
            self._reshape(event)
        elif isinstance(event, Reset):
            self.state.numbers = dict.fromkeys(self.state.numbers, None)
            self.state.numbers[""] = None
        else:
            assert isinstance(event, Emptied)
            self.state.rows.clear()
            self.state.numbers[""] = None

    # Rows come.

    def _insert(self, event: Wrote) -> None:
        node, table = event.node, event.table
        names = [item.res_target.name for item in node.cols]
        lists = [item.list.items for item in node.select_stmt.select_stmt.values_lists] or [()]
        if not names and lists[0]:
            names = [column.name for column in table.columns][: len(lists[0])]
        conflict = _on_conflict(node)
        for items in lists:
            given = {
                name: self._cell(item, table, name)
                for name, item in zip(names, items, strict=True)
                if item.WhichOneof("node") != "set_to_default"
            }
            self._add(given, table, event.keys, conflict)

    def _add(self, given: dict[str, Value], table: Table, keys: Sequence[tuple[str, ...]], conflict: str) -> None:
        row = {
            column.name: given[column.name] if column.name in given else self._default(column, table)
            for column in table.columns
        }
        for other in self.state.rows:
            if any(both(equal(row.get(name), other.get(name)) for name in key) is True for key in keys if key):
                if conflict == "refuse":
                    raise _CannotTellError
                if conflict == "update":
                    other.update({name: self._unknown(table) for name in other if not any(name in key for key in keys)})
                return
        self.state.rows.append(row)

    def _cell(self, node: Node, table: Table, name: str) -> Value:
        """A value as it is written for a column; unknown where a sub-query, which saw older rows, has a part in it."""
        if "sub_link" in str(node):
            return self._unknown(table)
        try:
            made = Compiler(Scope(self.session)).compile(node)
            return self._stored(made.run(Env((), None)), made.type, table, name)
        except NotUnderstood:
            return self._unknown(table)

    def _stored(self, value: Value, kind: str, table: Table, name: str) -> Value:
        column = table.column(name)
        if column is None:
            raise _CannotTellError
        target = type_of_spelling(_without_modifier(column.type), self.session)
        value = cast(value, kind, target, self.session)
        scale = _SCALE.search(column.type)
        if isinstance(value, Decimal) and scale:
            value = value.quantize(Decimal(1).scaleb(-int(scale[1])))
        known = not isinstance(value, Unknown) and target != "bpchar"
        return value if known or value is None else self._unknown(table)

    def _default(self, column: Column, table: Table) -> Value:
        if column.identity is not None or (column.default or "").startswith("nextval("):
            number = self.state.numbers.get(column.name, self.state.numbers.get("", 1))
            self.state.numbers[column.name] = None if number is None else number + 1
            return self._unknown(table) if number is None else number
        if column.generated is not None:
            return self._unknown(table)
        return None if column.default is None else self._cell(parse_expression(column.default), table, column.name)

    def _unknown(self, table: Table) -> Unknown:
        return Unknown(f"depends on the rows of {table.name}", about_data=True)

    # Rows change and go.

    def _update(self, event: Wrote) -> None:
        node, table = event.node, event.table
        changed = [item.res_target.name for item in node.target_list]
        scope, compiler = self._over(table, node)
        understood = not node.from_clause and "sub_link" not in str(node)
        try:
            test = compiler.condition(node.where_clause) if understood and node.HasField("where_clause") else None
            values = {
                item.res_target.name: compiler.compile(item.res_target.val)
                for item in node.target_list
                if understood and item.res_target.val.WhichOneof("node") != "set_to_default"
            }
        except NotUnderstood:
            understood, test, values = False, None, {}
        for row in self.state.rows:
            env = Env(tuple(row.get(column.name) for column in scope.columns), None)
            met = (test.run(env) if test is not None else True) if understood else self._unknown(table)
            if met is True:
                row.update({name: self._set(name, values, env, table) for name in changed})
            elif isinstance(met, Unknown):
                row.update(dict.fromkeys(changed, self._unknown(table)))

    def _set(self, name: str, values: Mapping[str, Expression], env: Env, table: Table) -> Value:
        made = values.get(name)
        return self._unknown(table) if made is None else self._stored(made.run(env), made.type, table, name)

    def _delete(self, event: Wrote) -> None:
        node, table = event.node, event.table
        if node.using_clause or "sub_link" in str(node):
            raise _CannotTellError
        scope, compiler = self._over(table, node)
        test = compiler.condition(node.where_clause) if node.HasField("where_clause") else None
        kept = []
        for row in self.state.rows:
            env = Env(tuple(row.get(column.name) for column in scope.columns), None)
            met = test.run(env) if test is not None else True
            if isinstance(met, Unknown):
                raise _CannotTellError
            if met is not True:
                kept.append(row)
        self.state.rows = kept

    def _over(self, table: Table, node: Any) -> tuple[Scope, Compiler]:
        scope = Scope(self.session)
        alias = node.relation.alias.aliasname if node.relation.HasField("alias") else table.name.name
        scope.add(alias, table.name.schema, _typed_columns(table, self.session))
        return scope, Compiler(scope)

    # The table changes.

    def _reshape(self, event: Reshaped) -> None:
        before = {column.name: column for column in event.before.columns}
        if event.renamed is not None and event.renamed[0] in before:
            old, new = event.renamed
            before[new] = before.pop(old)
            for row in self.state.rows:
                row[new] = row.pop(old, None)
            if old in self.state.numbers:
                self.state.numbers[new] = self.state.numbers.pop(old)
        after = {column.name: column for column in event.after.columns}
        for name in event.dropped:
            before.pop(name, None)
            self.state.numbers.pop(name, None)
        stored = {name for row in self.state.rows[:1] for name in row}
        for name in [name for name in stored if name not in before or name not in after]:
            self.state.numbers.pop(name, None)
            for row in self.state.rows:
                row.pop(name, None)
        for name, column in after.items():
            if name not in before:
                value = self._default(column, event.after)
                numbered = value is not None and name in self.state.numbers and len(self.state.rows) > 1
                filled = self._unknown(event.after) if numbered else value
                for row in self.state.rows:
                    row[name] = filled
            elif self._kind(before[name]) != self._kind(column):
                for row in self.state.rows:
                    row[name] = self._unknown(event.after)

    def _kind(self, column: Column) -> str:
        """What kind of values a column holds: between types of one kind they stay as they are."""
        name = type_of_spelling(_without_modifier(column.type), self.session)
        return (
            "text" if name in TEXT_TYPES and name != "bpchar" else column.type if _SCALE.search(column.type) else name
        )


def _on_conflict(node: Node) -> str:
    if not node.HasField("on_conflict_clause"):
        return "refuse"
    return "skip" if int(node.on_conflict_clause.action) == 2 else "update"  # 2 ONCONFLICT_NOTHING


def _without_modifier(spelled: str) -> str:
    return re.sub(r"\([\d,\s]+\)", "", spelled)
