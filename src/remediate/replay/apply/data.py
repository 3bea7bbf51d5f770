"""Statements about rows: which relation they touch; and SELECTs, which may still change something."""

from __future__ import annotations

from remediate.replay.apply import memory
from remediate.replay.apply.base import Applying, applies
from remediate.replay.apply.geometry import call_geometry_function
from remediate.replay.apply.row_values import check_changes, check_rows
from remediate.replay.apply.session import set_setting, split_path
from remediate.replay.apply.views import select_into
from remediate.replay.catalog import DataChange, QName, Table
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.calls import function_name
from remediate.sql.deparse import check_change
from remediate.sql.parse import Node

_VERBS = {"insert_stmt": "insert", "update_stmt": "update", "delete_stmt": "delete", "merge_stmt": "merge"}


def _change(relation: QName, verb: str, at: Applying) -> None:
    at.log.data_changes.append(DataChange(relation, verb, at.origin(verb)))


@applies("insert_stmt", "update_stmt", "delete_stmt", "merge_stmt")
def change_rows(node: Node, at: Applying) -> None:
    """The relation has to exist, and the columns that are named as targets; what is read is checked where it can be."""
    verb = _VERBS.get(at.statement.kind, "insert")
    found = _target(node.relation, at)
    if found is None:
        return
    table = at.builder.tables.get(found)
    columns = [item.res_target.name for item in getattr(node, "cols", ())]
    if verb == "update":
        columns = [item.res_target.name for item in node.target_list]
        if table is not None:
            check_changes(node, table, at)
    if table is not None:
        for column in columns:
            _require_column(table, column)
    if verb == "insert" and table is not None:
        check_rows(node, table, at)
    if verb in ("insert", "update", "delete"):
        alias = node.relation.alias.aliasname if node.relation.HasField("alias") else found.name
        check_change(node, at.lookup, alias, at.lookup.found(found))
    _change(found, verb, at)
    memory.written_in_with(node, at.builder)
    memory.write_rows(node, verb, found, at)


def _target(node: Node, at: Applying) -> QName | None:
    from remediate.replay.lookup import missing_relation

    schema = node.schemaname or None
    found = at.builder.find_relation(node.relname, schema)
    if found is None:
        if at.lookup.relation(schema, node.relname) is not None:
            return None  # of an extension or of the system
        raise missing_relation(at.builder, schema, node.relname)
    at.about.append(found[0])
    return found[0]


def _require_column(table: Table, column: str) -> None:
    if column and table.column(column) is None:
        raise Refused(
            "42703", f'column "{column}" of relation "{table.name.name}" does not exist',
            nearest=nearest_name(column, [each.name for each in table.columns]), subjects=[table.name],
        )  # fmt: skip


@applies("truncate_stmt")
def truncate(node: Node, at: Applying) -> None:
    for item in node.relations:
        table = at.table(item.range_var)
        _change(table.name, "truncate", at)
        memory.truncated(table.name, at.builder)


@applies("copy_stmt")
def copy(node: Node, at: Applying) -> None:
    if node.is_from and not node.filename and not node.is_program:
        raise Refused("57014", "COPY from stdin failed: No source stream defined")  # what node-postgres says
    if node.HasField("relation") and node.is_from:
        found = at.relation(node.relation)
        assert found is not None
        _change(found[0], "copy", at)
        memory.lose(at.builder, found[0])


@applies("select_stmt")
def select(node: Node, at: Applying) -> None:
    """Resolved, so that what is missing is found; `set_config`, `setval` and INTO have effects."""
    if node.HasField("into_clause"):
        select_into(node, at)
        memory.made_from_query(node.into_clause, at.builder)
        return
    at.query(node)
    memory.written_in_with(node, at.builder)
    if "setval" in at.statement.text:
        memory.sequences_set(at.builder)
    for item in node.target_list:
        value = item.res_target.val
        if value.WhichOneof("node") != "func_call":
            continue
        if function_name(value.func_call)[1] == "set_config":
            _set_config(value.func_call, at)
        call_geometry_function(value.func_call, at)


def _set_config(node: Node, at: Applying) -> None:
    values = [argument.a_const for argument in node.args if argument.WhichOneof("node") == "a_const"]
    if len(values) != 3:
        return
    name, value, local = values[0].sval.sval.lower(), values[1].sval.sval, values[2].boolval.boolval
    parts = split_path(value) if name == "search_path" else [value]
    set_setting(name, parts, bool(local), at)


@applies("lock_stmt")
def lock(node: Node, at: Applying) -> None:
    for item in node.relations:
        at.relation(item.range_var)
