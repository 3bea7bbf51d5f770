"""`knex.raw`, `knex.ref` and `knex.fn`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from remediate.evaluate.knex.builder import Builder, Compiled, Statement, Unbuilt
from remediate.evaluate.knex.formatter import Formatter
from remediate.evaluate.knex.javascript import (
    UnresolvableError,
    because,
    keys,
    known,
    number_text,
    text,
    truthy,
    unresolvable,
)
from remediate.evaluate.knex.method import Scripted, at, js
from remediate.evaluate.knex.session import Session, thrown
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

_POSITIONAL = re.compile(r"\\?\?\??")
_NAMED = re.compile(r"\\?(:(\w+):(?=::)|:(\w+):(?!:)|:(\w+))", re.ASCII)


_READS = re.compile(r"\s*(?:select|with|show|values|explain)\b", re.IGNORECASE)


class RawBuilder(Builder):
    """SQL as written, with `?` (value), `??` (identifier), `:name` and `:name:` replaced."""

    form = "raw"

    def __init__(
        self,
        session: Session | None,
        transaction: str | None,
        place: Place,
        sql: Value = "",
        bindings: Value = UNDEFINED,
    ) -> None:
        super().__init__(session, transaction, place)
        self.sql = sql
        is_list = isinstance(bindings, list | dict | Unknown)
        self.raw_bindings = bindings if is_list or bindings is UNDEFINED else [bindings]
        self.before: Value = ""
        self.after: Value = ""

    @js("wrap")
    def wrap(self, arguments: Sequence[Value], place: Place) -> Value:
        self.before, self.after = at(arguments, 0), at(arguments, 1)
        return self

    def is_change(self) -> bool:
        return isinstance(self.sql, str) and _READS.match(self.sql) is None

    def statements(self) -> list[Statement]:
        try:
            return [self.compile_part([])]
        except UnresolvableError as error:
            return [Unbuilt(error.unknown, self.place)]

    def compile_part(self, bindings: list[Value], method: str | None = None) -> Compiled:
        formatter = Formatter(self.place)
        sql = self._source()
        if isinstance(self.raw_bindings, Unknown):
            sql = _unknown_bindings(sql, self.raw_bindings, formatter)
        elif isinstance(self.raw_bindings, list):
            sql = _positional(sql, self.raw_bindings, formatter)
        elif isinstance(self.raw_bindings, dict):
            sql = _named(sql, self.raw_bindings, formatter)
        if truthy(self.before):
            sql = text(self.before) + sql
        if truthy(self.after):
            sql += text(self.after)
        _refuse_undefined(formatter.bindings, self.raw_bindings, sql)
        return Compiled(sql, formatter.bindings, self.place, "raw", wants_rows=True)

    def _source(self) -> str:
        if isinstance(self.sql, HostObject) and not isinstance(self.sql, Builder):
            raise unresolvable("the text of the raw query is not known", self.place)
        if self.sql is UNDEFINED or self.sql is None:
            return ""
        return text(self.sql)


class Ref(RawBuilder):
    """`knex.ref("a.b").withSchema("s").as("c")`: an identifier where a value is expected."""

    schema: Value = None
    name: Value = None

    @js("withSchema")
    def with_schema(self, arguments: Sequence[Value], place: Place) -> Value:
        self.schema = at(arguments, 0)
        return self

    @js("as")
    def named(self, arguments: Sequence[Value], place: Place) -> Value:
        self.name = at(arguments, 0)
        return self

    def _source(self) -> str:
        target = f"{text(self.schema)}.{text(self.sql)}" if truthy(self.schema) else known(self.sql)
        written = Formatter(self.place).columnize(target)
        return f"{written} as {Formatter(self.place).wrap(self.name)}" if truthy(self.name) else written


class Functions(Scripted):
    """`knex.fn`."""

    @js("now")
    def now(self, arguments: Sequence[Value], place: Place) -> Value:
        precision = at(arguments, 0)
        if isinstance(precision, Unknown):
            return RawBuilder(None, None, place, precision)
        if isinstance(precision, int | float) and not isinstance(precision, bool):
            return RawBuilder(None, None, place, f"CURRENT_TIMESTAMP({number_text(precision)})")
        return RawBuilder(None, None, place, "CURRENT_TIMESTAMP")

    @js("uuid")
    def uuid(self, arguments: Sequence[Value], place: Place) -> Value:
        return RawBuilder(None, None, place, "(gen_random_uuid())")


def _positional(sql: str, values: Sequence[Value], formatter: Formatter) -> str:
    used = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal used
        if match[0] == "\\?":
            return match[0]
        value = at(values, used)
        used += 1
        return formatter.columnize(value) if match[0] == "??" else formatter.parameter(value)

    if values or "?" in sql:
        sql = _POSITIONAL.sub(replace, sql)
    if used != len(values):
        raise thrown(f"Expected {len(values)} bindings, saw {used}")
    return sql


def _named(sql: str, values: dict[str, Value], formatter: Formatter) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[0] != match[1]:
            return match[1]
        name = match[2] or match[3] or match[4]
        value = values.get(name, UNDEFINED)
        if value is UNDEFINED:
            if name in values:
                formatter.bindings.append(value)
            return match[0]
        return formatter.columnize(value) if match[0].endswith(":") else formatter.parameter(value)

    return _NAMED.sub(replace, sql)


def _unknown_bindings(sql: str, bindings: Unknown, formatter: Formatter) -> str:
    """With bindings that are not known, the text is known only where nothing but values can stand."""
    if "??" in sql or "?" not in sql:
        raise UnresolvableError(because("the bindings are not known", bindings))
    formatter.bindings.extend(bindings for _ in re.findall(r"(?<!\\)\?", sql))
    return sql


def _refuse_undefined(bindings: Sequence[Value], given: Value, sql: str) -> None:
    if not contains_undefined(list(bindings)):
        return
    named: list[str] = []
    if isinstance(given, list):
        named = [str(index) for index, value in enumerate(given) if contains_undefined(value)]
    elif isinstance(given, dict):
        named = [key for key in keys(given) if contains_undefined(given[key])]
    raise thrown(f"Undefined binding(s) detected for keys [{','.join(named)}] when compiling RAW query: {sql}")


def contains_undefined(value: Value) -> bool:
    """Whether undefined is anywhere in a value that is to be bound."""
    if isinstance(value, list):
        return any(contains_undefined(item) for item in value)
    if isinstance(value, dict):
        return any(contains_undefined(item) for item in value.values())
    return value is UNDEFINED
