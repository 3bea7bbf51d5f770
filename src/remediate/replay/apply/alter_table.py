"""ALTER TABLE: the subcommands in the order of PostgreSQL's passes (tablecmds.c ATPrepCmd)."""

from __future__ import annotations

from collections.abc import Callable

from remediate.replay.apply.alter_columns import (
    add_column,
    alter_type,
    drop_column,
    drop_expression,
    drop_identity,
    set_column_default,
    set_identity,
)  # fmt: skip
from remediate.replay.apply.base import Applying, altered, applies
from remediate.replay.apply.constraints import add_constraint, set_nullable
from remediate.replay.apply.definitions import constraint_definition, details_of
from remediate.replay.apply.dependents import drop_objects
from remediate.replay.apply.foreign import refuse_key
from remediate.replay.apply.partitions import attach, detach
from remediate.replay.apply.roles import role_name
from remediate.replay.apply.views import set_view_options
from remediate.replay.catalog import QName, Table
from remediate.replay.copying import replace
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.nodes import AlterTableType, ConstrType, DropBehavior, ObjectType
from remediate.sql.parse import Node

_T = AlterTableType
_DROPS = (_T.AT_DropColumn, _T.AT_DropConstraint, _T.AT_DropNotNull, _T.AT_DropExpression, _T.AT_DropIdentity)
_ROW_SECURITY = (
    _T.AT_EnableRowSecurity, _T.AT_DisableRowSecurity, _T.AT_ForceRowSecurity, _T.AT_NoForceRowSecurity,
)  # fmt: skip
_PASSES = {
    **dict.fromkeys(_DROPS, 0),
    _T.AT_AlterColumnType: 1,
    _T.AT_AddColumn: 2,
    _T.AT_SetNotNull: 4,
    _T.AT_AddIdentity: 3,
    _T.AT_SetIdentity: 4,
    _T.AT_ColumnDefault: 7,
}


@applies("alter_table_stmt")
def alter_table(node: Node, at: Applying) -> None:
    found = at.relation(node.relation, missing_ok=node.missing_ok)
    if found is None:
        return
    name, kind = found
    if kind in ("view", "materialized view"):
        _alter_view(node, name, kind, at)
        return
    if name not in at.builder.tables:
        _alter_other(node, name, kind, at)
        return
    if node.objtype in (ObjectType.OBJECT_VIEW, ObjectType.OBJECT_MATVIEW, ObjectType.OBJECT_INDEX):
        raise Refused("42809", f'"{name.name}" is not of the right kind', subjects=[name])
    if node.objtype == ObjectType.OBJECT_FOREIGN_TABLE and kind != "foreign table":
        raise Refused("42809", f'"{name.name}" is not a foreign table', subjects=[name])
    if kind == "foreign table":
        _require_possible(node, name)
    for command in sorted((item.alter_table_cmd for item in node.cmds), key=_pass):
        handler = _COMMANDS.get(command.subtype)
        table = at.builder.tables[name]
        if handler is not None:
            handler(table, command, at)
            if name in at.builder.tables:
                at.builder.tables[name] = altered(at.builder.tables[name], at)


def _require_possible(node: Node, name: QName) -> None:
    """What a foreign table can have nothing of (ATSimplePermissions)."""
    for command in (item.alter_table_cmd for item in node.cmds):
        if command.subtype in _ROW_SECURITY:
            raise Refused("42809", f'ALTER action cannot be performed on relation "{name.name}"', subjects=[name])
        if command.subtype == _T.AT_AddConstraint:
            refuse_key(getattr(command, "def").constraint)


def _pass(command: Node) -> int:
    if command.subtype == _T.AT_ColumnDefault and not command.HasField("def"):
        return 0
    if command.subtype in (_T.AT_AddConstraint,):
        kind = getattr(command, "def").constraint.contype
        return 5 if kind in (ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE, ConstrType.CONSTR_EXCLUSION) else 6
    return _PASSES.get(command.subtype, 8)


def _alter_view(node: Node, name: QName, kind: str, at: Applying) -> None:
    if node.objtype == ObjectType.OBJECT_INDEX:
        raise Refused("42809", f'"{name.name}" is not an index', subjects=[name])
    for item in node.cmds:
        command = item.alter_table_cmd
        if command.subtype in (_T.AT_SetRelOptions, _T.AT_ResetRelOptions):
            reset = command.subtype == _T.AT_ResetRelOptions
            set_view_options(at.builder.views[name], getattr(command, "def").list.items, at, reset=reset)
        elif command.subtype in (
            *_ROW_SECURITY, _T.AT_AddColumn, _T.AT_DropColumn, _T.AT_AddConstraint, _T.AT_DropConstraint,
            _T.AT_ValidateConstraint, _T.AT_SetNotNull, _T.AT_DropNotNull, _T.AT_AlterColumnType,
        ) or (command.subtype == _T.AT_ColumnDefault and kind == "materialized view"):  # fmt: skip
            raise Refused("42809", f'ALTER action cannot be performed on relation "{name.name}"', subjects=[name])


def _alter_other(node: Node, name: QName, kind: str, at: Applying) -> None:
    if node.objtype == ObjectType.OBJECT_TABLE and kind in ("sequence", "index"):
        for item in node.cmds:
            if item.alter_table_cmd.subtype not in (_T.AT_ChangeOwner, _T.AT_SetTableSpace, _T.AT_SetRelOptions):
                raise Refused("42809", f'"{name.name}" is not a table', subjects=[name])
    if kind == "type":
        _alter_composite(node, name, at)


def _alter_composite(node: Node, name: QName, at: Applying) -> None:
    details = at.builder.type_details[name]
    attributes = dict(details.attributes)
    for item in node.cmds:
        command = item.alter_table_cmd
        if command.subtype == _T.AT_AddColumn:
            column = getattr(command, "def").column_def
            if column.colname in attributes:
                raise Refused("42701", f'column "{column.colname}" of relation "{name.name}" already exists')
            attributes[column.colname] = at.type(column.type_name)
        elif command.subtype == _T.AT_DropColumn:
            if command.name not in attributes and not command.missing_ok:
                raise Refused("42703", f'column "{command.name}" of relation "{name.name}" does not exist')
            attributes.pop(command.name, None)
        elif command.subtype == _T.AT_AlterColumnType:
            attributes[command.name] = at.type(getattr(command, "def").column_def.type_name)
    at.builder.type_details[name] = replace(details, attributes=tuple(attributes.items()))


def _add_constraint(table: Table, command: Node, at: Applying) -> None:
    add_constraint(getattr(command, "def").constraint, table, at)


def _drop_constraint(table: Table, command: Node, at: Applying) -> None:
    key = (table.name, command.name)
    if key not in at.builder.constraints:
        if command.missing_ok or _is_not_null_name(table, command.name):
            return
        known = [each.name for each in at.builder.constraints_of(table.name)]
        raise Refused(
            "42704", f'constraint "{command.name}" of relation "{table.name.name}" does not exist',
            nearest=nearest_name(command.name, known), subjects=[table.name],
        )  # fmt: skip
    if details_of(at.builder, *key).inherited:
        raise Refused(
            "42P16", f'cannot drop inherited constraint "{command.name}" of relation "{table.name.name}"',
            subjects=[table.name],
        )  # fmt: skip
    cascade = command.behavior == DropBehavior.DROP_CASCADE
    drop_objects([("constraint", *key)], cascade, at)


def _is_not_null_name(table: Table, name: str) -> bool:
    """PostgreSQL 18 has NOT NULL as constraints; before, there is none of that name."""
    return False


def _validate(table: Table, command: Node, at: Applying) -> None:
    key = (table.name, command.name)
    constraint = at.builder.constraints.get(key)
    if constraint is None:
        known = [each.name for each in at.builder.constraints_of(table.name)]
        raise Refused(
            "42704", f'constraint "{command.name}" of relation "{table.name.name}" does not exist',
            nearest=nearest_name(command.name, known), subjects=[table.name],
        )  # fmt: skip
    if constraint.type not in ("c", "f"):
        raise Refused("42809", f'cannot validate constraint "{command.name}"', subjects=[table.name])
    changed = replace(constraint, validated=True, history=(*constraint.history, at.origin("validate")))
    definition = constraint_definition(changed, details_of(at.builder, *key))
    at.builder.constraints[key] = replace(changed, definition=definition)


def _set_not_null(table: Table, command: Node, at: Applying) -> None:
    at.column_of(table, command.name)
    set_nullable(table, command.name, at, False)


def _drop_not_null(table: Table, command: Node, at: Applying) -> None:
    at.column_of(table, command.name)
    column = table.column(command.name)
    assert column is not None
    if column.nullable:
        return
    if any(each.type == "p" and command.name in each.columns for each in at.builder.constraints_of(table.name)):
        raise Refused("42P16", f'column "{command.name}" is in a primary key', subjects=[table.name])
    if column.identity:
        raise Refused("42601", f'column "{command.name}" is an identity column', subjects=[table.name])
    set_nullable(table, command.name, at, True)


def _row_security(**changes: bool) -> Callable[[Table, Node, Applying], None]:
    def handler(table: Table, command: Node, at: Applying) -> None:
        at.builder.tables[table.name] = replace(table, **changes)

    return handler


def _owner(table: Table, command: Node, at: Applying) -> None:
    at.builder.tables[table.name] = replace(table, owner=role_name(command.newowner, at))


def _attach(table: Table, command: Node, at: Applying) -> None:
    attach(table, at.table(getattr(command, "def").partition_cmd.name), at)


def _detach(table: Table, command: Node, at: Applying) -> None:
    part = getattr(command, "def").partition_cmd
    if part.concurrent and at.in_transaction:
        raise Refused("25001", "ALTER TABLE ... DETACH CONCURRENTLY cannot run inside a transaction block")
    detach(table, at.table(part.name), at)


def _inherit(table: Table, command: Node, at: Applying) -> None:
    parent = at.table(getattr(command, "def").range_var)
    if parent.name in table.inherits:
        raise Refused("42P07", f'relation "{parent.name.name}" would be inherited from more than once')
    for column in parent.columns:
        if table.column(column.name) is None:
            raise Refused("42804", f'child table is missing column "{column.name}"', subjects=[table.name])
    at.builder.tables[table.name] = replace(table, inherits=(*table.inherits, parent.name))


def _no_inherit(table: Table, command: Node, at: Applying) -> None:
    parent = at.table(getattr(command, "def").range_var)
    if parent.name not in table.inherits:
        raise Refused("42P01", f'relation "{parent.name.name}" is not a parent of relation "{table.name.name}"')
    kept = tuple(each for each in table.inherits if each != parent.name)
    at.builder.tables[table.name] = replace(table, inherits=kept)


def _alter_constraint(table: Table, command: Node, at: Applying) -> None:
    inner = getattr(command, "def")
    node = inner.atalter_constraint if inner.WhichOneof("node") == "atalter_constraint" else inner.constraint
    key = (table.name, node.conname)
    constraint = at.builder.constraints.get(key)
    if constraint is None:
        raise Refused(
            "42704", f'constraint "{node.conname}" of relation "{table.name.name}" does not exist',
            subjects=[table.name],
        )  # fmt: skip
    if constraint.type != "f":
        raise Refused(
            "42809", f'constraint "{node.conname}" of relation "{table.name.name}" is not a foreign key constraint',
            subjects=[table.name],
        )  # fmt: skip
    suffix = " DEFERRABLE" if node.deferrable else ""
    suffix += " INITIALLY DEFERRED" if node.initdeferred else ""
    details = replace(details_of(at.builder, *key), suffix=suffix)
    at.builder.extras["constraint", *key] = details
    at.builder.constraints[key] = replace(constraint, definition=constraint_definition(constraint, details))


def _trigger_state(table: Table, command: Node, at: Applying) -> None:
    if (table.name, command.name) not in at.builder.triggers:
        raise Refused(
            "42704", f'trigger "{command.name}" for table "{table.name.name}" does not exist', subjects=[table.name]
        )


def _cluster(table: Table, command: Node, at: Applying) -> None:
    index = at.builder.indexes.get(QName(table.name.schema, command.name))
    if index is None or index.table != table.name:
        raise Refused("42704", f'index "{command.name}" for table "{table.name.name}" does not exist')


def _column_exists(table: Table, command: Node, at: Applying) -> None:
    if command.name:
        at.column_of(table, command.name)


def _not_of(table: Table, command: Node, at: Applying) -> None:
    if ("of type", table.name) not in at.builder.extras:
        raise Refused("42809", f'"{table.name.name}" is not a typed table', subjects=[table.name])
    del at.builder.extras["of type", table.name]


_COMMANDS: dict[int, Callable[[Table, Node, Applying], None]] = {
    _T.AT_AddColumn: add_column,
    _T.AT_DropColumn: drop_column,
    _T.AT_AlterColumnType: alter_type,
    _T.AT_ColumnDefault: set_column_default,
    _T.AT_SetNotNull: _set_not_null,
    _T.AT_DropNotNull: _drop_not_null,
    _T.AT_DropExpression: drop_expression,
    _T.AT_AddIdentity: set_identity,
    _T.AT_SetIdentity: set_identity,
    _T.AT_DropIdentity: drop_identity,
    _T.AT_AddConstraint: _add_constraint,
    _T.AT_DropConstraint: _drop_constraint,
    _T.AT_ValidateConstraint: _validate,
    _T.AT_AlterConstraint: _alter_constraint,
    _T.AT_EnableRowSecurity: _row_security(rls_enabled=True),
    _T.AT_DisableRowSecurity: _row_security(rls_enabled=False),
    _T.AT_ForceRowSecurity: _row_security(rls_forced=True),
    _T.AT_NoForceRowSecurity: _row_security(rls_forced=False),
    _T.AT_ChangeOwner: _owner,
    _T.AT_AttachPartition: _attach,
    _T.AT_DetachPartition: _detach,
    _T.AT_AddInherit: _inherit,
    _T.AT_DropInherit: _no_inherit,
    _T.AT_EnableTrig: _trigger_state,
    _T.AT_DisableTrig: _trigger_state,
    _T.AT_EnableAlwaysTrig: _trigger_state,
    _T.AT_ClusterOn: _cluster,
    _T.AT_DropOf: _not_of,
    _T.AT_SetStatistics: _column_exists,
    _T.AT_SetStorage: _column_exists,
    _T.AT_SetOptions: _column_exists,
}
