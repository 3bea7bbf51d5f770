"""`having…` of the query builder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from remediate.evaluate.knex.clauses import Condition
from remediate.evaluate.knex.javascript import is_object
from remediate.evaluate.knex.method import Method, at, is_function, js
from remediate.evaluate.knex.raw import RawBuilder
from remediate.evaluate.knex.where import WhereMethods, as_raw, members, pair
from remediate.evaluate.values import UNDEFINED, Value
from remediate.source.place import Place


class HavingMethods(WhereMethods):
    """All forms of `having`."""

    def _add_having(self, kind: str, **fields: Any) -> Value:
        self.clauses.append(Condition("having", kind, negated=self.take_negated(), glue=self.take_glue(), **fields))
        return self

    @js("having", "andHaving")
    def having(self, arguments: Sequence[Value], place: Place) -> Value:
        column = at(arguments, 0)
        if isinstance(column, RawBuilder) and len(arguments) == 1:
            return self.having_raw([column], place)
        if is_function(column):
            return self.having_wrapped([column], place)
        return self._add_having("basic", column=column, operator=at(arguments, 1), value=at(arguments, 2))

    @js("orHaving")
    def or_having(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        column = at(arguments, 0)
        if is_object(column) and not isinstance(column, RawBuilder):
            return self.having_wrapped([_each(column)], place)
        return self.having(arguments, place)

    @js("havingWrapped")
    def having_wrapped(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._add_having("wrapped", value=at(arguments, 0))

    @js("havingRaw")
    def having_raw(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._add_having("raw", value=as_raw(arguments, place))

    @js("orHavingRaw")
    def or_having_raw(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.having_raw(arguments, place)

    @js("havingNull", "andHavingNull")
    def having_null(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._add_having("null", column=at(arguments, 0))

    @js("orHavingNull")
    def or_having_null(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.having_null(arguments, place)

    @js("havingNotNull", "andHavingNotNull")
    def having_not_null(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_negated = True
        return self.having_null(arguments, place)

    @js("orHavingNotNull")
    def or_having_not_null(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.having_not_null(arguments, place)

    @js("havingExists", "andHavingExists")
    def having_exists(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._add_having("exists", value=at(arguments, 0))

    @js("orHavingExists")
    def or_having_exists(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.having_exists(arguments, place)

    @js("havingNotExists", "andHavingNotExists")
    def having_not_exists(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_negated = True
        return self.having_exists(arguments, place)

    @js("orHavingNotExists")
    def or_having_not_exists(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.having_not_exists(arguments, place)

    @js("havingBetween", "andHavingBetween")
    def having_between(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._add_having("between", column=at(arguments, 0), value=pair(at(arguments, 1), "havingBetween"))

    @js("orHavingBetween")
    def or_having_between(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.having_between(arguments, place)

    @js("havingNotBetween", "andHavingNotBetween")
    def having_not_between(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_negated = True
        return self.having_between(arguments, place)

    @js("orHavingNotBetween")
    def or_having_not_between(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.having_not_between(arguments, place)

    @js("havingIn", "andHavingIn")
    def having_in(self, arguments: Sequence[Value], place: Place) -> Value:
        values = at(arguments, 1)
        if values == []:
            # Knex puts it under `where`, not under `having`.
            return self.where([self.take_negated()], place)
        return self._add_having("in", column=at(arguments, 0), value=values)

    @js("orHavingIn")
    def or_having_in(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.having_in(arguments, place)

    @js("havingNotIn", "andHavingNotIn")
    def having_not_in(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_negated = True
        return self.having_in(arguments, place)

    @js("orHavingNotIn")
    def or_having_not_in(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.having_not_in(arguments, place)


def _each(values: Value) -> Method:
    def add(arguments: Sequence[Value], place: Place) -> Value:
        builder = arguments[0]
        assert isinstance(builder, HavingMethods)
        for key, value in members(values):
            builder.having([key, value], place)
        return UNDEFINED

    return Method("having", add)
