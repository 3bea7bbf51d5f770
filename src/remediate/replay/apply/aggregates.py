"""Aggregates of the user's: that they are there, and which function they stand on (commands/aggregatecmds.c)."""

from __future__ import annotations

from remediate.replay.apply.base import Applying, applies
from remediate.replay.apply.functions import parameter_type
from remediate.replay.catalog import QName
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.builtins import builtins
from remediate.sql.nodes import ObjectType, option, strings
from remediate.sql.parse import Node


@applies("define_stmt")
def define(node: Node, at: Applying) -> None:
    """CREATE AGGREGATE; operators, collations, base types and text search leave what the catalog shows as it is."""
    if node.kind != ObjectType.OBJECT_AGGREGATE:
        return
    schema, name = at.qualified(node.defnames)
    key = ("aggregate", at.new_qualified(schema, name), _inputs(node, at))
    if key in at.builder.extras and not node.replace:
        raise Refused("42723", f'function "{name}" already exists with same argument types')
    at.builder.extras[key] = _state_function(node, at)


def _inputs(node: Node, at: Applying) -> tuple[str, ...]:
    if node.oldstyle:
        base = option(node.definition, "basetype")
        return () if base is None or base.arg.WhichOneof("node") != "type_name" else (at.type(base.arg.type_name),)
    parameters = node.args[0].list.items if node.args else ()
    return tuple(parameter_type(item.function_parameter.arg_type, at) for item in parameters)


def _state_function(node: Node, at: Applying) -> QName | None:
    """The function that adds one row, if it is the user's."""
    element = option(node.definition, "sfunc")
    if element is None or element.arg.WhichOneof("node") != "type_name":
        raise Refused("42P13", "aggregate sfunc must be specified")
    names = strings(element.arg.type_name.names)
    schema, name = (names[-2] if len(names) > 1 else None), names[-1]
    found = at.builder.find_functions(name, schema)
    if found:
        return found[0].name
    if schema in (None, "pg_catalog") and name in builtins().functions:
        return None
    known = [key[0].name for key in at.builder.functions]
    raise Refused("42883", f"function {name} does not exist", nearest=nearest_name(name, known))


def find_aggregate(node: Node, at: Applying, *, missing_ok: bool) -> tuple[QName, tuple[str, ...]] | None:
    """The aggregate that DROP or ALTER names with its argument types."""
    schema, name = at.qualified(node.objname)
    types = tuple(at.type(item.type_name) for item in node.objargs if item.HasField("type_name"))
    for candidate in at.builder.lookup_path(schema):
        qualified = QName(candidate, name)
        if ("aggregate", qualified, types) in at.builder.extras:
            return qualified, types
    if missing_ok:
        return None
    raise Refused("42883", f"aggregate {name}({', '.join(types)}) does not exist")
