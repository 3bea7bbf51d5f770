"""The select list, grouping, ordering, limits, unions, `with` and locks of the query builder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from remediate.evaluate.knex.builder import Builder
from remediate.evaluate.knex.clauses import Columns, Gathering, Hints, Order, Union, With
from remediate.evaluate.knex.javascript import is_object, known, parse_int, text, truthy, unresolvable
from remediate.evaluate.knex.method import at, is_function, js
from remediate.evaluate.knex.raw import RawBuilder
from remediate.evaluate.knex.session import thrown
from remediate.evaluate.knex.where import as_raw
from remediate.evaluate.values import UNDEFINED, Unknown, Value
from remediate.source.place import Place


def listed(arguments: Sequence[Value]) -> Value:
    """Knex's `normalizeArr`: the first argument when it is a list, else all of them."""
    return arguments[0] if arguments and isinstance(arguments[0], list) else list(arguments)


class SelectMethods(Gathering):
    """What a select is made of, apart from its conditions and joins."""

    # Columns

    @js("select", "columns", "column")
    def columns(self, arguments: Sequence[Value], place: Place) -> Value:
        first = at(arguments, 0)
        if truthy(first) or first == 0:
            self.clauses.append(Columns(listed(arguments)))
        return self

    @js("distinct")
    def distinct(self, arguments: Sequence[Value], place: Place) -> Value:
        self.clauses.append(Columns(listed(arguments), distinct=True))
        return self

    @js("distinctOn")
    def distinct_on(self, arguments: Sequence[Value], place: Place) -> Value:
        if not arguments:
            raise thrown("distinctOn requires at least on argument")
        self.clauses.append(Columns(listed(arguments), kind="distinct on"))
        return self

    def _aggregate(self, method: str, column: Value, options: Value, *, distinct: bool = False) -> Value:
        chosen = options if isinstance(options, dict) else {}
        if isinstance(options, Unknown):
            column = options
        kind = "aggregate raw" if isinstance(column, RawBuilder) else "aggregate"
        distinct = distinct or truthy(chosen.get("distinct"))
        self.clauses.append(Columns(column, kind, method, distinct, chosen.get("as", UNDEFINED)))
        return self

    @js("count")
    def count(self, arguments: Sequence[Value], place: Place) -> Value:
        column = at(arguments, 0)
        return self._aggregate("count", column if truthy(column) else "*", at(arguments, 1))

    @js("min")
    def min(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._aggregate("min", at(arguments, 0), at(arguments, 1))

    @js("max")
    def max(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._aggregate("max", at(arguments, 0), at(arguments, 1))

    @js("sum")
    def sum(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._aggregate("sum", at(arguments, 0), at(arguments, 1))

    @js("avg")
    def avg(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._aggregate("avg", at(arguments, 0), at(arguments, 1))

    @js("countDistinct")
    def count_distinct(self, arguments: Sequence[Value], place: Place) -> Value:
        columns = list(arguments)
        options: Value = UNDEFINED
        if len(columns) > 1 and isinstance(columns[-1], dict):
            options = columns.pop()
        column: Value = columns
        if not columns:
            column = "*"
        elif len(columns) == 1:
            column = columns[0]
        return self._aggregate("count", column, options, distinct=True)

    @js("sumDistinct")
    def sum_distinct(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._aggregate("sum", at(arguments, 0), at(arguments, 1), distinct=True)

    @js("avgDistinct")
    def avg_distinct(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._aggregate("avg", at(arguments, 0), at(arguments, 1), distinct=True)

    def _json_columns(self, method: str, **parameters: Any) -> Value:
        self.clauses.append(Columns(UNDEFINED, "json", method, parameters=parameters))
        return self

    @js("jsonExtract")
    def json_extract(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._json_columns("jsonExtract", column=at(arguments, 0), path=at(arguments, 1), alias=at(arguments, 2))

    @js("jsonSet")
    def json_set(self, arguments: Sequence[Value], place: Place) -> Value:
        column, path, value, alias = (at(arguments, index) for index in range(4))
        return self._json_columns("jsonSet", column=column, path=path, value=value, alias=alias)

    @js("jsonInsert")
    def json_insert(self, arguments: Sequence[Value], place: Place) -> Value:
        column, path, value, alias = (at(arguments, index) for index in range(4))
        return self._json_columns("jsonInsert", column=column, path=path, value=value, alias=alias)

    @js("jsonRemove")
    def json_remove(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._json_columns("jsonRemove", column=at(arguments, 0), path=at(arguments, 1), alias=at(arguments, 2))

    # Groups, orders, limits

    @js("groupBy")
    def group_by(self, arguments: Sequence[Value], place: Place) -> Value:
        if isinstance(at(arguments, 0), RawBuilder):
            return self.group_by_raw(arguments, place)
        self.clauses.append(Order("group", listed(arguments)))
        return self

    @js("groupByRaw")
    def group_by_raw(self, arguments: Sequence[Value], place: Place) -> Value:
        self.clauses.append(Order("group", as_raw(arguments, place), raw=True))
        return self

    @js("orderBy")
    def order_by(self, arguments: Sequence[Value], place: Place) -> Value:
        column = at(arguments, 0)
        if not isinstance(column, list):
            self.clauses.append(Order("order", column, direction=at(arguments, 1), nulls=at(arguments, 2)))
            return self
        for item in column:
            if isinstance(item, dict):
                parts = (item.get(key, UNDEFINED) for key in ("column", "order", "nulls"))
                value, direction, nulls = parts
                self.clauses.append(Order("order", value, direction=direction, nulls=nulls))
            elif isinstance(item, Unknown | str | int | float) and not isinstance(item, bool):
                self.clauses.append(Order("order", item))
        return self

    @js("orderByRaw")
    def order_by_raw(self, arguments: Sequence[Value], place: Place) -> Value:
        self.clauses.append(Order("order", as_raw(arguments, place), raw=True))
        return self

    @js("limit")
    def limit(self, arguments: Sequence[Value], place: Place) -> Value:
        if self._limit_to("limit", at(arguments, 0)):
            self._skip_binding("limit", at(arguments, 1))
        return self

    @js("offset")
    def offset(self, arguments: Sequence[Value], place: Place) -> Value:
        value = at(arguments, 0)
        if value is None or value is UNDEFINED or isinstance(value, Builder):
            self.single["offset"] = value
        elif self._limit_to("offset", value) and isinstance(self.single["offset"], int) and self.single["offset"] < 0:
            raise thrown("A non-negative integer must be provided to offset.")
        self._skip_binding("offset", at(arguments, 1))
        return self

    def _limit_to(self, name: str, value: Value) -> bool:
        number = value if isinstance(value, Unknown) else parse_int(value, None)
        if number is None:
            return False
        self.single[name] = number
        return True

    def _skip_binding(self, name: str, options: Value) -> None:
        skip = options.get("skipBinding") if isinstance(options, dict) else options
        self.single[f"{name} as text"] = skip is True

    # Unions and with

    def _union(self, clause: str, arguments: Sequence[Value]) -> Value:
        given = list(arguments)
        wrapped = bool(given.pop()) if len(given) > 1 and isinstance(given[-1], bool) else False
        values = given[0] if len(given) == 1 and isinstance(given[0], list) else given
        self.clauses.extend(Union(clause, value, wrapped) for value in values)
        return self

    @js("union")
    def union(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._union("union", arguments)

    @js("unionAll")
    def union_all(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._union("union all", arguments)

    @js("intersect")
    def intersect(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._union("intersect", arguments)

    @js("except")
    def but(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._union("except", arguments)

    def _with(self, name: str, arguments: Sequence[Value], *, materialized: bool | None = None) -> Value:
        query, columns = at(arguments, 2), at(arguments, 1)
        if query is UNDEFINED:
            query, columns = columns, UNDEFINED
        alias = at(arguments, 0)
        if not isinstance(alias, str | Unknown):
            raise thrown(f"{name}() first argument must be a string")
        if not (is_function(query) or isinstance(query, Builder | Unknown)):
            raise thrown(f"{name}() second argument must be a statement or non-empty column name list.")
        self.clauses.append(With(alias, columns, query, materialized, name == "withRecursive"))
        return self

    @js("with", "withWrapped")
    def with_query(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._with("with", arguments)

    @js("withRecursive", "withRecursiveWrapped")
    def with_recursive(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._with("withRecursive", arguments)

    @js("withMaterialized")
    def with_materialized(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._with("with", arguments, materialized=True)

    @js("withNotMaterialized")
    def with_not_materialized(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._with("with", arguments, materialized=False)

    # One row, one column

    @js("first")
    def first(self, arguments: Sequence[Value], place: Place) -> Value:
        if self.verb != "select":
            raise thrown(f'Cannot chain .first() on "{self.verb}" query')
        self.columns([listed(arguments)], place)
        self.verb = "first"
        return self.limit([1], place)

    @js("pluck")
    def pluck(self, arguments: Sequence[Value], place: Place) -> Value:
        if self.verb != "select":
            raise thrown(f'Cannot chain .pluck() on "{self.verb}" query')
        self.verb = "pluck"
        self.single["pluck"] = at(arguments, 0)
        self.clauses.append(Columns(at(arguments, 0), kind="pluck"))
        return self

    # Locks

    def _lock(self, mode: str, tables: Sequence[Value]) -> Value:
        self.single["lock"] = mode
        self.single["lock tables"] = list(tables)
        return self

    @js("forUpdate")
    def for_update(self, arguments: Sequence[Value], place: Place) -> Value:
        only = at(arguments, 0)
        return self._lock("for update", only if len(arguments) == 1 and isinstance(only, list) else arguments)

    @js("forShare")
    def for_share(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._lock("for share", arguments)

    @js("forNoKeyUpdate")
    def for_no_key_update(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._lock("for no key update", arguments)

    @js("forKeyShare")
    def for_key_share(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._lock("for key share", arguments)

    @js("skipLocked")
    def skip_locked(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._wait("skip locked", "skipLocked")

    @js("noWait")
    def no_wait(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._wait("nowait", "noWait")

    def _wait(self, mode: str, name: str) -> Value:
        if self.verb not in ("select", "first", "pluck"):
            raise thrown(f'Cannot chain .{name}() on "{self.verb}" query!')
        if "lock" not in self.single:
            raise thrown(f".{name}() can only be used after a call to .forShare() or .forUpdate()!")
        if self.single.get("wait", mode) != mode:
            raise thrown(".skipLocked() cannot be used together with .noWait()!")
        self.single["wait"] = mode
        return self

    # Comments

    @js("hintComment")
    def hint_comment(self, arguments: Sequence[Value], place: Place) -> Value:
        hints = at(arguments, 0)
        self.clauses.append(Hints([text(known(hint)) for hint in (hints if isinstance(hints, list) else [hints])]))
        return self

    @js("comment")
    def comment(self, arguments: Sequence[Value], place: Place) -> Value:
        comment = at(arguments, 0)
        if isinstance(comment, Unknown):
            raise unresolvable(comment.reason, comment.place)
        if not isinstance(comment, str):
            raise thrown("Comment must be a string")
        if any(characters in comment for characters in ("/*", "*/", "?")):
            raise thrown("Cannot include /*, */, ? in comment")
        self.single.setdefault("comments", []).append(comment)
        return self

    # Taking back

    @js("clearSelect")
    def clear_select(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.clear(["columns"], place)

    @js("clearWhere")
    def clear_where(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.clear(["where"], place)

    @js("clearGroup")
    def clear_group(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.clear(["group"], place)

    @js("clearOrder")
    def clear_order(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.clear(["order"], place)

    @js("clearHaving")
    def clear_having(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.clear(["having"], place)

    @js("clearCounters")
    def clear_counters(self, arguments: Sequence[Value], place: Place) -> Value:
        self.single["counter"] = {}
        return self

    @js("clear")
    def clear(self, arguments: Sequence[Value], place: Place) -> Value:
        name = text(at(arguments, 0))
        if name.startswith("counter"):
            return self.clear_counters([], place)
        grouping = "columns" if name == "select" else name
        if is_object(self.single.get(grouping)) or grouping in self.single:
            self.single[grouping] = UNDEFINED
        else:
            self.clauses = [clause for clause in self.clauses if clause.grouping != grouping]
        return self
