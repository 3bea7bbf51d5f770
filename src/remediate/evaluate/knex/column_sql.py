"""How a column is written: its type, its modifiers, and the statements that come with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from remediate.evaluate.knex.builder import Compiled, Statement, Unbuilt
from remediate.evaluate.knex.column import ColumnBuilder
from remediate.evaluate.knex.formatter import Formatter
from remediate.evaluate.knex.javascript import UnresolvableError, because, known, parse_int, stringify, text, truthy
from remediate.evaluate.knex.literals import escape
from remediate.evaluate.knex.method import at
from remediate.evaluate.knex.raw import RawBuilder
from remediate.evaluate.knex.session import thrown
from remediate.evaluate.values import UNDEFINED, HostObject, Value

if TYPE_CHECKING:
    from remediate.evaluate.knex.table_sql import TableCompiler

_SIMPLE_TYPES: Final = {
    "bigint": "bigint",
    "biginteger": "bigint",
    "binary": "bytea",
    "bool": "boolean",
    "date": "date",
    "double": "double precision",
    "floating": "real",
    "geography": "geography",
    "geometry": "geometry",
    "integer": "integer",
    "jsonb": "jsonb",
    "mediumint": "integer",
    "point": "point",
    "smallint": "smallint",
    "text": "text",
    "time": "time",
    "tinyint": "smallint",
}
_MODIFIERS: Final = [
    "nullable",
    "defaultTo",
    "comment",
    "check",
    "checkPositive",
    "checkNegative",
    "checkIn",
    "checkNotIn",
    "checkBetween",
    "checkLength",
    "checkRegex",
]


def default_clause(value: Value, kind: str) -> str:
    """`default …` as Knex writes it; JSON is not escaped there."""
    known(value)
    if value is UNDEFINED:
        return "default "
    if value is None:
        return "default null"
    if isinstance(value, RawBuilder):
        return f"default {value.to_query()}"
    if kind == "bool":
        return f"default '{1 if value != 'false' and truthy(value) else 0}'"
    if kind in ("json", "jsonb") and isinstance(value, list | dict):
        return f"default '{stringify(value)}'"
    return f"default {escape(text(value))}"


class ColumnCompiler:
    """Compiles one column. `additional` gathers the statements that follow those of the table."""

    def __init__(self, table: TableCompiler, column: ColumnBuilder) -> None:
        self.table = table
        self.column = column
        self.kind = column.kind
        self.formatter = Formatter(column.place)
        self.additional: list[Statement] = []
        self.checks = 0
        self._type: str | None = None

    @property
    def increments(self) -> bool:
        return "increments" in self.kind

    def definition(self) -> str:
        """Name, type and modifiers. Raises `UnresolvableError`."""
        if self.column.unsupported is not None:
            raise UnresolvableError(self.column.unsupported)
        name = self.wrapped_name()
        kind = self.type()
        return f"{name} {kind}{self._modifiers()}"

    def name(self) -> Value:
        """The name as given, `id` for increments without one."""
        name = known(self.column.name)
        if truthy(name):
            return name
        if not self.increments:
            raise thrown(f"You did not specify a column name for the {self.kind} column.")
        return "id"

    def wrapped_name(self) -> str:
        return self.formatter.wrap(self.name())

    def type(self) -> str:
        """The type, made once: a native enum sends a statement when it is made."""
        if self._type is None:
            self._type = self._make_type(self.column.arguments[1:])
        return self._type

    def _make_type(self, arguments: Sequence[Value]) -> str:
        first, second, kind = known(at(arguments, 0)), known(at(arguments, 1)), self.kind
        if kind in _SIMPLE_TYPES:
            return _SIMPLE_TYPES[kind]
        if kind == "json":
            return "jsonb" if truthy(first) else "json"
        if kind == "varchar":
            return f"varchar({text(parse_int(first, 255))})"
        if kind == "decimal":
            return "decimal" if first is None else f"decimal({text(parse_int(first, 8))}, {text(parse_int(second, 2))})"
        if kind in ("datetime", "timestamp"):
            return _timestamp(first, second)
        if kind in ("increments", "bigincrements"):
            serial = "serial" if kind == "increments" else "bigserial"
            options = {"primaryKey": True} if first is UNDEFINED else first
            return serial + self._primary_key(options)
        if kind == "uuid":
            return "uuid" + self._primary_key({} if first is UNDEFINED else first)
        if kind == "enu":
            return self._enum(first, second)
        if kind == "specifictype":
            return text(first)
        if kind == "bit":
            return _bit(first)
        # A type that Knex has for other databases only: it writes the word undefined.
        return "undefined"

    def _primary_key(self, options: Value) -> str:
        wanted = isinstance(options, dict) and truthy(known(options.get("primaryKey", UNDEFINED)))
        return " primary key" if wanted and not self.table.has_primary_keys() else ""

    def _enum(self, allowed: Value, given: Value) -> str:
        options: dict[str, Any] = given if isinstance(given, dict) else {}
        native = truthy(known(options.get("useNative", UNDEFINED)))
        existing = native and truthy(known(options.get("existingType", UNDEFINED)))
        values = ""
        if not existing:
            if not isinstance(allowed, list):
                raise thrown("Cannot read properties of undefined (reading 'join')", "TypeError")
            values = "', '".join("" if value is None or value is UNDEFINED else text(value) for value in allowed)
        if not native:
            return f"text check ({self.formatter.wrap(self.column.name)} in ('{values}'))"
        schema = known(options.get("schemaName", UNDEFINED))
        if not truthy(schema):
            schema = self.table.schema
        prefix = f'"{text(schema)}".' if truthy(schema) else ""
        name = f'{prefix}"{text(options.get("enumName", UNDEFINED))}"'
        if not existing:
            self.table.types.insert(0, Compiled(f"create type {name} as enum ('{values}')", [], self.column.place))
        return name

    def _modifiers(self) -> str:
        written = []
        for name in _MODIFIERS:
            if name not in self.column.modifiers or (self.increments and name != "comment"):
                continue
            if part := self._modifier(name, self.column.modifiers[name]):
                written.append(part)
        return f" {' '.join(written)}" if written else ""

    def _modifier(self, name: str, arguments: Sequence[Value]) -> str:
        if name == "defaultTo":
            return self._default(at(arguments, 0))
        first = known(at(arguments, 0))
        if name == "nullable":
            return "not null" if first is False else "null"
        if name == "comment":
            self._comment(first)
            return ""
        if name == "check":
            # Knex lets it be called and fails when it writes the column.
            raise thrown("Cannot read properties of undefined (reading 'apply')", "TypeError")
        column = self.wrapped_name()
        if name in ("checkPositive", "checkNegative"):
            return self._check(f"{column} {'>' if name == 'checkPositive' else '<'} 0", first)
        if name in ("checkIn", "checkNotIn"):
            values = ",".join(escape(value) for value in first) if isinstance(first, list) else ""
            return self._check(f"{column} {'not ' if name == 'checkNotIn' else ''}in ({values})", at(arguments, 1))
        if name == "checkBetween":
            return self._check(_between(column, first), at(arguments, 1))
        if name == "checkLength":
            length = parse_int(at(arguments, 1), UNDEFINED)
            operator = self.formatter.operator(first)
            return self._check(f"length({column}) {operator} {text(length)}", at(arguments, 2))
        return self._check(f"{column} ~ {escape(first)}", at(arguments, 1))

    def _default(self, value: Value) -> str:
        """A default that is not known leaves the rest of the table known."""
        try:
            return default_clause(value, self.kind)
        except UnresolvableError as error:
            unknown = because(f"the default of {text(self.name())}", error.unknown, self.column.place)
            subject = replace(self.table.subject, action="alter table") if self.table.subject else None
            self.additional.append(Unbuilt(unknown, self.column.place, subject))
            return ""

    def _comment(self, comment: Value) -> None:
        escaped = "NULL"
        if truthy(comment):
            escaped = "'" + re.sub(r"(?<!')'(?!')", "''", text(comment)) + "'"
        sql = f"comment on column {self.table.table_name()}.{self.wrapped_name()} is {escaped}"
        self.additional.append(Compiled(sql, [], self.column.place))

    def _check(self, predicate: str, name: Value) -> str:
        known(name)
        if not self.column.alters:
            return f"constraint {text(name)} check ({predicate})" if truthy(name) else f"check ({predicate})"
        if truthy(name):
            constraint = text(name)
        else:
            self.checks += 1
            constraint = f"{text(self.table.name)}_{text(self.name())}_{self.checks}"
        sql = f"alter table {self.table.table_name()} add constraint {constraint} check({predicate})"
        self.additional.append(Compiled(sql, [], self.column.place))
        return ""

    def unbuilt(self, error: UnresolvableError) -> Unbuilt:
        return Unbuilt(error.unknown, self.column.place, self.table.subject)


def _timestamp(first: Value, second: Value) -> str:
    precision = second
    zoned: Value = not truthy(first)
    if isinstance(first, dict):
        zoned, precision = known(first.get("useTz", UNDEFINED)), known(first.get("precision", UNDEFINED))
    elif isinstance(first, list | HostObject):
        zoned, precision = UNDEFINED, UNDEFINED
    suffix = "" if precision is None or precision is UNDEFINED else f"({text(precision)})"
    return ("timestamp" if zoned is False else "timestamptz") + suffix


def _bit(length: Value) -> str:
    size: Value = UNDEFINED
    if isinstance(length, dict):
        size = known(length.get("length", UNDEFINED))
    elif isinstance(length, str | list):
        size = len(length)
    return "bit" if size is False else f"bit({text(size)})"


def _between(column: str, intervals: Value) -> str:
    given: list[Value] = intervals if isinstance(intervals, list) else []
    if len(given) == 2 and not isinstance(given[0], list) and not isinstance(given[1], list):
        given = [given]
    written = []
    for interval in given:
        low, high = (at(interval, 0), at(interval, 1)) if isinstance(interval, list) else (UNDEFINED, UNDEFINED)
        written.append(f"{column} between {escape(known(low))} and {escape(known(high))}")
    return " or ".join(written)
