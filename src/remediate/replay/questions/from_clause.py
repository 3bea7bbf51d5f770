"""FROM and WHERE: which rows there are.

Inner joins are flattened into a list of items; the conditions of WHERE and of inner joins go to one pool and are
applied as soon as the items that they name are joined. A condition `column = value` whose value is known before an
item is read narrows what its source produces; `a.x = b.y` joins by hash. Every row carries the reason why it may not be
there, so that an unknown condition spreads to what depends on it and to nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from remediate.evaluate.values import Unknown
from remediate.replay.questions.binary import binary, combine
from remediate.replay.questions.errors import NotUnderstood, Refused
from remediate.replay.questions.expressions import Compiler
from remediate.replay.questions.scope import Column, Env, Expression, Query, Rows, Scope
from remediate.replay.questions.session import Session
from remediate.replay.questions.sources import Source, find_source
from remediate.replay.questions.table_functions import compile_table_function
from remediate.replay.questions.values import Value

Produce: TypeAlias = Callable[[Env, dict[str, set[object]]], Rows]


@dataclass(slots=True)
class Condition:
    """One conjunct. `column = other` when it compares a slot with something else."""

    expression: Expression
    sides: tuple[Expression, Expression] | None = None


@dataclass(slots=True)
class Item:
    """One FROM item: its columns' slots start at `start`; a left join keeps its own conditions in `on`."""

    start: int
    columns: list[Column]
    produce: Produce
    lateral: bool = False
    left_join: bool = False
    on: list[Condition] = field(default_factory=list)

    @property
    def slots(self) -> range:
        return range(self.start, self.start + len(self.columns))


@dataclass(slots=True)
class FromClause:
    """The compiled FROM and WHERE; `rows` gives the joined rows."""

    session: Session
    items: list[Item]
    conditions: list[Condition]

    @property
    def outer(self) -> bool:
        conditions = [*self.conditions, *(condition for item in self.items for condition in item.on)]
        return any(condition.expression.outer for condition in conditions) or any(item.lateral for item in self.items)

    def rows(self, parent: Env | None) -> Rows:
        joined: Rows = [((), None)]
        waiting = list(self.conditions)
        joined = self._filter(joined, [c for c in waiting if not c.expression.uses], parent)
        waiting = [c for c in waiting if c.expression.uses]
        for item in self.items:
            if not joined:
                return []
            if item.left_join:
                joined = self._left_join(joined, item, parent)
                reach = item.slots.stop
                ready = [c for c in waiting if max(c.expression.uses) < reach]
            else:
                reach = item.slots.stop
                ready = [c for c in waiting if max(c.expression.uses) < reach]
                joined, ready = self._join(joined, item, ready, parent)
                waiting = [c for c in waiting if max(c.expression.uses) >= reach]
            joined = self._filter(joined, ready, parent)
            waiting = [c for c in waiting if max(c.expression.uses) >= reach]
        return joined

    def _filter(self, rows: Rows, conditions: Sequence[Condition], parent: Env | None) -> Rows:
        for condition in conditions:
            run = condition.expression.run
            kept: Rows = []
            self.session.step(len(rows))
            for row, reason in rows:
                result = run(Env(row, parent))
                if result is True:
                    kept.append((row, reason))
                elif isinstance(result, Unknown):
                    kept.append((row, reason or result))
            rows = kept
        return rows

    def _join(
        self, joined: Rows, item: Item, ready: list[Condition], parent: Env | None
    ) -> tuple[Rows, list[Condition]]:
        """The joined rows and the conditions that are still to be applied to them."""
        own, links, rest = _split(item, ready)
        result: Rows = []
        if item.lateral:
            for row, reason in joined:
                for found, doubt in item.produce(Env(row, parent), {}):
                    result.append((row + found, reason or doubt))
            return result, ready
        if links and len(joined) <= 64 and not any(isinstance(reason, Unknown) for _, reason in joined):
            # Few rows on the left: each narrows the source by its own key.
            for row, reason in joined:
                wanted = _wanted(item, [*own, *links], Env(row, parent))
                for found, doubt in item.produce(Env((), parent), wanted):
                    result.append((row + found, reason or doubt))
            return result, ready
        found_rows = item.produce(Env((), parent), _wanted(item, own, Env((), parent)))
        if links:
            return self._hash_join(joined, found_rows, item, links[0], parent), ready
        self.session.step(len(joined) * len(found_rows))
        for row, reason in joined:
            for found, doubt in found_rows:
                result.append((row + found, reason or doubt))
        return result, [*own, *rest]

    def _hash_join(self, joined: Rows, found: Rows, item: Item, link: Condition, parent: Env | None) -> Rows:
        assert link.sides is not None
        inner, outer = link.sides
        padding = (None,) * item.start
        table: dict[object, Rows] = {}
        loose: Rows = []
        for row, doubt in found:
            key = inner.run(Env(padding + row, parent))
            if isinstance(key, Unknown) or not _hashable(key):
                loose.append((row, doubt))
            elif key is not None:
                table.setdefault(key, []).append((row, doubt))
        result: Rows = []
        for row, reason in joined:
            key = outer.run(Env(row, parent))
            if isinstance(key, Unknown) or not _hashable(key):
                candidates = [*loose, *(pair for rows in table.values() for pair in rows)]
            elif key is None:
                continue
            else:
                candidates = [*table.get(key, ()), *loose]
            self.session.step(len(candidates) + 1)
            result += [(row + other, reason or doubt) for other, doubt in candidates]
        return result

    def _left_join(self, joined: Rows, item: Item, parent: Env | None) -> Rows:
        own, links, _ = _split(item, item.on)
        nulls: tuple[Value, ...] = (None,) * len(item.columns)
        result: Rows = []
        shared = None
        if not item.lateral and (not links or len(joined) > 64):
            shared = item.produce(Env((), parent), _wanted(item, own, Env((), parent)))
        for row, reason in joined:
            if item.lateral:
                candidates = item.produce(Env(row, parent), {})
            elif shared is not None:
                candidates = shared
            else:
                candidates = item.produce(Env((), parent), _wanted(item, [*own, *links], Env(row, parent)))
            matched = self._filter([(row + other, doubt) for other, doubt in candidates], item.on, parent)
            doubt = next((why for _, why in matched if why is not None), None)
            certain = any(why is None for _, why in matched)
            result += [(other, reason or why) for other, why in matched]
            if not certain:
                result.append((row + nulls, reason or doubt))
        return result


def _hashable(value: Value) -> bool:
    return not isinstance(value, list | dict)


def _split(item: Item, conditions: Sequence[Condition]) -> tuple[list[Condition], list[Condition], list[Condition]]:
    """Conditions on this item alone, equalities that link it with earlier ones, and others."""
    slots = set(item.slots)
    own: list[Condition] = []
    links: list[Condition] = []
    rest: list[Condition] = []
    for condition in conditions:
        uses = condition.expression.uses
        if uses <= slots:
            own.append(condition)
        elif condition.sides is not None and uses & slots:
            left, right = condition.sides
            if left.uses <= slots and left.uses and not right.uses & slots:
                links.append(Condition(condition.expression, (left, right)))
            elif right.uses <= slots and right.uses and not left.uses & slots:
                links.append(Condition(condition.expression, (right, left)))
            else:
                rest.append(condition)
        else:
            rest.append(condition)
    return own, links, rest


def _wanted(item: Item, conditions: Sequence[Condition], env: Env) -> dict[str, set[object]]:
    """What the conditions say about single columns of the item, as far as it is known before it is read."""
    wanted: dict[str, set[object]] = {}
    by_slot = {column.slot: column.name for column in item.columns}
    for condition in conditions:
        if condition.sides is None:
            continue
        for side, other in (condition.sides, condition.sides[::-1]):
            if len(side.uses) == 1 and side.name is not None and not other.uses & set(item.slots):
                name = by_slot.get(next(iter(side.uses)))
                if name is None or name != side.name:
                    continue
                value = other.run(env) if not other.uses or max(other.uses) < len(env.row) else Unknown("later")
                if isinstance(value, list):
                    if any(isinstance(one, Unknown) or not _hashable(one) for one in value):
                        continue
                    values = set(value)
                elif isinstance(value, Unknown) or not _hashable(value):
                    continue
                else:
                    values = {value}
                wanted[name] = wanted[name] & values if name in wanted else values
                break
    return wanted


class FromCompiler:
    """Compiles the FROM list and WHERE of one SELECT into its scope."""

    def __init__(self, scope: Scope, compile_query: Callable[[Any, Session, Scope | None], Query]) -> None:
        self.scope = scope
        self.session = scope.session
        self.compiler = Compiler(scope)
        self.compile_query = compile_query
        self.items: list[Item] = []
        self.conditions: list[Condition] = []

    def compile(self, from_nodes: Sequence[Any], where: Any | None) -> FromClause:
        for node in from_nodes:
            self._item(node)
        if where is not None:
            self.conditions += self._conjuncts(where)
        return FromClause(self.session, self.items, self.conditions)

    def _item(self, node: Any) -> None:
        kind = node.WhichOneof("node")
        if kind == "range_var":
            self._relation(node.range_var)
        elif kind == "join_expr":
            self._join(node.join_expr)
        elif kind == "range_subselect":
            self._subselect(node.range_subselect)
        elif kind == "range_function":
            self._function(node.range_function)
        else:
            raise NotUnderstood(f"a FROM item of kind {kind}")

    def _add(self, alias: str, schema: str | None, columns: Sequence[tuple[str, str]], produce: Produce) -> Item:
        if alias in {column.alias for column in self.scope.columns}:
            raise Refused("42712", f'table name "{alias}" specified more than once')
        start = len(self.scope.columns)
        item = Item(start, self.scope.add(alias, schema, columns), produce)
        self.items.append(item)
        return item

    def _relation(self, node: Any) -> None:
        alias = node.alias.aliasname if node.HasField("alias") else node.relname
        names = [part.string.sval for part in node.alias.colnames] if node.HasField("alias") else []
        query = self.scope.query(node.relname) if not node.schemaname else None
        if query is not None:
            columns, run = query.columns, query.run
            scope = self.scope

            def produce(env: Env, wanted: dict[str, set[object]]) -> Rows:
                return run(env.parent if scope.parent is not None else None)

            self._add(alias, None, _renamed(columns, names), produce)
            return
        source: Source = find_source(self.session, node.relname, node.schemaname or None)
        if source.name.schema not in ("pg_catalog", "information_schema"):
            self.scope.open_data = True
        self._add(alias, source.name.schema, _renamed(source.columns, names), lambda env, wanted: source.rows(wanted))

    def _subselect(self, node: Any) -> None:
        lateral = bool(node.lateral)
        query = self.compile_query(
            node.subquery.select_stmt, self.session, self.scope if lateral else self.scope.parent
        )
        if not lateral and self.scope.queries:
            # WITH queries are visible in sub-queries too.
            shadow = Scope(self.session, self.scope.parent, queries=self.scope.queries)
            query = self.compile_query(node.subquery.select_stmt, self.session, shadow)
        shadowed = not lateral and bool(self.scope.queries)
        alias = node.alias.aliasname if node.HasField("alias") else f"unnamed_subquery_{len(self.items)}"
        names = [part.string.sval for part in node.alias.colnames] if node.HasField("alias") else []

        def produce(env: Env, wanted: dict[str, set[object]]) -> Rows:
            if lateral:
                return query.run(env)
            return query.run(Env((), env.parent) if shadowed else env.parent)

        item = self._add(alias, None, _renamed(query.columns, names), produce)
        item.lateral = lateral and bool(item.start)

    def _function(self, node: Any) -> None:
        columns, run, alias = compile_table_function(self.compiler, node)
        item = self._add(alias, None, columns, lambda env, wanted: run(env))
        item.lateral = bool(item.start)

    def _join(self, node: Any) -> None:
        kind = int(node.jointype)  # 1 INNER, 2 LEFT, 3 FULL, 4 RIGHT
        if node.HasField("alias") or kind not in (1, 2):
            raise NotUnderstood("a right or full join" if kind in (3, 4) else "a join with an alias")
        self._item(node.larg)
        left_end = len(self.scope.columns)
        before = len(self.items)
        pool = len(self.conditions)
        self._item(node.rarg)
        conditions = self._using(node, left_end)
        if node.HasField("quals"):
            conditions += self._conjuncts(node.quals)
        if kind == 1:
            self.conditions += conditions
            return
        if len(self.items) != before + 1 or len(self.conditions) != pool:
            raise NotUnderstood("a left join with a join on its right side")
        item = self.items[-1]
        item.left_join = True
        item.on = conditions

    def _using(self, node: Any, left_end: int) -> list[Condition]:
        names = [part.string.sval for part in node.using_clause]
        left, right = self.scope.columns[:left_end], self.scope.columns[left_end:]
        if node.is_natural:
            names = [c.name for c in left if not c.hidden and any(c.name == other.name for other in right)]
        conditions = []
        for name in names:
            first = next((c for c in left if c.name == name and not c.hidden), None)
            second = next((c for c in right if c.name == name), None)
            if first is None or second is None:
                raise Refused("42703", f'column "{name}" specified in USING clause does not exist in both tables')
            sides = (_slot(first), _slot(second))
            made = binary(self.compiler, "=", *sides)
            conditions.append(Condition(made, sides))
            second.hidden = True
        return conditions

    def _conjuncts(self, node: Any) -> list[Condition]:
        if node.WhichOneof("node") == "bool_expr" and int(node.bool_expr.boolop) == 1:
            return [condition for argument in node.bool_expr.args for condition in self._conjuncts(argument)]
        return [Condition(self.compiler.condition(node), self._sides(node))]

    def _sides(self, node: Any) -> tuple[Expression, Expression] | None:
        """The two sides of an equality, or of `x IN (…)` and `x = ANY (array)`, whose right side is then a list."""
        if node.WhichOneof("node") != "a_expr":
            return None
        test = node.a_expr
        kind = int(test.kind)
        if kind not in (1, 2, 7) or test.name[-1].string.sval != "=" or not test.HasField("lexpr"):
            return None
        left = self.compiler.compile(test.lexpr)
        if left.type == "record":
            return None
        if kind == 7:
            items = [self.compiler.coerce(self.compiler.compile(item), left.type) for item in test.rexpr.list.items]
            runs = [item.run for item in items]
            return left, combine(f"{left.type}[]", items, lambda env: [run(env) for run in runs])
        right = self.compiler.compile(test.rexpr)
        if kind == 2:
            return left, self.compiler.coerce(right, f"{left.type}[]") if right.type == "unknown" else right
        if left.type.endswith("[]") or right.type.endswith("[]"):
            return None
        if right.type == "unknown":
            right = self.compiler.coerce(right, left.type)
        elif left.type == "unknown":
            left = self.compiler.coerce(left, right.type)
        return left, right


def _slot(column: Column) -> Expression:
    slot = column.slot
    return Expression(column.type, lambda env: env.row[slot], frozenset({slot}), False, column.name)


def _renamed(columns: Sequence[tuple[str, str]], names: Sequence[str]) -> list[tuple[str, str]]:
    return [(names[number] if number < len(names) else name, kind) for number, (name, kind) in enumerate(columns)]
