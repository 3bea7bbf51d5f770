"""The functions of PostGIS that change tables (its postgis.sql): each is an ALTER or DROP TABLE in disguise."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from remediate.replay.apply.base import Applying, handler_of
from remediate.replay.catalog import QName, Table
from remediate.replay.refused import Refused
from remediate.sql.calls import function_name
from remediate.sql.parse import Node, UnreadableSqlError, parse
from remediate.sql.quote import QualifiedName, quote_identifier

_DIMENSIONS: Final = {2: "", 3: "Z", 4: "ZM"}
_TYPE: Final = re.compile(r"geometry(?:\((\w+)(?:,\d+)?\))?\Z")


def call_geometry_function(node: Node, at: Applying) -> None:
    """Does what a FuncCall does to the schema, if it is one of these functions and PostGIS is there."""
    name = function_name(node)[1]
    function = _FUNCTIONS.get(name)
    if function is None or "postgis" not in at.builder.extensions or at.builder.find_functions(name):
        return
    values = [_constant(argument) for argument in node.args]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        raise UnreadableSqlError(f"the arguments of {name}() are no constants")
    function(known, at)


def _constant(node: Node) -> str | int | None:
    kind = node.WhichOneof("node")
    if kind == "type_cast":
        return _constant(node.type_cast.arg)
    if kind != "a_const":
        return None
    value = node.a_const
    if value.HasField("sval"):
        return str(value.sval.sval)
    if value.HasField("boolval"):
        return int(value.boolval.boolval)
    return int(value.ival.ival) if value.HasField("ival") else None


def _names(values: list[str | int], count: int, at: Applying) -> tuple[QName, list[str]]:
    """The table and the texts behind it; up to `count` texts are the last of catalog, schema, table, …"""
    texts = [value for value in values if isinstance(value, str)]
    before, rest = texts[:-count], texts[-count:]
    schema = (before[-1] if before else "") or None
    found = at.relation_named(schema, rest[0])
    assert found is not None
    return found[0], rest[1:]


def _leading_texts(values: list[str | int]) -> int:
    return next((number for number, value in enumerate(values) if isinstance(value, int)), len(values))


def _add_column(values: list[str | int], at: Applying) -> None:
    """AddGeometryColumn([catalog, [schema,]] table, column, srid, type, dimension [, use_typmod])"""
    count = _leading_texts(values)
    table, (column,) = _names(values[:count], 2, at)
    reference, shape, dimension = int(values[count]), str(values[count + 1]), int(values[count + 2])
    type_name = f"geometry({quote_identifier(shape + _DIMENSIONS.get(dimension, ''))}, {max(reference, 0)})"
    _alter(table, f"ADD COLUMN {quote_identifier(column)} {type_name}", at)


def _drop_column(values: list[str | int], at: Applying) -> None:
    """DropGeometryColumn([catalog, [schema,]] table, column)"""
    table, (column,) = _names(values, 2, at)
    _geometry_column(at.builder.tables.get(table), column)
    _alter(table, f"DROP COLUMN {quote_identifier(column)}", at)


def _drop_table(values: list[str | int], at: Applying) -> None:
    """DropGeometryTable([catalog, [schema,]] table)"""
    texts = [str(value) for value in values]
    schema = texts[-2] if len(texts) > 1 else at.builder.current_schema or "public"
    _run(f"DROP TABLE IF EXISTS {QualifiedName(schema, texts[-1]).sql()} RESTRICT", at)


def _update_reference(values: list[str | int], at: Applying) -> None:
    """UpdateGeometrySRID([catalog, [schema,]] table, column, srid)"""
    count = _leading_texts(values)
    table, (column,) = _names(values[:count], 2, at)
    shape = _geometry_column(at.builder.tables.get(table), column)
    name = quote_identifier(column)
    type_name = f"geometry({quote_identifier(shape)}, {int(values[count])})"
    _alter(table, f"ALTER COLUMN {name} TYPE {type_name} USING {name}", at)


def _geometry_column(table: Table | None, name: str) -> str:
    """The shape of a column of type geometry; refused as PostGIS does where the view geometry_columns has none."""
    column = table.column(name) if table is not None else None
    found = _TYPE.match(column.type.rsplit(".", 1)[-1]) if column is not None else None
    if found is None:
        raise Refused("P0001", "column not found in geometry_columns table", subjects=[table.name] if table else [])
    return found[1] or "Geometry"


def _alter(table: QName, action: str, at: Applying) -> None:
    _run(f"ALTER TABLE {QualifiedName(*table).sql()} {action}", at)


def _run(sql: str, at: Applying) -> None:
    (statement,) = parse(sql)
    handler = handler_of(statement.kind)
    assert handler is not None
    handler(statement.node, at)


_FUNCTIONS: Final[dict[str, Callable[[list[str | int], Applying], None]]] = {
    "addgeometrycolumn": _add_column,
    "dropgeometrycolumn": _drop_column,
    "dropgeometrytable": _drop_table,
    "updategeometrysrid": _update_reference,
}
