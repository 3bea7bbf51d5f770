"""Casts between the types that questions are asked in."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from remediate.evaluate.values import Unknown
from remediate.replay.catalog import QName
from remediate.replay.questions.errors import Refused
from remediate.replay.questions.operators import text_of
from remediate.replay.questions.session import Session, split_identifier
from remediate.replay.questions.values import (
    INTEGER_TYPES,
    OID_TYPES,
    TEXT_TYPES,
    Json,
    Oid,
    Value,
    element_type,
    is_array,
    parse_array,
    to_text,
)
from remediate.sql.literals import boolean

_RANGES = {"int2": 1 << 15, "int4": 1 << 31, "int8": 1 << 63}
_UUID = re.compile(r"(?:[0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}")
_MOMENTS = frozenset({"date", "time", "timetz", "timestamp", "timestamptz", "interval"})


def type_of_node(node: Any, session: Session) -> str:
    """The name of the type of a TypeName: the typname of a built-in type, `schema.name` of another one.

    Raises `Refused` 42704 where there is no such type.
    """
    parts = [part.string.sval for part in node.names]
    name, schema = parts[-1], parts[-2] if len(parts) > 1 else None
    spelled = ".".join('"' + part.replace('"', '""') + '"' for part in parts)
    found = session.find_type(name) if schema in (None, "pg_catalog") and name.isalnum() and name.islower() else None
    found = found or session.find_type(spelled)
    if found is None:
        raise Refused("42704", f'type "{".".join(parts)}" does not exist')
    text = named_type(found)
    return f"{text}[]" if node.array_bounds and not is_array(text) else text


def named_type(name: QName) -> str:
    if name.name.startswith("_") and len(name.name) > 1:
        return named_type(QName(name.schema, name.name[1:])) + "[]"
    return name.name if name.schema == "pg_catalog" else str(name)


def type_of_spelling(spelled: str, session: Session) -> str:
    """The name of a type that the catalog spells as format_type does; what is not known keeps its spelling."""
    found = session.find_type(spelled)
    return named_type(found) if found else spelled


def cast(value: Value, source: str, target: str, session: Session) -> Value:
    """`value::target`. Raises `Refused` where PostgreSQL would."""
    if value is None or isinstance(value, Unknown) or source == target:
        return value
    if is_array(target):
        return _to_array(value, source, target, session)
    if target in ("text", "varchar", "bpchar", "name", "char", "citext", "unknown"):
        text = session.spell_oid(value) if isinstance(value, Oid) and source != "oid" else text_of(value, source)
        return text[:63] if target == "name" and type(text) is str else text
    if target in OID_TYPES:
        return _to_oid(value, source, target, session)
    if target in INTEGER_TYPES:
        return _to_integer(value, target)
    if target == "bool":
        return _to_bool(value)
    if target == "numeric":
        return value if isinstance(value, Decimal) else _to_decimal(value)
    if target in ("float4", "float8"):
        number = _to_decimal(value)
        return float(number) if isinstance(number, Decimal) else number
    if target in ("json", "jsonb"):
        if isinstance(value, str):
            try:
                return Json(json.loads(value))
            except ValueError as error:
                raise Refused("22P02", f"invalid input syntax for type {target}") from error
        return value if isinstance(value, Json) else Unknown(f"a cast to {target}")
    if target == "uuid" and type(value) is str:
        return _to_uuid(value)
    if target in _MOMENTS:
        return Unknown(f"computes with a {target}")
    if isinstance(value, str) and "." in target:
        return _to_user_type(value, target, session)
    return value


def _to_uuid(text: str) -> str:
    """As uuid_out writes it; hyphens may stand after any four digits, and braces around it (uuid.c)."""
    digits = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    plain = digits.replace("-", "").lower()
    if not _UUID.fullmatch(digits):
        raise Refused("22P02", f'invalid input syntax for type uuid: "{text}"')
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))


def _to_user_type(value: str, target: str, session: Session) -> Value:
    schema, _, name = target.partition(".")
    made = session.reader.types.get(QName(schema, name))
    if made is not None and made.kind == "enum" and value not in made.labels:
        raise Refused("22P02", f'invalid input value for enum {name}: "{value}"')
    return value


def _to_array(value: Value, source: str, target: str, session: Session) -> Value:
    element = element_type(target)
    if isinstance(value, list):
        return [cast(item, element_type(source), element, session) for item in value]
    if isinstance(value, str):
        items = parse_array(value)
        if items is None:
            if "{{" in value:
                return Unknown("an array of arrays")
            raise Refused("22P02", f'malformed array literal: "{value}"')
        return [cast(item, "unknown", element, session) for item in items]
    return Unknown(f"a cast to {target}")


def _to_oid(value: Value, source: str, target: str, session: Session) -> Value:
    if isinstance(value, Oid | int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return Unknown(f"a cast to {target}")
    if value.isdigit():
        return int(value)
    if target == "regclass":
        found = session.class_oid(value)
        if found is None:
            raise Refused("42P01", f'relation "{".".join(split_identifier(value) or [value])}" does not exist')
        return found
    if target == "regtype":
        name = session.find_type(value)
        if name is None:
            raise Refused("42704", f'type "{value}" does not exist')
        return Oid("type", name)
    if target == "regnamespace":
        parts = split_identifier(value) or [value]
        if parts[0] not in session.reader.schemas and not parts[0].startswith(("pg_", "information_schema")):
            raise Refused("3F000", f'schema "{parts[0]}" does not exist')
        return Oid("namespace", parts[0])
    if target == "regrole":
        return Oid("role", (split_identifier(value) or [value])[0])
    if target in ("regproc", "regprocedure"):
        oid = find_procedure(value, session, with_arguments=target == "regprocedure")
        if oid is None:
            raise Refused("42883", f'function "{value}" does not exist')
        return oid
    raise Refused("22P02", f'invalid input syntax for type oid: "{value}"')


def find_procedure(text: str, session: Session, *, with_arguments: bool) -> Value:
    """What to_regproc or to_regprocedure finds: an `Oid`, None, or `Unknown` for what the server itself has."""
    name, parenthesis, rest = text.partition("(")
    if with_arguments and not parenthesis:
        raise Refused("22P02", "expected a left parenthesis")
    parts = split_identifier(name)
    if parts is None or len(parts) > 2:
        return None
    found = session.reader.find_functions(parts[-1], parts[0] if len(parts) == 2 else None)
    if not with_arguments:
        return Oid("proc", (found[0].name, found[0].argument_types)) if len(found) == 1 else None
    types = [session.find_type(item) for item in rest.rstrip().removesuffix(")").split(",") if item.strip()]
    for function in found:
        if [session.find_type(spelled) for spelled in function.argument_types] == types:
            return Oid("proc", (function.name, function.argument_types))
    return None


def _to_integer(value: Value, target: str) -> Value:
    if isinstance(value, Oid):
        return Unknown(f"{value} is a number that only the server knows")
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        try:
            number = int(value.strip(), 0) if not value.strip().lstrip("+-").startswith("0") else int(value)
        except ValueError as error:
            raise Refused("22P02", f'invalid input syntax for type {_spelled(target)}: "{value}"') from error
    elif isinstance(value, int):
        number = value
    elif isinstance(value, float | Decimal):
        # numeric rounds half away from zero, float8 half to even.
        number = round(value) if isinstance(value, float) else int(value.to_integral_value("ROUND_HALF_UP"))
    else:
        return Unknown(f"a cast to {target}")
    if not -_RANGES[target] <= number < _RANGES[target]:
        raise Refused("22003", f"{_spelled(target)} out of range")
    return number


def _spelled(target: str) -> str:
    return {"int2": "smallint", "int4": "integer", "int8": "bigint"}[target]


def _to_bool(value: Value) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value != 0
    if isinstance(value, str):
        known = boolean(value)
        if known is None:
            raise Refused("22P02", f'invalid input syntax for type boolean: "{value}"')
        return known == "true"
    return Unknown("a cast to boolean")


def _to_decimal(value: Value) -> Value:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return Unknown("a cast to numeric")
    try:
        return Decimal(str(value).strip())
    except InvalidOperation as error:
        raise Refused("22P02", f'invalid input syntax for type numeric: "{value}"') from error


def common_type(types: list[str]) -> str:
    """The type of CASE, COALESCE, arrays and VALUES over these (select_common_type, as far as it matters here)."""
    known = [name for name in types if name not in ("unknown", "null")]
    if not known:
        return "text"
    if any(name in TEXT_TYPES for name in known):
        return next((name for name in known if name == "text"), known[0])
    for name in ("float8", "numeric", "int8"):
        if name in known:
            return name
    return known[0]


__all__ = ["cast", "common_type", "find_procedure", "named_type", "to_text", "type_of_node", "type_of_spelling"]
