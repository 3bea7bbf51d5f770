"""How Knex writes identifiers, operators and values into a query, and collects the values that are bound."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from remediate.evaluate.knex.javascript import UnresolvableError, because, keys, known, stringify, text, truthy
from remediate.evaluate.knex.literals import wrap_identifier
from remediate.evaluate.knex.method import call_back, is_function
from remediate.evaluate.knex.session import thrown
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

if TYPE_CHECKING:
    from remediate.evaluate.knex.builder import Compiled

_ALIAS = re.compile(" as ", re.IGNORECASE | re.ASCII)
_OPERATORS: Final = (
    {
        operator: operator
        for operator in [
            "=",
            "<",
            ">",
            "<=",
            "<=>",
            ">=",
            "<>",
            "!=",
            "&",
            "|",
            "^",
            "<<",
            ">>",
            "~",
            "~=",
            "~*",
            "!~",
            "!~*",
            "#",
            "&&",
            "@>",
            "<@",
            "||",
            "&<",
            "&>",
            "-|-",
            "@@",
            "!!",
            "like",
            "ilike",
            "between",
            "exists",
            "rlike",
            "regexp",
            "match",
        ]
    }
    | {
        operator: operator
        for operator in (
            [
                "not like",
                "not ilike",
                "not between",
                "not exist",
                "not rlike",
                "not regexp",
                "similar to",
                "not similar to",
            ]
        )
    }
    | {"?": "\\?", "?|": "\\?|", "?&": "\\?&"}
)


def as_identifier(value: Value) -> str:
    """One identifier, trimmed and quoted, not split at dots."""
    return wrap_identifier(text(value).strip() if truthy(value) else "")


def alias(first: str, second: str) -> str:
    return f"{first} as {second}"


class Formatter:
    """Writes parts of one query. `bindings` is shared with whatever else is part of the same query."""

    def __init__(self, place: Place, bindings: list[Value] | None = None) -> None:
        self.place = place
        self.bindings: list[Value] = [] if bindings is None else bindings

    def columnize(self, target: Value) -> str:
        """A column or a list of columns."""
        if isinstance(target, list):
            return ", ".join(self.wrap(item) for item in target)
        return self.wrap(target)

    def wrap(self, value: Value, *, parameter: bool = False) -> str:
        """An identifier (`schema.table as alias`), raw, sub-query or `{alias: identifier}`."""
        known(value)
        raw = self._unwrap(value)
        if raw is not None:
            return output(raw, parameter=parameter)
        if isinstance(value, HostObject) and is_function(value):
            return output(self.callback(value), parameter=True)
        if isinstance(value, list):
            return self._aliases({str(index): item for index, item in enumerate(value)})
        if isinstance(value, dict):
            return self._aliases(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return text(value)
        if value is None:
            return ""
        return self.wrap_string(text(value))

    def wrap_string(self, value: str) -> str:
        """`a.b as c`, each part quoted."""
        if found := _ALIAS.search(value):
            return alias(self.wrap_string(value[: found.start()]), as_identifier(value[found.end() :]))
        first, *rest = value.split(".")
        if not rest:
            return as_identifier(first)
        return ".".join([self.wrap_string(first.strip()), *map(as_identifier, rest)])

    def parameter(self, value: Value) -> str:
        """A bound value, or the sub-query or raw that stands in its place."""
        from remediate.evaluate.knex.builder import Builder

        if isinstance(value, HostObject) and not isinstance(value, Builder) and is_function(value):
            return output(self.callback(value), parameter=True)
        raw = self._unwrap(value)
        if raw is not None:
            return output(raw, parameter=True) or "?"
        self.bindings.append(value)
        return "?"

    def parameterize(self, values: Value, not_set: Value = UNDEFINED) -> str:
        """A list of bound values; a plain object is bound as its JSON."""
        from remediate.evaluate.knex.builder import Builder

        if isinstance(values, HostObject) and not isinstance(values, Builder) and is_function(values):
            return self.parameter(values)
        written = []
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, dict):
                written.append(self.parameter(_json_or_unknown(value, self.place)))
            else:
                written.append(self.parameter(not_set if value is UNDEFINED else value))
        return ", ".join(written)

    def values(self, values: Value) -> str:
        """The right side of `in`."""
        from remediate.evaluate.knex.raw import RawBuilder

        if isinstance(values, Unknown):
            raise UnresolvableError(because("the list of values is not known", values, self.place))
        if isinstance(values, list):
            if values and isinstance(values[0], list):
                return "(" + ", ".join(f"({self.parameterize(value)})" for value in values) + ")"
            return f"({self.parameterize(values)})"
        if isinstance(values, RawBuilder):
            return f"({self.parameter(values)})"
        return self.parameter(values)

    def operator(self, value: Value) -> str:
        raw = self._unwrap(known(value))
        if raw is not None and raw.sql:
            return output(raw)
        found = _OPERATORS.get(text(value).lower() if truthy(value) else "")
        if found is None:
            raise thrown(f'The operator "{text(value)}" is not permitted', "TypeError")
        return found

    def direction(self, value: Value) -> str:
        raw = self._unwrap(known(value))
        if raw is not None and raw.sql:
            return output(raw)
        return text(value) if truthy(value) and text(value).lower() in ("asc", "desc") else "asc"

    def raw_or_callback(self, value: Value, method: str | None = None) -> str:
        """A raw, a query or a callback, without parentheses of its own; else nothing."""
        from remediate.evaluate.knex.builder import Builder

        known(value)
        if isinstance(value, HostObject) and not isinstance(value, Builder) and is_function(value):
            return output(self.callback(value, method))
        return self.unwrap(value)

    def unwrap(self, value: Value) -> str:
        """The text of a raw or a query, its bindings taken over; nothing for anything else."""
        raw = self._unwrap(known(value))
        return "" if raw is None else output(raw)

    def callback(self, function: HostObject, method: str | None = None) -> Compiled:
        """Lets a callback fill a new query builder, and compiles what it built."""
        # A query is made of queries: the builder can only be imported when it is needed.
        from remediate.evaluate.knex.query import QueryBuilder

        builder = QueryBuilder(None, None, self.place)
        call_back(function, builder, [builder], self.place)
        return builder.compile_part(self.bindings, method)

    def _unwrap(self, value: Value) -> Compiled | None:
        from remediate.evaluate.knex.builder import Builder

        if not isinstance(value, Builder):
            return None
        compiled = value.compile_part([])
        self.bindings.extend(compiled.bindings)
        return compiled

    def _aliases(self, names: dict[str, Value]) -> str:
        from remediate.evaluate.knex.query import QueryBuilder

        written = []
        for name in keys(names):
            value = names[name]
            if isinstance(value, QueryBuilder):
                written.append(alias(f"({self.wrap(value)})", as_identifier(name)))
            elif isinstance(value, HostObject) and is_function(value):
                compiled = self.callback(value)
                compiled.alias = name
                written.append(output(compiled, parameter=True))
            else:
                written.append(alias(self.wrap(value), as_identifier(name)))
        return ", ".join(written)


def output(compiled: Compiled, *, parameter: bool = False) -> str:
    """Puts a select in parentheses where it is a part of another query, with its alias."""
    sql = compiled.sql
    if sql and compiled.method in ("select", "first") and (parameter or truthy(compiled.alias)):
        sql = f"({sql})"
        if truthy(compiled.alias):
            return alias(sql, Formatter(compiled.place).wrap_string(text(compiled.alias)))
    return sql


def _json_or_unknown(value: dict[str, Value], place: Place) -> Value:
    try:
        return stringify(value)
    except Exception as error:
        return getattr(error, "unknown", Unknown("its JSON is not known", place))
