"""Views: what the callback of `createView` and `alterView` gets, and how it is compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from remediate.evaluate.knex.builder import Compiled, Statement, Unbuilt
from remediate.evaluate.knex.formatter import Formatter
from remediate.evaluate.knex.javascript import UnresolvableError, known, text, truthy
from remediate.evaluate.knex.method import Method, Scripted, at, js
from remediate.evaluate.knex.session import Subject, thrown
from remediate.evaluate.values import UNDEFINED, Unknown, Value
from remediate.source.place import Place

ViewAction: TypeAlias = Literal["create view", "create or replace view", "create materialized view", "alter view"]


class ViewBuilder(Scripted):
    """Gathers the parts of one view."""

    def __init__(self, action: ViewAction) -> None:
        self.action = action
        self.column_names: Value = UNDEFINED
        self.query: Value = UNDEFINED
        self.check = ""
        self.changes: list[tuple[str, Value, Value, Place]] = []
        self.unsupported: Unknown | None = None

    def missing(self, name: str, place: Place) -> Value:
        if name == "column" and self.action == "alter view":
            return Method(name, lambda arguments, _: ViewColumn(self, at(arguments, 0)))

        def poison(_: Sequence[Value], at: Place) -> Value:
            self.unsupported = Unknown(f"Knex method {name} of a view is not supported", at)
            return self.unsupported

        return Method(name, poison)

    @js("columns")
    def columns(self, arguments: Sequence[Value], place: Place) -> Value:
        self.column_names = at(arguments, 0)
        return UNDEFINED

    @js("as")
    def select_as(self, arguments: Sequence[Value], place: Place) -> Value:
        self.query = at(arguments, 0)
        return UNDEFINED

    @js("checkOption")
    def check_option(self, arguments: Sequence[Value], place: Place) -> Value:
        self.check = " with check option"
        return UNDEFINED

    @js("localCheckOption")
    def local_check_option(self, arguments: Sequence[Value], place: Place) -> Value:
        self.check = " with local check option"
        return UNDEFINED

    @js("cascadedCheckOption")
    def cascaded_check_option(self, arguments: Sequence[Value], place: Place) -> Value:
        self.check = " with cascaded check option"
        return UNDEFINED

    @js("queryContext")
    def query_context(self, arguments: Sequence[Value], place: Place) -> Value:
        return self

    def statements(self, name: Value, schema: Value, place: Place) -> list[Statement]:
        """What is sent for the view, once its callback has run."""
        action: Literal["create view", "alter view"] = "alter view" if self.action == "alter view" else "create view"
        known_schema = schema if isinstance(schema, str) else None
        subject = Subject(action, name, known_schema) if isinstance(name, str) else None

        def build(write: Callable[[Formatter], str], at: Place) -> Statement:
            formatter = Formatter(at)
            try:
                if self.unsupported is not None:
                    raise UnresolvableError(self.unsupported)
                return Compiled(write(formatter), formatter.bindings, at)
            except UnresolvableError as error:
                return Unbuilt(error.unknown, at, subject)

        def view(formatter: Formatter) -> str:
            return formatter.wrap(f"{text(schema)}.{text(name)}" if truthy(schema) else name)

        if self.action != "alter view":
            return [build(lambda formatter: self._create(formatter, view(formatter)), place)]
        return [
            build(lambda formatter, change=change: _change(formatter, view(formatter), change), change[3])  # type: ignore[misc]
            for change in self.changes
        ]

    def _create(self, formatter: Formatter, view: str) -> str:
        columns = f" ({formatter.columnize(self.column_names)})" if truthy(self.column_names) else ""
        if self.query is UNDEFINED or self.query is None:
            raise thrown("Cannot read properties of undefined (reading 'toString')", "TypeError")
        return f"{self.action} {view}{columns} as {text(self.query)}{self.check}"


class ViewColumn(Scripted):
    """`view.column("name")` of `alterView`."""

    def __init__(self, view: ViewBuilder, column: Value) -> None:
        self.view = view
        self.column = column

    @js("rename")
    def rename(self, arguments: Sequence[Value], place: Place) -> Value:
        self.view.changes.append(("rename", self.column, at(arguments, 0), place))
        return self

    @js("defaultTo")
    def default_to(self, arguments: Sequence[Value], place: Place) -> Value:
        self.view.changes.append(("default", self.column, at(arguments, 0), place))
        return self


def _change(formatter: Formatter, view: str, change: tuple[str, Value, Value, Place]) -> str:
    kind, column, value, _ = change
    wrapped = formatter.wrap(column)
    if kind == "rename":
        return f"alter view {view} rename {wrapped} to {formatter.wrap(value)}"
    return f"alter view {view} alter {wrapped} set default {text(known(value))}"
