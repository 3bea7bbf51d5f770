"""Type names as `format_type` spells them (utils/adt/format_type.c), from the parser's TypeName."""

from __future__ import annotations

import re
from typing import Final

from remediate.sql.builtins import builtins
from remediate.sql.lookup import Lookup
from remediate.sql.parse import Node
from remediate.sql.quote import quote_identifier

SERIALS: Final = {
    "serial": "integer",
    "serial4": "integer",
    "bigserial": "bigint",
    "serial8": "bigint",
    "smallserial": "smallint",
    "serial2": "smallint",
}
"""parse_utilcmd.c transformColumnDefinition: no types, but an integer column with a sequence of its own."""

TEXT_LIKE: Final = frozenset({"text", "character varying", "character", "bpchar", "name", "unknown", "citext"})

INTEGERS: Final = ("smallint", "integer", "bigint")
NUMBERS: Final = (*INTEGERS, "numeric", "real", "double precision")
"""In the order in which PostgreSQL promotes them."""

_GEOMETRIES: Final = {
    f"{name}{suffix}".lower(): f"{name}{suffix}"
    for name in ("Geometry", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon",
                 "GeometryCollection", "CircularString", "CompoundCurve", "CurvePolygon", "MultiCurve", "MultiSurface")
    for suffix in ("", "Z", "M", "ZM")
}  # fmt: skip
"""How PostGIS writes its type modifiers back (postgis_typmod_out)."""

_WGS_84: Final = "4326"

_MODIFIER = re.compile(r"\([^()]*\)")
_FULL_RANGE = 32767


def type_parts(node: Node) -> tuple[str | None, str]:
    """(schema, name) of a TypeName; pg_catalog counts as no schema where the type is a built-in one."""
    names = [part.string.sval for part in node.names]
    schema = names[-2] if len(names) > 1 else None
    if schema == "pg_catalog" and names[-1] in builtins().types:
        schema = None
    return schema, names[-1]


def serial_type(node: Node) -> str | None:
    """The integer type behind serial and its like, None for every other type."""
    if len(node.names) != 1 or node.array_bounds:
        return None
    return SERIALS.get(node.names[0].string.sval)


def spell_type(node: Node, lookup: Lookup) -> str:
    """The type as format_type(oid, typmod) gives it; what `lookup` does not know is spelled as it was written."""
    schema, name = type_parts(node)
    modifiers = _modifiers(node)
    known = None if schema else builtins().types.get(name)
    if known is None:
        base = lookup.type_name(schema, name)
        if base is None:
            quoted = quote_identifier(name)
            base = quoted if schema in (None, "public") else f"{quote_identifier(schema or '')}.{quoted}"
        if base in ("geometry", "geography"):
            modifiers = _geometry_modifiers(base, modifiers)
        text = f"{base}({','.join(modifiers)})" if modifiers else base
    else:
        text = _with_modifiers(known, modifiers)
    return text + "[]" if node.array_bounds else text


def _geometry_modifiers(base: str, written: list[str]) -> list[str]:
    """PostGIS, gserialized_typmod_in and _out: a geography is in WGS 84 unless it says otherwise."""
    if not written:
        return []
    shape = _GEOMETRIES.get(written[0].lower(), written[0])
    reference = written[1] if len(written) > 1 else "0"
    if reference == "0":
        reference = _WGS_84 if base == "geography" else ""
    return [shape, reference] if reference else [shape] if shape != "Geometry" else []


def _modifiers(node: Node) -> list[str]:
    modifiers = []
    for item in node.typmods:
        kind = item.WhichOneof("node")
        if kind == "a_const":
            constant = item.a_const
            if constant.HasField("ival"):
                modifiers.append(str(constant.ival.ival))
            elif constant.HasField("fval"):
                modifiers.append(constant.fval.fval)
            else:
                modifiers.append(constant.sval.sval)
        elif kind == "column_ref":
            modifiers.append(item.column_ref.fields[-1].string.sval)
    return modifiers


def _with_modifiers(name: str, modifiers: list[str]) -> str:
    if not modifiers:
        # char and bit without a length have one of 1 already in the parser's tree.
        return "bpchar" if name == "character" else name
    if name == "numeric" and len(modifiers) == 1:
        return f"numeric({modifiers[0]},0)"
    if name == "interval":
        if int(modifiers[0]) == _FULL_RANGE:
            return f"interval({modifiers[1]})" if len(modifiers) > 1 else "interval"
        return _interval(int(modifiers[0]), modifiers[1:])
    if name.startswith(("timestamp", "time")) and " " in name:
        first, rest = name.split(" ", 1)
        return f"{first}({modifiers[0]}) {rest}"
    return f"{name}({','.join(modifiers)})"


_FIELDS: Final = {
    1 << 2: "year",
    1 << 1: "month",
    1 << 3: "day",
    1 << 10: "hour",
    1 << 11: "minute",
    1 << 12: "second",
    1 << 2 | 1 << 1: "year to month",
    1 << 3 | 1 << 10: "day to hour",
    1 << 3 | 1 << 10 | 1 << 11: "day to minute",
    1 << 3 | 1 << 10 | 1 << 11 | 1 << 12: "day to second",
    1 << 10 | 1 << 11: "hour to minute",
    1 << 10 | 1 << 11 | 1 << 12: "hour to second",
    1 << 11 | 1 << 12: "minute to second",
}


def _interval(fields: int, precision: list[str]) -> str:
    """timestamp.c intervaltypmodout."""
    name = _FIELDS.get(fields, "")
    return " ".join(part for part in ("interval", name) if part) + (f"({precision[0]})" if precision else "")


def base_type(name: str) -> str:
    """The type without its modifier: `timestamp(3) with time zone` is a `timestamp with time zone`."""
    return _MODIFIER.sub("", name) if "(" in name else name


def element_type(name: str) -> str | None:
    """The element type of an array type."""
    return name[:-2] if name.endswith("[]") else None


def is_text_like(name: str | None) -> bool:
    return name is not None and base_type(name) in TEXT_LIKE
