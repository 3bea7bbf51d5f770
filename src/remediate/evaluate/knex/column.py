"""What `t.string("name")` gives: the column builder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediate.evaluate.knex.javascript import type_of
from remediate.evaluate.knex.method import Method, Scripted, at, js
from remediate.evaluate.knex.session import thrown
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

if TYPE_CHECKING:
    from remediate.evaluate.knex.table import TableBuilder

COLUMN_TYPES: Final = frozenset(
    [
        "tinyint",
        "smallint",
        "mediumint",
        "int",
        "bigint",
        "decimal",
        "float",
        "double",
        "real",
        "bit",
        "boolean",
        "serial",
        "date",
        "datetime",
        "timestamp",
        "time",
        "year",
        "geometry",
        "geography",
        "point",
        "char",
        "varchar",
        "tinytext",
        "tinyText",
        "text",
        "mediumtext",
        "mediumText",
        "longtext",
        "longText",
        "binary",
        "varbinary",
        "tinyblob",
        "tinyBlob",
        "mediumblob",
        "mediumBlob",
        "blob",
        "longblob",
        "longBlob",
        "enum",
        "set",
        "bool",
        "dateTime",
        "increments",
        "bigincrements",
        "bigIncrements",
        "integer",
        "biginteger",
        "bigInteger",
        "string",
        "json",
        "jsonb",
        "uuid",
        "enu",
        "specificType",
    ]
)
_ALIASES: Final = {"float": "floating", "enum": "enu", "boolean": "bool", "string": "varchar", "bigint": "bigInteger"}
_MODIFIERS: Final = {
    name: {"default": "defaultTo", "defaultsTo": "defaultTo"}.get(name, name)
    for name in [
        "default",
        "defaultsTo",
        "defaultTo",
        "unsigned",
        "nullable",
        "first",
        "after",
        "comment",
        "collate",
        "check",
        "checkPositive",
        "checkNegative",
        "checkIn",
        "checkNotIn",
        "checkBetween",
        "checkLength",
        "checkRegex",
    ]
}


@dataclass(eq=False)
class ForeignKey(HostObject):
    """A foreign key while its chain is being called."""

    columns: Value
    name: Value = UNDEFINED
    references: Value = UNDEFINED
    table: Value = UNDEFINED
    on_update: Value = UNDEFINED
    on_delete: Value = UNDEFINED
    deferrable: Value = UNDEFINED


class ForeignChain(Scripted):
    """`t.foreign(…)`; for a column, the calls come back to its column builder (`owner`)."""

    def __init__(self, key: ForeignKey, owner: Value = None) -> None:
        self.key = key
        self.owner: Value = self if owner is None else owner

    def missing(self, name: str, place: Place) -> Value:
        return UNDEFINED

    @js("references")
    def references(self, arguments: Sequence[Value], place: Place) -> Value:
        target = at(arguments, 0)
        pieces = target.split(".") if isinstance(target, str) else []
        if len(pieces) < 2:
            self.key.references = target
            return ForeignTable(self)
        self.key.table, self.key.references = pieces[0], pieces[1]
        return self.owner

    @js("withKeyName")
    def with_key_name(self, arguments: Sequence[Value], place: Place) -> Value:
        self.key.name = at(arguments, 0)
        return self.owner

    @js("onUpdate")
    def on_update(self, arguments: Sequence[Value], place: Place) -> Value:
        self.key.on_update = at(arguments, 0)
        return self.owner

    @js("onDelete")
    def on_delete(self, arguments: Sequence[Value], place: Place) -> Value:
        self.key.on_delete = at(arguments, 0)
        return self.owner

    @js("deferrable")
    def deferrable(self, arguments: Sequence[Value], place: Place) -> Value:
        self.key.deferrable = at(arguments, 0)
        return self.owner


class ForeignTable(Scripted):
    """What `references("column")` gives: nothing but the table can follow."""

    def __init__(self, chain: ForeignChain) -> None:
        self.chain = chain

    def missing(self, name: str, place: Place) -> Value:
        return UNDEFINED

    @js("on", "inTable")
    def on(self, arguments: Sequence[Value], place: Place) -> Value:
        table = at(arguments, 0)
        if not isinstance(table, str | Unknown):
            raise thrown(f"Expected tableName to be a string, got: {type_of(table)}", "TypeError")
        self.chain.key.table = table
        return self.chain.owner


class ColumnBuilder(Scripted):
    """One column and its modifiers. A modifier that is called twice counts once, with its last arguments."""

    def __init__(self, table: TableBuilder, name: str, arguments: Sequence[Value], place: Place) -> None:
        self.table = table
        self.kind = _ALIASES.get(name, name).lower()
        self.arguments = list(arguments)
        self.place = place
        self.modifiers: dict[str, list[Value]] = {}
        self.alters = False
        self.alter_nullable: Value = True
        self.alter_type: Value = True
        self.foreign: ForeignChain | None = None
        self.unsupported: Unknown | None = None

    @property
    def name(self) -> Value:
        """The column's name as it was given."""
        return at(self.arguments, 0)

    def missing(self, name: str, place: Place) -> Value:
        if name in _MODIFIERS:
            return Method(name, lambda arguments, _: self._modify(_MODIFIERS[name], arguments))
        if name in ("alter", "drop", "alterType"):
            if self.table.action != "alter":
                return UNDEFINED
            return Method(name, self._alter if name == "alter" else lambda _, __: self)
        if name in ForeignChain.methods:
            return UNDEFINED if self.foreign is None else self.foreign.get(name, place)
        if name in ("on", "inTable", "then", "catch"):
            return UNDEFINED
        return Method(name, lambda _, at: self._poison(name, at))

    def _modify(self, name: str, arguments: Sequence[Value]) -> Value:
        self.modifiers[name] = list(arguments)
        return self

    def _poison(self, name: str, place: Place) -> Value:
        self.unsupported = self.unsupported or Unknown(f"Knex method {name} of a column is not supported", place)
        return self

    def _alter(self, arguments: Sequence[Value], place: Place) -> Value:
        options = at(arguments, 0)
        if isinstance(options, Unknown):
            self.unsupported = options
        chosen = options if isinstance(options, dict) else {}
        self.alters = True
        self.alter_nullable = _or_true(chosen.get("alterNullable", UNDEFINED))
        self.alter_type = _or_true(chosen.get("alterType", UNDEFINED))
        return self

    @js("notNull", "notNullable")
    def not_nullable(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._modify("nullable", [False])

    @js("queryContext")
    def query_context(self, arguments: Sequence[Value], place: Place) -> Value:
        return self

    @js("references")
    def references(self, arguments: Sequence[Value], place: Place) -> Value:
        if self.foreign is None:
            key = ForeignKey(self.name)
            self.table.add("foreign", [key], place)
            self.foreign = ForeignChain(key, self)
        return self.foreign.references(arguments, place)

    @js("index")
    def index(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._constrain("index", arguments, place)

    @js("primary")
    def primary(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._constrain("primary", arguments, place)

    @js("unique")
    def unique(self, arguments: Sequence[Value], place: Place) -> Value:
        return self._constrain("unique", arguments, place)

    def _constrain(self, method: str, arguments: Sequence[Value], place: Place) -> Value:
        if "increments" not in self.kind:
            self.table.add(method, [self.name, *arguments], place)
        return self


def _or_true(value: Value) -> Value:
    return True if value is UNDEFINED else value
