"""`where…` of the query builder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from remediate.evaluate.knex.clauses import Condition, Gathering
from remediate.evaluate.knex.javascript import is_object, keys, text
from remediate.evaluate.knex.method import Method, at, is_function, js
from remediate.evaluate.knex.raw import RawBuilder
from remediate.evaluate.knex.session import thrown
from remediate.evaluate.values import UNDEFINED, Unknown, Value
from remediate.source.place import Place


def members(value: Value) -> list[tuple[str, Value]]:
    """What `for (key in value)` sees of a plain object or an array."""
    if isinstance(value, list):
        return [(str(index), item) for index, item in enumerate(value)]
    return [(key, value[key]) for key in keys(value)] if isinstance(value, dict) else []


def as_raw(arguments: Sequence[Value], place: Place) -> Value:
    """The raw of `…Raw(sql, bindings)`, whose first argument may be one already."""
    first = at(arguments, 0)
    return first if isinstance(first, RawBuilder) else RawBuilder(None, None, place, first, at(arguments, 1))


def pair(value: Value, method: str) -> Value:
    """The two values of a `between`."""
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, list):
        raise thrown(f"The second argument to {method} must be an array.", "AssertionError")
    if len(value) != 2:
        raise thrown(f"You must specify 2 values for the {method} clause", "AssertionError")
    return value


class WhereMethods(Gathering):
    """All forms of `where`. A name that starts with `or` or has `Not` in it only sets a flag for the next condition."""

    def add_where(self, kind: str, **fields: Any) -> Value:
        self.clauses.append(Condition("where", kind, negated=self.take_negated(), glue=self.take_glue(), **fields))
        return self

    @js("where", "andWhere")
    def where(self, arguments: Sequence[Value], place: Place) -> Value:
        column, operator, value = at(arguments, 0), at(arguments, 1), at(arguments, 2)
        if column is False or column is True:
            return self.where([1, "=", 1 if column else 0], place)
        if is_function(column):
            return self.wrapped([column], place)
        if isinstance(column, RawBuilder):
            if len(arguments) == 1:
                return self.where_raw([column], place)
        elif isinstance(column, Unknown) and len(arguments) == 1:
            return self.add_where("unknown", value=column)
        elif is_object(column):
            return self._object(column, place)
        if len(arguments) == 2:
            operator, value = "=", operator
            if value is None:
                return self.null([column], place)
        check = "" if isinstance(operator, Unknown | RawBuilder) else text(operator).lower().strip()
        if len(arguments) == 3 and check in ("in", "not in", "between", "not between"):
            self.next_negated = check.startswith("not")
            if check.endswith("in"):
                return self.is_in([column, value], place)
            return self.between([column, value], place)
        if value is None and check in ("is", "is not"):
            self.next_negated = check == "is not"
            return self.null([column], place)
        return self.add_where("basic", column=column, operator=operator, value=value, as_column=self.as_column)

    def _object(self, value: Value, place: Place) -> Value:
        glue, negated = self.take_glue(), self.take_negated()
        for key, item in members(value):
            self.next_glue, self.next_negated = glue, negated
            self.where([key, item], place)
        return self

    @js("orWhere")
    def or_where(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        column = at(arguments, 0)
        if is_object(column) and not isinstance(column, RawBuilder):
            return self.wrapped([_each(column, "where")], place)
        return self.where(arguments, place)

    @js("whereColumn", "andWhereColumn")
    def column(self, arguments: Sequence[Value], place: Place) -> Value:
        self.as_column = True
        self.where(arguments, place)
        self.as_column = False
        return self

    @js("orWhereColumn")
    def or_column(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        column = at(arguments, 0)
        if is_object(column) and not isinstance(column, RawBuilder):
            return self.wrapped([_each(column, "whereColumn", "=")], place)
        return self.column(arguments, place)

    @js("whereNot", "andWhereNot")
    def is_not(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_negated = True
        return self.where(arguments, place)

    @js("orWhereNot")
    def or_not(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.is_not(arguments, place)

    @js("whereNotColumn", "andWhereNotColumn")
    def not_column(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_negated = True
        return self.column(arguments, place)

    @js("orWhereNotColumn")
    def or_not_column(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.not_column(arguments, place)

    @js("whereRaw", "andWhereRaw")
    def where_raw(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.add_where("raw", value=as_raw(arguments, place))

    @js("orWhereRaw")
    def or_where_raw(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.where_raw(arguments, place)

    @js("whereWrapped")
    def wrapped(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.add_where("wrapped", value=at(arguments, 0))

    @js("whereExists")
    def exists(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.add_where("exists", value=at(arguments, 0))

    @js("orWhereExists")
    def or_exists(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.exists(arguments, place)

    @js("whereNotExists")
    def not_exists(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_negated = True
        return self.exists(arguments, place)

    @js("orWhereNotExists")
    def or_not_exists(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.not_exists(arguments, place)

    @js("whereIn")
    def is_in(self, arguments: Sequence[Value], place: Place) -> Value:
        values = at(arguments, 1)
        if values == []:
            return self.where([self.take_negated()], place)
        return self.add_where("in", column=at(arguments, 0), value=values)

    @js("orWhereIn")
    def or_in(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.is_in(arguments, place)

    @js("whereNotIn")
    def not_in(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_negated = True
        return self.is_in(arguments, place)

    @js("orWhereNotIn")
    def or_not_in(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.not_in(arguments, place)

    @js("whereNull")
    def null(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.add_where("null", column=at(arguments, 0))

    @js("orWhereNull")
    def or_null(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.null(arguments, place)

    @js("whereNotNull")
    def not_null(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_negated = True
        return self.null(arguments, place)

    @js("orWhereNotNull")
    def or_not_null(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.not_null(arguments, place)

    @js("whereBetween", "andWhereBetween")
    def between(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.add_where("between", column=at(arguments, 0), value=pair(at(arguments, 1), "whereBetween"))

    @js("orWhereBetween")
    def or_between(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.between(arguments, place)

    @js("whereNotBetween", "andWhereNotBetween")
    def not_between(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_negated = True
        return self.between(arguments, place)

    @js("orWhereNotBetween")
    def or_not_between(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.not_between(arguments, place)

    @js("whereLike", "andWhereLike")
    def like(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.add_where("like", column=at(arguments, 0), value=at(arguments, 1), as_column=self.as_column)

    @js("orWhereLike")
    def or_like(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.like(arguments, place)

    @js("whereILike", "andWhereILike")
    def ilike(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.add_where("ilike", column=at(arguments, 0), value=at(arguments, 1), as_column=self.as_column)

    @js("orWhereILike")
    def or_ilike(self, arguments: Sequence[Value], place: Place) -> Value:
        self.next_glue = "or"
        return self.ilike(arguments, place)


def _each(values: Value, method: str, *operator: str) -> Method:
    """The callback that Knex makes of `orWhere({…})`: one condition per key, all in one pair of parentheses."""

    def add(arguments: Sequence[Value], place: Place) -> Value:
        builder = arguments[0]
        assert isinstance(builder, WhereMethods)
        for key, value in members(values):
            (builder.column if method == "whereColumn" else builder.where)([key, *operator, value], place)
        return UNDEFINED

    return Method(method, add)
