"""The values that questions are computed with, and how node-postgres hands them to JavaScript.

Python stands for SQL as: NULL → None, boolean → bool, integers → int, numeric → Decimal, float8 → float, character
types → str, arrays → list, rows → `Record`, json → `Json`. The identity of a catalog object (its oid) is an `Oid`: two
of them can be compared and joined, but its number cannot be known. `Unknown` spreads as in `evaluate/values.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias

from remediate.evaluate.values import Unknown

Value: TypeAlias = Any
"""One SQL value, as the module says."""


@dataclass(frozen=True, slots=True)
class Oid:
    """What stands for the oid of an object: its kind ("class", "proc", "type", "namespace", …) and its key."""

    kind: str
    key: object

    def __str__(self) -> str:
        return f"the oid of {self.kind} {self.key}"


@dataclass(frozen=True, slots=True)
class Json:
    """A json or jsonb value that is known."""

    value: Any


class Deparsed(str):
    """An expression or definition as the server would deparse it, up to implicit casts and parentheses.

    It can be searched and printed; that it is not equal to another text cannot be told.
    """

    __slots__ = ()


class Placeholder(str):
    """Stands for a generated name with a number in it that only the server knows; equal to no name that one writes."""

    __slots__ = ()


class Record:
    """A row value; a name that occurs twice is found at its first place, as PostgreSQL's records do."""

    __slots__ = ("names", "types", "values")

    def __init__(self, names: tuple[str, ...], types: tuple[str, ...], values: tuple[Value, ...]) -> None:
        self.names = names
        self.types = types
        self.values = values

    def fields(self) -> Mapping[str, Value]:
        return dict(zip(reversed(self.names), reversed(self.values), strict=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self.values == other.values

    def __hash__(self) -> int:
        return hash(self.values)

    def __repr__(self) -> str:
        return f"Record({self.fields()})"


OID_TYPES: Final = frozenset({"oid", "regclass", "regtype", "regproc", "regprocedure", "regnamespace", "regrole"})
INTEGER_TYPES: Final = frozenset({"int2", "int4", "int8"})
NUMBER_TYPES: Final = INTEGER_TYPES | {"numeric", "float4", "float8", "oid"}
TEXT_TYPES: Final = frozenset({"text", "name", "varchar", "bpchar", "char", "unknown", "citext"})

# The element types whose arrays node-postgres parses (pg-types, lib/textParsers.js); others arrive as '{a,b}'.
_PARSED_ARRAYS: Final = frozenset(
    {"text", "varchar", "bpchar", "bool", "int2", "int4", "int8", "oid", "float4", "float8", "numeric", "uuid", "json"}
    | {"jsonb", "bytea", "date", "timestamp", "timestamptz", "interval", "point"}
)


def is_array(type_name: str) -> bool:
    return type_name.endswith("[]")


def element_type(type_name: str) -> str:
    return type_name[:-2] if is_array(type_name) else type_name


def to_text(value: Value, type_name: str = "text") -> str | Unknown | None:
    """The value as its type's output function writes it (with booleans as `t` and `f`); None for NULL."""
    if value is None or isinstance(value, Unknown):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, str):
        return value
    if isinstance(value, Oid):
        return Unknown(f"{value} is a number that only the server knows")
    if isinstance(value, list):
        return _array_text(value, element_type(type_name))
    if isinstance(value, Json):
        return json.dumps(value.value, ensure_ascii=False)
    if isinstance(value, Record):
        return _record_text(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def _array_text(values: list[Value], element: str) -> str | Unknown:
    parts: list[str] = []
    for value in values:
        if value is None:
            parts.append("NULL")
            continue
        text = to_text(value, element)
        if isinstance(text, Unknown):
            return text
        assert text is not None
        if isinstance(value, list):
            parts.append(text)
        elif text == "" or text.upper() == "NULL" or re.search(r'[{},"\\\s]', text):
            parts.append('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
        else:
            parts.append(text)
    return "{" + ",".join(parts) + "}"


def _record_text(record: Record) -> str | Unknown:
    parts: list[str] = []
    for value, type_name in zip(record.values, record.types, strict=True):
        text = to_text(value, type_name)
        if isinstance(text, Unknown):
            return text
        if text is None:
            parts.append("")
        elif text == "" or re.search(r'[(),"\\\s]', text):
            parts.append('"' + text.replace("\\", "\\\\").replace('"', '""') + '"')
        else:
            parts.append(text)
    return "(" + ",".join(parts) + ")"


def parse_array(text: str) -> list[str | None] | None:
    """The elements of a one-dimensional array literal such as `{a,"b c",NULL}`, or None if it is not one."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    inner = text[1:-1]
    if not inner.strip():
        return []
    elements: list[str | None] = []
    position = 0
    pattern = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,{}"]*))\s*(,|$)', re.S)
    while position <= len(inner):
        match = pattern.match(inner, position)
        if match is None:
            return None
        quoted, bare, separator = match.groups()
        if quoted is not None:
            elements.append(re.sub(r"\\(.)", r"\1", quoted, flags=re.S))
        else:
            bare = bare.strip()
            elements.append(None if bare.upper() == "NULL" else bare)
        position = match.end()
        if not separator:
            break
    return elements


def to_javascript(value: Value, type_name: str) -> Any:
    """The value as node-postgres hands it to JavaScript with its default type parsers.

    bigint and numeric arrive as strings, arrays of name as PostgreSQL's array text.
    """
    if value is None or isinstance(value, Unknown):
        return value
    if isinstance(value, Json):
        return value.value
    if isinstance(value, Placeholder):
        return Unknown(f"the name {value} has a number in it that only the server knows")
    if isinstance(value, str):
        return str(value)
    if is_array(type_name) and isinstance(value, list):
        element = element_type(type_name)
        if element not in _PARSED_ARRAYS:
            return to_text(value, type_name)
        return [to_javascript(item, element) for item in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if type_name in {"int2", "int4", "oid"} else str(value)
    if isinstance(value, float):
        return value
    return to_text(value, type_name)
