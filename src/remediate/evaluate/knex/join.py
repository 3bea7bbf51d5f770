"""`join…` of the query builder, and the object that its callback gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from remediate.evaluate.knex.builder import Builder
from remediate.evaluate.knex.clauses import Condition, Gathering, Join
from remediate.evaluate.knex.javascript import keys, truthy
from remediate.evaluate.knex.method import Scripted, at, call_back, is_function, js
from remediate.evaluate.knex.raw import RawBuilder
from remediate.evaluate.knex.where import pair
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place


class JoinClause(Scripted):
    """The conditions of one join."""

    def __init__(self) -> None:
        self.conditions: list[Condition] = []
        self.glue = "and"
        self.negated = False
        self.kind: Value = None

    def missing(self, name: str, place: Place) -> Value:
        if name in ("and", "or"):
            self.glue = "or" if name == "or" else self.glue
            return self
        return Unknown(f"Knex method {name} of a join is not supported", place)

    def _add(self, kind: str, **fields: Any) -> Value:
        self.conditions.append(Condition("on", kind, negated=self.negated, glue=self.glue, **fields))
        self.glue, self.negated = "and", False
        return self

    @js("on", "andOn")
    def on(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._condition("basic column", arguments, place)

    @js("orOn")
    def or_on(self, arguments: Sequence[Value], place: Place) -> Value:
        self.glue = "or"
        return self.on(arguments, place)

    @js("onVal", "andOnVal")
    def on_value(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._condition("basic", arguments, place)

    @js("orOnVal")
    def or_on_value(self, arguments: Sequence[Value], place: Place) -> Value:
        self.glue = "or"
        return self.on_value(arguments, place)

    def _condition(self, kind: str, arguments: Sequence[Value], place: Place) -> Value:
        first = at(arguments, 0)
        if isinstance(first, dict):
            glue = self.glue
            for key in keys(first):
                self.glue = glue
                self._condition(kind, [key, first[key]], place)
            return self
        if is_function(first):
            return self._add("on wrapped", value=first)
        if len(arguments) == 1:
            return self._add("raw", value=first)
        if len(arguments) == 2:
            return self._add(kind, column=first, operator="=", value=at(arguments, 1))
        return self._add(kind, column=first, operator=at(arguments, 1), value=at(arguments, 2))

    @js("using")
    def using(self, arguments: Sequence[Value], place: Place) -> Value:
        self._add("using", column=at(arguments, 0))
        return len(self.conditions)

    @js("onIn", "andOnIn")
    def on_in(self, arguments: Sequence[Value], place: Place) -> Value:
        if at(arguments, 1) == []:
            return self.on([1, "=", 0], place)
        return self._add("in", column=at(arguments, 0), value=at(arguments, 1))

    @js("orOnIn")
    def or_on_in(self, arguments: Sequence[Value], place: Place) -> Value:
        self.glue = "or"
        return self.on_in(arguments, place)

    @js("onNotIn", "andOnNotIn")
    def on_not_in(self, arguments: Sequence[Value], place: Place) -> Value:
        self.negated = True
        return self.on_in(arguments, place)

    @js("orOnNotIn")
    def or_on_not_in(self, arguments: Sequence[Value], place: Place) -> Value:
        self.glue = "or"
        return self.on_not_in(arguments, place)

    @js("onNull", "andOnNull")
    def on_null(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._add("null", column=at(arguments, 0))

    @js("orOnNull")
    def or_on_null(self, arguments: Sequence[Value], place: Place) -> Value:
        self.glue = "or"
        return self.on_null(arguments, place)

    @js("onNotNull", "andOnNotNull")
    def on_not_null(self, arguments: Sequence[Value], place: Place) -> Value:
        self.negated = True
        return self.on_null(arguments, place)

    @js("orOnNotNull")
    def or_on_not_null(self, arguments: Sequence[Value], place: Place) -> Value:
        self.glue = "or"
        return self.on_not_null(arguments, place)

    @js("onExists", "andOnExists")
    def on_exists(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._add("exists", value=at(arguments, 0))

    @js("orOnExists")
    def or_on_exists(self, arguments: Sequence[Value], place: Place) -> Value:
        self.glue = "or"
        return self.on_exists(arguments, place)

    @js("onNotExists", "andOnNotExists")
    def on_not_exists(self, arguments: Sequence[Value], place: Place) -> Value:
        self.negated = True
        return self.on_exists(arguments, place)

    @js("orOnNotExists")
    def or_on_not_exists(self, arguments: Sequence[Value], place: Place) -> Value:
        self.glue = "or"
        return self.on_not_exists(arguments, place)

    @js("onBetween", "andOnBetween")
    def on_between(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._add("between", column=at(arguments, 0), value=pair(at(arguments, 1), "onBetween"))

    @js("orOnBetween")
    def or_on_between(self, arguments: Sequence[Value], place: Place) -> Value:
        self.glue = "or"
        return self.on_between(arguments, place)

    @js("onNotBetween", "andOnNotBetween")
    def on_not_between(self, arguments: Sequence[Value], place: Place) -> Value:
        self.negated = True
        return self.on_between(arguments, place)

    @js("orOnNotBetween")
    def or_on_not_between(self, arguments: Sequence[Value], place: Place) -> Value:
        self.glue = "or"
        return self.on_not_between(arguments, place)

    @js("onJsonPathEquals", "andOnJsonPathEquals")
    def on_json_path(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._add(
            "json path equals",
            column=at(arguments, 0),
            path=at(arguments, 1),
            value=at(arguments, 2),
            second_path=at(arguments, 3),
        )

    @js("orOnJsonPathEquals")
    def or_on_json_path(self, arguments: Sequence[Value], place: Place) -> Value:
        self.glue = "or"
        return self.on_json_path(arguments, place)

    @js("type")
    def set_kind(self, arguments: Sequence[Value], place: Place) -> Value:
        self.kind = at(arguments, 0)
        return self


class JoinMethods(Gathering):
    """All forms of `join`."""

    def _join(self, kind: str, arguments: Sequence[Value], place: Place) -> Value:
        table, first = at(arguments, 0), at(arguments, 1)
        query = (isinstance(table, Builder) and not isinstance(table, RawBuilder)) or is_function(table)
        schema = None if query else self.single.get("schema")
        clause = JoinClause()
        if is_function(first):
            assert isinstance(first, HostObject)
            call_back(first, clause, [clause], place)
        elif truthy(first):
            clause.on(arguments[1:], place)
        if isinstance(clause.kind, str):
            kind = clause.kind
        self.clauses.append(Join(table, kind, schema, clause.conditions))
        return self

    @js("join", "innerJoin")
    def join(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._join("inner", arguments, place)

    @js("leftJoin")
    def left_join(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._join("left", arguments, place)

    @js("leftOuterJoin")
    def left_outer_join(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._join("left outer", arguments, place)

    @js("rightJoin")
    def right_join(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._join("right", arguments, place)

    @js("rightOuterJoin")
    def right_outer_join(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._join("right outer", arguments, place)

    @js("outerJoin")
    def outer_join(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._join("outer", arguments, place)

    @js("fullOuterJoin")
    def full_outer_join(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._join("full outer", arguments, place)

    @js("crossJoin")
    def cross_join(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._join("cross", arguments, place)

    @js("joinRaw")
    def join_raw(self, arguments: Sequence[Value], place: Place) -> Value:
        raw = RawBuilder(None, None, place, at(arguments, 0), at(arguments, 1))
        self.clauses.append(Join(raw, "raw", UNDEFINED, []))
        return self
