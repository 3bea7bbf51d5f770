"""What the query builder changes: insert, update, delete, truncate, and the table it is about."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.evaluate.knex.clauses import Gathering
from remediate.evaluate.knex.javascript import is_empty, keys, stringify, text, truthy
from remediate.evaluate.knex.method import Scripted, at, js
from remediate.evaluate.knex.where import as_raw
from remediate.evaluate.values import UNDEFINED, Unknown, Value
from remediate.source.place import Place


class WriteMethods(Gathering):
    """Tables and changes."""

    @js("table", "from", "into")
    def table(self, arguments: Sequence[Value], place: Place) -> Value:
        options = at(arguments, 1)
        self.single["table"] = at(arguments, 0)
        self.single["only"] = isinstance(options, dict) and options.get("only") is True
        return self

    @js("fromRaw")
    def from_raw(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.table([as_raw(arguments, place)], place)

    @js("withSchema")
    def with_schema(self, arguments: Sequence[Value], place: Place) -> Value:
        self.single["schema"] = at(arguments, 0)
        return self

    @js("as")
    def alias(self, arguments: Sequence[Value], place: Place) -> Value:
        self.single["as"] = at(arguments, 0)
        return self

    @js("insert")
    def insert(self, arguments: Sequence[Value], place: Place) -> Value:
        self.verb = "insert"
        self._returning_unless_empty(at(arguments, 1))
        self.single["insert"] = at(arguments, 0)
        return self

    @js("update")
    def update(self, arguments: Sequence[Value], place: Place) -> Value:
        values, second = at(arguments, 0), at(arguments, 1)
        self.verb = "update"
        changes = self.single.setdefault("update", {})
        if isinstance(values, str):
            changes[values] = stringify(second) if isinstance(second, dict) else second
            self._returning_unless_empty(at(arguments, 2))
        elif isinstance(values, dict):
            changes.update({key: values[key] for key in keys(values)})
            self._returning_unless_empty(second)
        else:
            unknown = values if isinstance(values, Unknown) else Unknown("the changes are not known", place)
            self.single["unknown update"] = unknown
            self._returning_unless_empty(second)
        return self

    @js("delete", "del")
    def delete(self, arguments: Sequence[Value], place: Place) -> Value:
        self.verb = "del"
        self._returning_unless_empty(at(arguments, 0))
        return self

    @js("truncate")
    def truncate(self, arguments: Sequence[Value], place: Place) -> Value:
        self.verb = "truncate"
        if truthy(at(arguments, 0)):
            self.single["table"] = at(arguments, 0)
        return self

    @js("columnInfo")
    def column_info(self, arguments: Sequence[Value], place: Place) -> Value:
        self.verb = "columnInfo"
        self.single["columnInfo"] = at(arguments, 0)
        return self

    @js("returning")
    def returning(self, arguments: Sequence[Value], place: Place) -> Value:
        self.single["returning"] = at(arguments, 0)
        return self

    def _returning_unless_empty(self, value: Value) -> None:
        if isinstance(value, Unknown) or not is_empty(value):
            self.single["returning"] = value

    @js("updateFrom")
    def update_from(self, arguments: Sequence[Value], place: Place) -> Value:
        self.single["updateFrom"] = at(arguments, 0)
        return self

    @js("using")
    def using(self, arguments: Sequence[Value], place: Place) -> Value:
        self.single["using"] = at(arguments, 0)
        return self

    @js("increment")
    def increment(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._count(arguments, 1, place)

    @js("decrement")
    def decrement(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._count(arguments, -1, place)

    def _count(self, arguments: Sequence[Value], sign: int, place: Place) -> Value:
        column, amount = at(arguments, 0), at(arguments, 1)
        self.verb = "update"
        counter = self.single.setdefault("counter", {})
        if isinstance(column, Unknown):
            self.single["unknown update"] = column
            return self
        amounts = column if isinstance(column, dict) else {text(column): 1 if amount is UNDEFINED else amount}
        for key in keys(amounts):
            number = amounts[key]
            if isinstance(number, str | int | float):
                counter[key] = sign * float(number)
            else:
                counter[key] = number if isinstance(number, Unknown) else Unknown("the amount is no number", place)
        return self

    @js("onConflict")
    def on_conflict(self, arguments: Sequence[Value], place: Place) -> Value:
        columns = at(arguments, 0)
        if isinstance(columns, str):
            columns = [columns]
        return OnConflict(self, columns if truthy(columns) else True)


class OnConflict(Scripted):
    """What `onConflict(columns)` gives: `ignore` or `merge` has to follow."""

    def __init__(self, builder: WriteMethods, columns: Value) -> None:
        self.builder = builder
        self.columns = columns

    @js("ignore")
    def ignore(self, arguments: Sequence[Value], place: Place) -> Value:
        self.builder.single["onConflict"] = self.columns
        self.builder.single["ignore"] = True
        return self.builder

    @js("merge")
    def merge(self, arguments: Sequence[Value], place: Place) -> Value:
        self.builder.single["onConflict"] = self.columns
        self.builder.single["merge"] = [at(arguments, 0)]
        return self.builder
