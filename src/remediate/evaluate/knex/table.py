"""What the callback of `createTable` and `alterTable` gets: the table builder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from remediate.evaluate.knex.callbacks import current_callbacks
from remediate.evaluate.knex.column import COLUMN_TYPES, ColumnBuilder, ForeignChain, ForeignKey
from remediate.evaluate.knex.javascript import text, truthy
from remediate.evaluate.knex.method import Method, Scripted, at, js
from remediate.evaluate.knex.raw import RawBuilder
from remediate.evaluate.knex.session import thrown
from remediate.evaluate.values import UNDEFINED, Unknown, Value
from remediate.source.place import Place

Action: TypeAlias = Literal["create", "create if not exists", "create like", "alter"]

_KEYS: Final = frozenset(
    [
        "index",
        "primary",
        "unique",
        "dropPrimary",
        "dropPrimaryIfExists",
        "dropUnique",
        "dropUniqueIfExists",
        "dropIndex",
        "dropForeign",
        "dropForeignIfExists",
    ]
)
_ALTER_ONLY: Final = frozenset(["renameColumn", "setNullable", "dropNullable"])


@dataclass
class TableCall:
    """A call on the table builder that becomes a statement after the table's own."""

    method: str
    arguments: list[Value]
    place: Place


class TableBuilder(Scripted):
    """Gathers columns and calls until the callback is done."""

    def __init__(self, action: Action) -> None:
        self.action = action
        self.columns: list[ColumnBuilder] = []
        self.calls: list[TableCall] = []
        self.checks: list[TableCall] = []
        self.table_comment: tuple[Value, Place] | None = None
        self.inherited: Value = UNDEFINED

    @property
    def closed(self) -> bool:
        """Whether Knex has gone on already: what its callback does after an `await` comes too late."""
        callbacks = current_callbacks()
        return callbacks is not None and callbacks.awaited

    def add(self, method: str, arguments: Sequence[Value], place: Place) -> None:
        """Notes a call in its order."""
        if self.closed:
            return
        self.calls.append(TableCall(method, list(arguments), place))

    def missing(self, name: str, place: Place) -> Value:
        if name in COLUMN_TYPES:
            return Method(name, lambda arguments, at: self._column(name, arguments, at))
        if name in _KEYS or (name in _ALTER_ONLY and self.action == "alter"):
            return Method(name, lambda arguments, at: self._call(name, arguments, at))
        if name in ("engine", "charset", "collate"):
            return Method(name, lambda _, __: self._mysql_only(name))
        if name in _ALTER_ONLY or name in ("then", "catch"):
            return UNDEFINED
        return Method(name, lambda _, at: self._unsupported(name, at))

    def _column(self, name: str, arguments: Sequence[Value], place: Place) -> ColumnBuilder:
        column = ColumnBuilder(self, name, arguments, place)
        if not self.closed:
            self.columns.append(column)
        return column

    def _call(self, name: str, arguments: Sequence[Value], place: Place) -> Value:
        self.add(name, arguments, place)
        return self

    def _unsupported(self, name: str, place: Place) -> Value:
        unknown = Unknown(f"Knex method {name} of a table is not supported", place)
        self.add("unsupported", [unknown], place)
        return unknown

    @js("foreign")
    def foreign(self, arguments: Sequence[Value], place: Place) -> Value:
        key = ForeignKey(at(arguments, 0), at(arguments, 1))
        self.add("foreign", [key], place)
        return ForeignChain(key)

    @js("timestamps")
    def timestamps(self, arguments: Sequence[Value], place: Place) -> Value:
        options = at(arguments, 0)
        if isinstance(options, dict):
            keys = ("useTimestamps", "defaultToNow", "useCamelCase")
            arguments = [options.get(key, UNDEFINED) for key in keys]
        default_to_now, camel_case = at(arguments, 1), at(arguments, 2)
        for option in (default_to_now, camel_case):
            if isinstance(option, Unknown):
                self.add("unsupported", [option], place)
                return UNDEFINED
        for name in ("createdAt", "updatedAt") if truthy(camel_case) else ("created_at", "updated_at"):
            column = self._column("timestamp", [name], place)
            if default_to_now is True:
                column.modifiers["nullable"] = [False]
                column.modifiers["defaultTo"] = [RawBuilder(None, None, place, "CURRENT_TIMESTAMP")]
        return UNDEFINED

    @js("comment")
    def comment(self, arguments: Sequence[Value], place: Place) -> Value:
        comment = at(arguments, 0)
        if not isinstance(comment, str | Unknown):
            raise thrown("Table comment must be string", "TypeError")
        self.table_comment = (comment, place)
        return UNDEFINED

    @js("inherits")
    def inherits(self, arguments: Sequence[Value], place: Place) -> Value:
        if self.action == "alter":
            raise thrown(
                "Knex does not support altering the inherits outside of create table, please use knex.raw statement."
            )
        self.inherited = at(arguments, 0)
        return UNDEFINED

    def _mysql_only(self, name: str) -> Value:
        raise thrown(f"Knex only supports {name} statement with mysql.")

    @js("queryContext")
    def query_context(self, arguments: Sequence[Value], place: Place) -> Value:
        return self

    @js("check")
    def check(self, arguments: Sequence[Value], place: Place) -> Value:
        if self.action == "alter":
            self.add("check", arguments, place)
            return UNDEFINED
        self.checks.append(TableCall("check", list(arguments), place))
        return self

    @js("dropChecks")
    def drop_checks(self, arguments: Sequence[Value], place: Place) -> Value:
        self.add("dropChecks", arguments, place)
        return UNDEFINED

    @js("dropColumn", "dropColumns")
    def drop_column(self, arguments: Sequence[Value], place: Place) -> Value:
        self.add("dropColumn", arguments, place)
        return self

    @js("dropTimestamps")
    def drop_timestamps(self, arguments: Sequence[Value], place: Place) -> Value:
        camel_case = at(arguments, 0) is True
        names = ["createdAt", "updatedAt"] if camel_case else ["created_at", "updated_at"]
        return self.drop_column([names], place)

    def get(self, name: str, place: Place) -> Value:
        if self.action != "alter" and name in ("dropChecks", "dropColumn", "dropColumns", "dropTimestamps"):
            return UNDEFINED
        return super().get(name, place)


def index_name(table: Value, columns: Value, suffix: str) -> str:
    """The name that Knex gives to an index or constraint without one. PostgreSQL keeps 63 bytes of it."""
    listed = columns if isinstance(columns, list) else ([columns] if truthy(columns) else [])
    names = "_".join("" if name is None or name is UNDEFINED else text(name) for name in listed)
    prefix = text(table).replace(".", "_").replace("-", "_")
    return f"{prefix}_{names}_{suffix}".lower()
