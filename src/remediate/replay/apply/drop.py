"""DROP of everything (commands/dropcmds.c, tablecmds.c RemoveRelations)."""

from __future__ import annotations

from remediate.replay.apply.aggregates import find_aggregate
from remediate.replay.apply.base import Applying, applies
from remediate.replay.apply.dependents import Object, drop_objects
from remediate.replay.apply.functions import find_function
from remediate.replay.builder import SYSTEM_SCHEMAS
from remediate.replay.catalog import QName
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.nodes import DropBehavior, ObjectType, strings
from remediate.sql.parse import Node
from remediate.sql.types import type_parts

_RELATIONS = {
    ObjectType.OBJECT_TABLE: ("table", ("table", "partitioned table")),
    ObjectType.OBJECT_FOREIGN_TABLE: ("foreign table", ("foreign table",)),
    ObjectType.OBJECT_VIEW: ("view", ("view",)),
    ObjectType.OBJECT_MATVIEW: ("materialized view", ("materialized view",)),
    ObjectType.OBJECT_INDEX: ("index", ("index",)),
    ObjectType.OBJECT_SEQUENCE: ("sequence", ("sequence",)),
}
_KINDS = {"table": "table", "partitioned table": "table", "foreign table": "table", "view": "view",
          "materialized view": "view", "index": "index", "sequence": "sequence"}  # fmt: skip
_FUNCTIONS = (ObjectType.OBJECT_FUNCTION, ObjectType.OBJECT_PROCEDURE, ObjectType.OBJECT_ROUTINE)
_TYPES = (ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN)


@applies("drop_stmt")
def drop(node: Node, at: Applying) -> None:
    kind = node.remove_type
    cascade = node.behavior == DropBehavior.DROP_CASCADE
    if node.concurrent and at.in_transaction:
        raise Refused("25001", "DROP INDEX CONCURRENTLY cannot run inside a transaction block")
    targets: list[Object] = []
    for item in node.objects:
        found = _target(kind, item, node.missing_ok, at)
        if found is not None:
            targets.append(found)
    if targets:
        drop_objects(targets, cascade, at)


def _target(kind: int, item: Node, missing_ok: bool, at: Applying) -> Object | None:
    if kind in _RELATIONS:
        return _relation(kind, strings(item.list.items), missing_ok, at)
    if kind in (ObjectType.OBJECT_POLICY, ObjectType.OBJECT_TRIGGER):
        return _of_table(kind, strings(item.list.items), missing_ok, at)
    if kind == ObjectType.OBJECT_AGGREGATE:
        aggregate = find_aggregate(item.object_with_args, at, missing_ok=missing_ok)
        return None if aggregate is None else ("aggregate", aggregate[0], ",".join(aggregate[1]))
    if kind in _FUNCTIONS:
        return _function(kind, item.object_with_args, missing_ok, at)
    if kind in _TYPES:
        return _type(item.type_name, missing_ok, at)
    if kind == ObjectType.OBJECT_SCHEMA:
        name = item.string.sval
        if name in at.builder.schemas:
            return ("schema", QName(name, ""), "")
        if not missing_ok:
            nearest = nearest_name(name, at.builder.schemas)
            raise Refused("3F000", f'schema "{name}" does not exist', nearest=nearest)
    if kind == ObjectType.OBJECT_EXTENSION:
        name = item.string.sval
        if name in at.builder.extensions:
            return ("extension", QName("", name), "")
        if not missing_ok:
            nearest = nearest_name(name, at.builder.extensions)
            raise Refused("42704", f'extension "{name}" does not exist', nearest=nearest)
    if kind in (ObjectType.OBJECT_FOREIGN_SERVER, ObjectType.OBJECT_FDW):
        word = "server" if kind == ObjectType.OBJECT_FOREIGN_SERVER else "wrapper"
        name = item.string.sval
        if (word, name) in at.builder.extras:
            return (word, QName("", name), "")  # type: ignore[return-value]
        if not missing_ok:
            raise Refused("42704", f'{word} "{name}" does not exist')
    return None


def _relation(kind: int, names: list[str], missing_ok: bool, at: Applying) -> Object | None:
    word, wanted = _RELATIONS[kind]
    schema, name = (names[-2] if len(names) > 1 else None), names[-1]
    found = at.builder.find_relation(name, schema)
    if found is None:
        if missing_ok:
            return None
        if schema is not None and schema not in at.builder.schemas and schema not in SYSTEM_SCHEMAS:
            raise Refused("3F000", f'schema "{schema}" does not exist')
        # DropErrorMsgNonExistent: an index or foreign table is an undefined object, everything else an undefined table.
        code = "42704" if kind in (ObjectType.OBJECT_INDEX, ObjectType.OBJECT_FOREIGN_TABLE) else "42P01"
        known = [each.name for each in (*at.builder.tables, *at.builder.views)]
        missing = QName(schema or at.builder.current_schema or "public", name)
        raise Refused(code, f'{word} "{name}" does not exist', nearest=nearest_name(name, known), subjects=[missing])
    if found[1] not in wanted:
        raise Refused("42809", f'"{name}" is not a{"n" if word == "index" else ""} {word}', subjects=[found[0]])
    if kind == ObjectType.OBJECT_INDEX and at.builder.indexes[found[0]].constraint:
        raise Refused(
            "2BP01", f"cannot drop index {name} because constraint {name} requires it",
            subjects=[at.builder.indexes[found[0]].table],
        )  # fmt: skip
    at.about.append(found[0])
    return (_KINDS[found[1]], found[0], "")  # type: ignore[return-value]


def _of_table(kind: int, names: list[str], missing_ok: bool, at: Applying) -> Object | None:
    """DROP POLICY and DROP TRIGGER; IF EXISTS covers the table too."""
    word = "policy" if kind == ObjectType.OBJECT_POLICY else "trigger"
    *relation, name = names
    schema = relation[-2] if len(relation) > 1 else None
    if missing_ok and schema is not None and schema not in at.builder.schemas:
        return None
    found = at.relation_named(schema, relation[-1], missing_ok=missing_ok)
    if found is None:
        return None
    mapping = at.builder.policies if word == "policy" else at.builder.triggers
    if (found[0], name) in mapping:
        return (word, found[0], name)  # type: ignore[return-value]
    if missing_ok:
        return None
    known = [key[1] for key in mapping.keys_of(found[0])]
    raise Refused(
        "42704", f'{word} "{name}" for table "{found[0].name}" does not exist', nearest=nearest_name(name, known),
        subjects=[found[0]],
    )  # fmt: skip


def _function(kind: int, node: Node, missing_ok: bool, at: Applying) -> Object | None:
    try:
        function = find_function(node, at, missing_ok=missing_ok, objtype=kind)
    except Refused as refused:
        if missing_ok and refused.code in ("42704", "3F000", "42883"):
            return None
        raise
    if function is None:
        return None
    return ("function", function.name, ",".join(function.argument_types))


def _type(node: Node, missing_ok: bool, at: Applying) -> Object | None:
    schema, name = type_parts(node)
    found = at.builder.find_type(name, schema)
    if found is None or found not in at.builder.types:
        if missing_ok:
            return None
        if schema is not None and schema not in at.builder.schemas:
            raise Refused("3F000", f'schema "{schema}" does not exist')
        nearest = nearest_name(name, [each.name for each in at.builder.types])
        raise Refused("42704", f'type "{name}" does not exist', nearest=nearest)
    return ("type", found, "")
