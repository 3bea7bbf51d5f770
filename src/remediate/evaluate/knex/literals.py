r"""Quoting as Knex does it for client `pg`: identifiers, literals and the places of bound values.

This mirrors Knex's `wrapIdentifier`, `_escapeBinding`, `formatQuery` and `positionBindings`, oddities included: a `?`
that has no value is sent as `$1`, `\?` is a plain question mark, and an identifier may end in an array subscript.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from remediate.evaluate.knex.javascript import UnresolvableError, number_text, stringify, text
from remediate.evaluate.values import UNDEFINED, Drawn, HostObject, Unknown, Value

_SUBSCRIPT = re.compile(r"(.*?)(\[[0-9]+\])")


def wrap_identifier(name: str) -> str:
    """One identifier in double quotes; `*` stays as it is."""
    if name == "*":
        return name
    subscript = ""
    if "[" in name and (found := _SUBSCRIPT.search(name)):
        name, subscript = found[1], found[2]
    return '"' + name.replace('"', '""') + '"' + subscript


def quote(value: str) -> str:
    """A string literal, in the `E''` form where a backslash is in it."""
    quoted = "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    return "E" + quoted if "\\" in value else quoted


def escape(value: Value) -> str:
    """Knex's `_escapeBinding`, for the values that Knex itself writes into the text. Raises `UnresolvableError`."""
    if value is None or value is UNDEFINED:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, list):
        return quote(_array(value))
    if isinstance(value, dict):
        return stringify(value)
    return quote(text(value))


def escape_binding(value: Value) -> str | Unknown:
    """A bound value as the literal that stands for it; an object is bound as its JSON."""
    if isinstance(value, Drawn):
        return escape(value.stand_in)
    try:
        if isinstance(value, dict):
            return quote(stringify(value))
        if isinstance(value, HostObject):
            return Unknown("an object whose text is not known is bound")
        return escape(value)
    except UnresolvableError as error:
        return error.unknown


def _array(values: Sequence[Value]) -> str:
    items = []
    for value in values:
        if value is None or value is UNDEFINED:
            items.append("NULL")
        elif isinstance(value, list):
            items.append(_array(value))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            items.append(number_text(value))
        else:
            items.append(stringify(value if isinstance(value, str) else escape(value)))
    return "{" + ",".join(items) + "}"


def format_query(sql: str, bindings: Sequence[Value]) -> str:
    """`toString()` of a query: values in the place of `?`, escapes undone. Raises `UnresolvableError`."""
    remaining = iter(bindings)

    def place(match: re.Match[str]) -> str:
        if match[0] == "\\?":
            return "?"
        for value in remaining:
            if isinstance(value, Unknown):
                raise UnresolvableError(value)
            return escape(value)
        return "?"

    return re.sub(r"\\?\?", place, sql)


def positioned(sql: str, replacements: Sequence[str]) -> str:
    """The text as it is sent: the n-th `?` becomes the n-th replacement, or `$n` when there is none.

    A text without `?` is returned as the same object, so that its origin can be told.
    """
    if "?" not in sql:
        return sql
    count = 0

    def place(match: re.Match[str]) -> str:
        nonlocal count
        if len(match[1]) % 2:
            return "?"
        count += 1
        return replacements[count - 1] if count <= len(replacements) else f"${count}"

    return re.sub(r"(\\*)\?", place, sql)


_DOLLAR_OR_QUOTED = re.compile(
    r"""\$(?P<number>\d+)
    | (?<![\w$])[eE]'(?:[^'\\]|''|\\.)*'
    | '(?:[^']|'')*'
    | "(?:[^"]|"")*"
    | (?<![\w$])\$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | --[^\n]*
    | /\*.*?\*/
    """,
    re.VERBOSE | re.DOTALL,
)


def inline_dollars(sql: str, literals: Sequence[str]) -> str:
    """Puts literals in the place of `$1`, `$2`, … outside quotes and comments; a number without literal stays."""

    def place(match: re.Match[str]) -> str:
        number = match["number"]
        if number is None or not 0 < int(number) <= len(literals):
            return match[0]
        return literals[int(number) - 1]

    return _DOLLAR_OR_QUOTED.sub(place, sql)
