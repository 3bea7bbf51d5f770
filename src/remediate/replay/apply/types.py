"""Types of the user: enums, domains, composites, ranges (commands/typecmds.c)."""

from __future__ import annotations

from dataclasses import replace

from remediate.replay.apply.base import Applying, applies
from remediate.replay.builder import TypeDetails
from remediate.replay.catalog import QName, Type
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.lookup import FoundRelation
from remediate.sql.nodes import ConstrType, strings
from remediate.sql.parse import Node
from remediate.sql.quote import truncate_identifier


def _new_type(names: Node, at: Applying) -> QName:
    schema, name = at.qualified(names)
    qualified = at.new_qualified(schema, truncate_identifier(name))
    if qualified in at.builder.types or at.builder.relation_kind(qualified) in (
        "table", "partitioned table", "foreign table", "view", "materialized view",
    ):  # fmt: skip
        raise Refused("42710", f'type "{qualified.name}" already exists', subjects=[qualified])
    return qualified


@applies("create_enum_stmt")
def create_enum(node: Node, at: Applying) -> None:
    name = _new_type(node.type_name, at)
    labels = tuple(strings(node.vals))
    if len(set(labels)) < len(labels):
        raise Refused("23505", "duplicate key value violates unique constraint", subjects=[name])
    at.builder.types[name] = Type(name, "enum", labels, (at.origin("create"),))


@applies("alter_enum_stmt")
def alter_enum(node: Node, at: Applying) -> None:
    found = find_type(node.type_name, at)
    if found.kind != "enum":
        raise Refused("42809", f"{found.name.name} is not an enum")
    labels = list(found.labels)
    if node.old_val:
        if node.old_val not in labels:
            raise Refused("22023", f'"{node.old_val}" is not an existing enum label')
        if node.new_val in labels:
            raise Refused("42710", f'enum label "{node.new_val}" already exists')
        labels[labels.index(node.old_val)] = node.new_val
    else:
        if node.new_val in labels:
            if node.skip_if_new_val_exists:
                return
            raise Refused("42710", f'enum label "{node.new_val}" already exists')
        place = len(labels)
        if node.new_val_neighbor:
            if node.new_val_neighbor not in labels:
                raise Refused("22023", f'"{node.new_val_neighbor}" is not an existing enum label')
            place = labels.index(node.new_val_neighbor) + (1 if node.new_val_is_after else 0)
        labels.insert(place, node.new_val)
    history = (*found.history, at.origin("alter"))
    at.builder.types[found.name] = replace(found, labels=tuple(labels), history=history)


def find_type(names: Node, at: Applying) -> Type:
    schema, name = at.qualified(names)
    qualified = at.builder.find_type(name, schema)
    found = at.builder.types.get(qualified) if qualified else None
    if found is None:
        known = [key.name for key in at.builder.types]
        if schema is not None and schema not in at.builder.schemas:
            raise Refused("3F000", f'schema "{schema}" does not exist')
        raise Refused("42704", f'type "{name}" does not exist', nearest=nearest_name(name, known))
    return found


@applies("create_domain_stmt")
def create_domain(node: Node, at: Applying) -> None:
    name = _new_type(node.domainname, at)
    base = at.type(node.type_name)
    value = FoundRelation("", "", {"value": base})
    for item in node.constraints:
        if item.constraint.contype == ConstrType.CONSTR_CHECK:
            at.expression(item.constraint.raw_expr, value, condition="CHECK")
        elif item.constraint.contype == ConstrType.CONSTR_DEFAULT:
            at.expression(item.constraint.raw_expr, wanted=base)
    at.builder.types[name] = Type(name, "domain", (), (at.origin("create"),))
    at.builder.type_details[name] = TypeDetails(base)


@applies("alter_domain_stmt")
def alter_domain(node: Node, at: Applying) -> None:
    found = find_type(node.type_name, at)
    at.builder.types[found.name] = replace(found, history=(*found.history, at.origin("alter")))


@applies("composite_type_stmt")
def create_composite(node: Node, at: Applying) -> None:
    name = at.new_qualified(node.typevar.schemaname or None, truncate_identifier(node.typevar.relname))
    at.require_free(name)
    attributes = tuple((item.column_def.colname, at.type(item.column_def.type_name)) for item in node.coldeflist)
    at.builder.types[name] = Type(name, "composite", (), (at.origin("create"),))
    at.builder.type_details[name] = TypeDetails(None, attributes)


@applies("create_range_stmt")
def create_range(node: Node, at: Applying) -> None:
    name = _new_type(node.type_name, at)
    at.builder.types[name] = Type(name, "range", (), (at.origin("create"),))
