"""`knex.schema`: calls that each become one or more statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from remediate.evaluate.knex.builder import Builder, Compiled, Statement, Unbuilt
from remediate.evaluate.knex.callbacks import current_callbacks, run_waiting, running_callbacks
from remediate.evaluate.knex.formatter import Formatter
from remediate.evaluate.knex.javascript import UnresolvableError, because, known, text, truthy
from remediate.evaluate.knex.method import Method, at, call_back, is_function, js
from remediate.evaluate.knex.raw import RawBuilder
from remediate.evaluate.knex.session import Session, thrown
from remediate.evaluate.knex.table import Action, TableBuilder
from remediate.evaluate.knex.table_sql import TableCompiler
from remediate.evaluate.knex.view import ViewAction, ViewBuilder
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

_TABLES: Final[dict[str, Action]] = {
    "createTable": "create",
    "createTableIfNotExists": "create if not exists",
    "createTableLike": "create like",
    "alterTable": "alter",
    "table": "alter",
}
_VIEWS: Final[dict[str, ViewAction]] = {
    "createView": "create view",
    "createViewOrReplace": "create or replace view",
    "createMaterializedView": "create materialized view",
    "alterView": "alter view",
    "view": "alter view",
}
_IN_SCHEMA: Final = {
    "dropTable": "drop table ",
    "dropTableIfExists": "drop table if exists ",
    "dropView": "drop view ",
    "dropViewIfExists": "drop view if exists ",
    "dropMaterializedView": "drop materialized view ",
    "dropMaterializedViewIfExists": "drop materialized view if exists ",
}
_NAMED: Final = {
    "createSchema": "create schema ",
    "createSchemaIfNotExists": "create schema if not exists ",
    "createExtension": "create extension ",
    "createExtensionIfNotExists": "create extension if not exists ",
    "dropExtension": "drop extension ",
    "dropExtensionIfExists": "drop extension if exists ",
    "dropSchema": "drop schema ",
    "dropSchemaIfExists": "drop schema if exists ",
}
_OTHERS: Final = frozenset(["renameTable", "renameView", "refreshMaterializedView", "hasTable", "hasColumn", "raw"])
_CALLS: Final = frozenset([*_TABLES, *_VIEWS, *_IN_SCHEMA, *_NAMED, *_OTHERS])


@dataclass
class SchemaCall:
    """One call in the chain."""

    method: str
    arguments: Sequence[Value]
    place: Place


class SchemaBuilder(Builder):
    """Gathers calls. When it is awaited, all callbacks run first; then the statements are sent in order."""

    def __init__(self, session: Session | None, transaction: str | None, place: Place) -> None:
        super().__init__(session, transaction, place)
        self.schema: Value = UNDEFINED
        self.calls: list[SchemaCall] = []

    def missing(self, name: str, place: Place) -> Value:
        return Method(name, lambda arguments, at: self._add(name, arguments, at))

    def _add(self, name: str, arguments: Sequence[Value], place: Place) -> Value:
        self.calls.append(SchemaCall(name, arguments, place))
        return self

    @js("withSchema")
    def with_schema(self, arguments: Sequence[Value], place: Place) -> Value:
        self.schema = at(arguments, 0)
        return self

    def execute(self) -> Value:
        with running_callbacks() as callbacks:
            statements = self.statements()
        try:
            return self.send(statements)
        finally:
            run_waiting(callbacks)

    def is_change(self) -> bool:
        return any(call.method not in ("hasTable", "hasColumn") for call in self.calls)

    def statements(self) -> list[Statement]:
        return [statement for call in self.calls for statement in self._compile(call)]

    def _compile(self, call: SchemaCall) -> list[Statement]:
        name, arguments, place = call.method, call.arguments, call.place
        if name not in _CALLS:
            return [Unbuilt(Unknown(f"Knex method {name} of a schema is not supported", place), place)]
        if name in _TABLES:
            return self._table(_TABLES[name], arguments, place)
        if name in _VIEWS:
            return self._view(_VIEWS[name], arguments, place)
        if name in ("hasTable", "hasColumn"):
            return [self._question(name, arguments, place)]
        try:
            return [self._simple(name, arguments, place)]
        except UnresolvableError as error:
            return [Unbuilt(error.unknown, place, form="raw" if name == "raw" else None)]

    def _simple(self, name: str, arguments: Sequence[Value], place: Place) -> Compiled:
        if name == "raw":
            compiled = RawBuilder(None, None, place, at(arguments, 0), at(arguments, 1)).compile_part([])
            compiled.form = "raw"
            return compiled
        formatter = Formatter(place)
        first, second = known(at(arguments, 0)), at(arguments, 1)
        if name in _IN_SCHEMA:
            sql = _IN_SCHEMA[name] + self._qualified(formatter, first)
        elif name in _NAMED:
            sql = _NAMED[name] + formatter.wrap(first)
            if name.startswith("dropSchema") and truthy(known(second)):
                sql += " cascade"
        elif name == "renameTable":
            sql = f"alter table {self._qualified(formatter, first)} rename to {formatter.wrap(second)}"
        elif name == "renameView":
            sql = f"alter view {formatter.wrap(first)} rename to {formatter.wrap(second)}"
        else:
            concurrently = " concurrently" if truthy(known(second)) else ""
            sql = f"refresh materialized view{concurrently} {formatter.wrap(first)}"
        return Compiled(sql, formatter.bindings, place)

    def _qualified(self, formatter: Formatter, name: Value) -> str:
        known(self.schema)
        return formatter.wrap(f"{text(self.schema)}.{text(name)}" if truthy(self.schema) else name)

    def _question(self, name: str, arguments: Sequence[Value], place: Place) -> Compiled:
        """`hasTable` and `hasColumn`: the session answers; the text is there for `toString()`."""
        asked = [at(arguments, index) for index in range(1 if name == "hasTable" else 2)]
        sql = "select * from information_schema.tables where table_name = ?"
        if name == "hasColumn":
            sql = "select * from information_schema.columns where table_name = ? and column_name = ?"
        bindings = list(asked)
        if truthy(self.schema):
            sql += " and table_schema = ?"
            bindings.append(self.schema)
        else:
            sql += " and table_schema = current_schema()"

        def ask(session: Session) -> Value:
            schema = self.schema if truthy(self.schema) else None
            for value in bindings:
                if isinstance(value, Unknown):
                    return because(f"{name} asks for a name that is not known", value, place)
            if not isinstance(schema, str | None) or not isinstance(asked[0], str):
                return Unknown(f"{name} asks for something that is no name", place)
            if name == "hasTable":
                return session.has_table(asked[0], schema)
            return session.has_column(asked[0], text(asked[1]), schema)

        return Compiled(sql, bindings, place, ask=ask)

    def _table(self, action: Action, arguments: Sequence[Value], place: Place) -> list[Statement]:
        name = at(arguments, 0)
        like = at(arguments, 1) if action == "create like" else UNDEFINED
        callback = at(arguments, 2 if action == "create like" else 1)
        builder = TableBuilder(action)
        compiler = TableCompiler(builder, name, like, self.schema, place)
        callbacks = current_callbacks()
        if isinstance(callback, Unknown):
            return [Unbuilt(callback, place, compiler.subject)]
        if not is_function(callback) and not truthy(like):
            raise thrown(
                "A callback function must be supplied to calls against `.createTable` and `.table`", "TypeError"
            )
        try:
            _run(callback, builder, place)
        except UnresolvableError as error:
            return [Unbuilt(error.unknown, place, compiler.subject)]
        finally:
            if callbacks is not None:
                callbacks.awaited = False
        return compiler.statements()

    def _view(self, action: ViewAction, arguments: Sequence[Value], place: Place) -> list[Statement]:
        callback = at(arguments, 1)
        builder = ViewBuilder(action)
        if isinstance(callback, Unknown):
            builder.unsupported = callback
            builder.changes.append(("rename", UNDEFINED, UNDEFINED, place))
        try:
            _run(callback, builder, place)
        except UnresolvableError as error:
            builder.unsupported = error.unknown
        return builder.statements(at(arguments, 0), self.schema, place)


def _run(callback: Value, builder: HostObject, place: Place) -> None:
    if isinstance(callback, HostObject) and is_function(callback):
        call_back(callback, builder, [builder], place)
