"""Comments, ownership, and statements that leave the catalog as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from remediate.replay.apply.base import Applying, applies
from remediate.replay.apply.functions import find_function
from remediate.replay.apply.roles import role_name
from remediate.replay.apply.types import find_type
from remediate.replay.refused import Refused, nearest_name
from remediate.replay.undo import UndoDict
from remediate.sql.nodes import ObjectType, strings
from remediate.sql.parse import Node

_RELATIONS = (
    ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW, ObjectType.OBJECT_INDEX,
    ObjectType.OBJECT_SEQUENCE, ObjectType.OBJECT_FOREIGN_TABLE,
)  # fmt: skip
_FUNCTIONS = (ObjectType.OBJECT_FUNCTION, ObjectType.OBJECT_PROCEDURE, ObjectType.OBJECT_ROUTINE)


@applies("comment_stmt")
def comment(node: Node, at: Applying) -> None:
    """Comments of tables, columns and functions are kept; of everything else it only matters that it exists."""
    kind = node.objtype
    if kind in _FUNCTIONS:
        function = find_function(node.object.object_with_args, at, objtype=kind)
        if function is not None:
            key = (function.name, function.argument_types)
            at.builder.functions[key] = replace(function, comment=node.comment or None)
        return
    if kind in (ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN):
        find_type(node.object.type_name.names, at)
        return
    if kind == ObjectType.OBJECT_SCHEMA:
        if node.object.string.sval not in at.builder.schemas:
            raise Refused("3F000", f'schema "{node.object.string.sval}" does not exist')
        return
    if node.object.WhichOneof("node") != "list":
        return
    names = strings(node.object.list.items)
    text = node.comment or None
    if kind in _RELATIONS:
        found = at.relation_named(names[-2] if len(names) > 1 else None, names[-1])
        assert found is not None
        if (kind == ObjectType.OBJECT_FOREIGN_TABLE) != (found[1] == "foreign table"):
            word = "foreign table" if kind == ObjectType.OBJECT_FOREIGN_TABLE else "table"
            raise Refused("42809", f'"{found[0].name}" is not a {word}', subjects=[found[0]])
        if table := at.builder.tables.get(found[0]):
            at.builder.tables[found[0]] = replace(table, comment=text)
    elif kind == ObjectType.OBJECT_COLUMN:
        found = at.relation_named(names[-3] if len(names) > 2 else None, names[-2])
        assert found is not None
        if table := at.builder.tables.get(found[0]):
            at.column_of(table, names[-1])
            columns = tuple(
                replace(column, comment=text) if column.name == names[-1] else column for column in table.columns
            )
            at.builder.tables[found[0]] = replace(table, columns=columns)
        elif (view := at.builder.views.get(found[0])) and view.columns:
            known = [column.name for column in view.columns]
            if names[-1] not in known:
                message = f'column "{names[-1]}" of relation "{found[0].name}" does not exist'
                raise Refused("42703", message, nearest=nearest_name(names[-1], known), subjects=[found[0]])
    elif kind in (ObjectType.OBJECT_POLICY, ObjectType.OBJECT_TRIGGER, ObjectType.OBJECT_TABCONSTRAINT):
        _part(kind, names, at)


def _part(kind: int, names: list[str], at: Applying) -> None:
    found = at.relation_named(names[-3] if len(names) > 2 else None, names[-2])
    assert found is not None
    parts: dict[int, tuple[str, UndoDict[Any, Any]]] = {
        ObjectType.OBJECT_POLICY: ("policy", at.builder.policies),
        ObjectType.OBJECT_TRIGGER: ("trigger", at.builder.triggers),
        ObjectType.OBJECT_TABCONSTRAINT: ("constraint", at.builder.constraints),
    }
    word, mapping = parts[kind]
    if (found[0], names[-1]) not in mapping:
        known = [key[1] for key in mapping if key[0] == found[0]]
        raise Refused(
            "42704", f'{word} "{names[-1]}" for table "{found[0].name}" does not exist',
            nearest=nearest_name(names[-1], known), subjects=[found[0]],
        )  # fmt: skip


@applies("alter_owner_stmt")
def alter_owner(node: Node, at: Applying) -> None:
    role_name(node.newowner, at)
    kind = node.object_type
    if kind in _FUNCTIONS:
        find_function(node.object.object_with_args, at, objtype=kind)
    elif kind == ObjectType.OBJECT_SCHEMA and node.object.string.sval not in at.builder.schemas:
        raise Refused("3F000", f'schema "{node.object.string.sval}" does not exist')
    elif kind in (ObjectType.OBJECT_TYPE, ObjectType.OBJECT_DOMAIN):
        find_type(node.object.list.items, at)


@applies("vacuum_stmt", "cluster_stmt", "reindex_stmt")
def maintenance(node: Node, at: Applying) -> None:
    for item in getattr(node, "rels", ()):
        if item.vacuum_relation.HasField("relation"):
            at.relation(item.vacuum_relation.relation)
    if at.statement.kind == "vacuum_stmt" and node.is_vacuumcmd and at.in_transaction:
        raise Refused("25001", "VACUUM cannot run inside a transaction block")


@applies("alter_database_stmt", "notify_stmt", "listen_stmt", "unlisten_stmt",
         "discard_stmt", "variable_show_stmt", "constraints_set_stmt", "check_point_stmt", "load_stmt",
         "alter_system_stmt", "explain_stmt", "alter_default_privileges", "replica_identity_stmt",
         "alter_object_depends_stmt", "create_stats_stmt", "alter_stats_stmt", "sec_label_stmt",
         "create_publication_stmt", "alter_publication_stmt", "create_subscription_stmt", "alter_subscription_stmt",
         "drop_subscription_stmt", "prepare_stmt", "execute_stmt", "deallocate_stmt", "alter_extension_stmt",
         "alter_extension_contents_stmt", "create_event_trig_stmt", "alter_event_trig_stmt", "rule_stmt",
         "create_cast_stmt", "create_conversion_stmt", "create_am_stmt",
         "alter_fdw_stmt", "alter_type_stmt",
         "create_table_space_stmt", "createdb_stmt", "dropdb_stmt", "transaction_stmt",
         "alter_operator_stmt")  # fmt: skip
def nothing(node: Node, at: Applying) -> None:
    """Leaves what the catalog shows as it is."""
