"""CREATE TABLE, in the order in which PostgreSQL does it: columns, checks, keys, foreign keys (transformCreateStmt)."""

from __future__ import annotations

from remediate.replay.apply.base import Applying, applies
from remediate.replay.apply.columns import (
    create_owned_sequence,
    define_column,
    define_default,
    set_column,
    set_default,
)  # fmt: skip
from remediate.replay.apply.constraints import (
    add_constraint,
    moved_uses,
    store,
)  # fmt: skip
from remediate.replay.apply.default_privileges import grant_defaults
from remediate.replay.apply.definitions import details_of
from remediate.replay.apply.indexes import copy_index
from remediate.replay.apply.partitions import attach_partition
from remediate.replay.builder import Uses
from remediate.replay.catalog import Column, QName, Table
from remediate.replay.copying import replace
from remediate.replay.refused import Refused
from remediate.sql.nodes import ConstrType, strings
from remediate.sql.parse import Node
from remediate.sql.quote import truncate_identifier
from remediate.sql.types import type_parts

_LIKE_COMMENTS, _LIKE_CONSTRAINTS, _LIKE_DEFAULTS, _LIKE_GENERATED, _LIKE_IDENTITY, _LIKE_INDEXES = 1, 4, 8, 16, 32, 64
"""primnodes.h TableLikeOption."""


@applies("create_stmt")
def create_table(node: Node, at: Applying) -> None:
    name = at.new_name(node.relation)
    if node.if_not_exists and at.builder.relation_kind(name) is not None:
        return
    name = QName(name.schema, truncate_identifier(name.name))
    parents = _parents(node, at)
    columns: dict[str, Column] = {}
    inherited: set[str] = set()
    for parent in parents:
        for column in parent.columns:
            columns[column.name] = column
            inherited.add(column.name)
    if node.HasField("of_typename"):
        for column in _of_type(node.of_typename, at):
            columns[column.name] = column
        at.builder.extras["of type", name] = at.type(node.of_typename)
    definitions: list[Node] = []
    constraints: list[tuple[str | None, Node]] = []
    likes: list[tuple[Table, int]] = []
    for item in node.table_elts:
        kind = item.WhichOneof("node")
        if kind == "column_def":
            _add_column(item.column_def, name, columns, inherited, definitions, constraints, at)
        elif kind == "constraint":
            constraints.append((None, item.constraint))
        elif kind == "table_like_clause":
            _like(item.table_like_clause, name, columns, likes, at)
    # heap_create_with_catalog looks for the name only now: a column twice or an unknown type is told first.
    at.require_free(name)
    owner = at.builder.current_user
    table = Table(
        name, tuple(columns.values()), (at.origin("create"),), owner=owner, partitioned=node.HasField("partspec"),
        inherits=() if node.HasField("partbound") else tuple(parent.name for parent in parents),
        partition_of=parents[0].name if node.HasField("partbound") else None,
    )  # fmt: skip
    at.builder.tables[name] = table
    grant_defaults("table", name, at)
    for item in node.table_elts:
        # A column of a partition or of a typed table: its options alone.
        if item.WhichOneof("node") == "column_def" and not item.column_def.HasField("type_name"):
            table = _column_options(item.column_def, table, constraints, at)
    if node.HasField("partspec"):
        _partition_key(node.partspec, table, at)
    for definition in definitions:
        table = define_default(definition, table, at)
    for source, options in likes:
        table = _copy_defaults(source, options, table, at)
    for parent in parents:
        _inherit(parent, table, at)
    for column_name, constraint in _ordered(constraints):
        table = add_constraint(constraint, at.builder.tables[name], at, column=column_name)
    for source, options in likes:
        _copy_rest(source, options, at.builder.tables[name], at)
    if node.HasField("partbound"):
        attach_partition(parents[0], at.builder.tables[name], at)


def _add_column(
    node: Node,
    table: QName,
    columns: dict[str, Column],
    inherited: set[str],
    definitions: list[Node],
    constraints: list[tuple[str | None, Node]],
    at: Applying,
) -> None:
    name = truncate_identifier(node.colname)
    if not node.HasField("type_name"):  # a column of a partition or typed table, with options only
        if name not in columns:
            raise Refused("42703", f'column "{name}" does not exist', subjects=[table])
        return
    column, own = define_column(node, table, at)
    if name in columns:
        if name not in inherited:
            raise Refused("42701", f'column "{name}" specified more than once', subjects=[table])
        inherited.discard(name)
        kept = columns[name]
        column = replace(column, nullable=column.nullable and kept.nullable, default=column.default or kept.default)
    columns[name] = replace(column, name=name)
    definitions.append(node)
    constraints += [(name, constraint) for constraint in own]


def _of_type(node: Node, at: Applying) -> list[Column]:
    """The columns of a typed table (transformOfType)."""
    schema, name = type_parts(node)
    found = at.builder.find_type(name, schema)
    details = at.builder.type_details.get(found) if found is not None else None
    if found is None:
        at.type(node)  # refused
        return []
    if found not in at.builder.types or at.builder.types[found].kind != "composite" or details is None:
        raise Refused("42809", f"type {name} is not a composite type")
    return [Column(attribute, kind) for attribute, kind in details.attributes]


def _column_options(node: Node, table: Table, constraints: list[tuple[str | None, Node]], at: Applying) -> Table:
    for item in node.constraints:
        kind = item.constraint.contype
        if kind == ConstrType.CONSTR_NOTNULL:
            table = set_column(table, node.colname, at, nullable=False)
        elif kind == ConstrType.CONSTR_DEFAULT:
            table = set_default(table, node.colname, item.constraint.raw_expr, at)
        else:
            constraints.append((node.colname, item.constraint))
    return table


def _ordered(constraints: list[tuple[str | None, Node]]) -> list[tuple[str | None, Node]]:
    """Checks, primary key, other keys, foreign keys; two equal keys are one (transformIndexConstraints)."""
    rank = {
        ConstrType.CONSTR_NOTNULL: 0,
        ConstrType.CONSTR_CHECK: 1,
        ConstrType.CONSTR_PRIMARY: 2,
        ConstrType.CONSTR_UNIQUE: 3,
        ConstrType.CONSTR_EXCLUSION: 3,
        ConstrType.CONSTR_FOREIGN: 5,
    }
    kept: list[tuple[str | None, Node]] = []
    keys: dict[tuple[str, ...], Node] = {}
    for column, constraint in sorted(constraints, key=lambda each: rank.get(each[1].contype, 4)):
        if constraint.contype in (ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE):
            key = tuple(strings(constraint.keys)) or (column or "",)
            first = keys.get(key)
            if first is not None and constraint.contype == ConstrType.CONSTR_UNIQUE:
                if not first.conname and constraint.conname:
                    first.conname = constraint.conname
                continue
            keys.setdefault(key, constraint)
        kept.append((column, constraint))
    return kept


def _parents(node: Node, at: Applying) -> list[Table]:
    parents = [at.table(item.range_var) for item in node.inh_relations]
    if node.HasField("partbound") and not parents[0].partitioned:
        raise Refused("42P17", f'"{parents[0].name.name}" is not partitioned', subjects=[parents[0].name])
    return parents


def _partition_key(node: Node, table: Table, at: Applying) -> None:
    key = []
    for item in node.part_params:
        element = item.partition_elem
        if element.name:
            if table.column(element.name) is None:
                raise Refused(
                    "42703", f'column "{element.name}" named in partition key does not exist', subjects=[table.name]
                )
            key.append(element.name)
        else:
            at.expression(element.expr, table)
    at.builder.extras["partition key", table.name] = tuple(key)


def _inherit(parent: Table, table: Table, at: Applying) -> None:
    """Checks come with their names; partitions have the keys and foreign keys too, but see `attach_partition`."""
    for constraint in at.builder.constraints_of(parent.name):
        details = details_of(at.builder, parent.name, constraint.name)
        if constraint.type == "c" and not details.no_inherit:
            store(
                replace(constraint, table=table.name, history=(at.origin("create"),)),
                replace(details, inherited=True),
                at,
            )
            uses = at.builder.uses.get(("constraint", parent.name, constraint.name), Uses())
            at.builder.uses["constraint", table.name, constraint.name] = moved_uses(uses, parent.name, table.name)
    for column in parent.columns:
        if ("default", parent.name, column.name) in at.builder.uses:
            uses = at.builder.uses["default", parent.name, column.name]
            at.builder.uses["default", table.name, column.name] = moved_uses(uses, parent.name, table.name)


def _like(node: Node, name: QName, columns: dict[str, Column], likes: list[tuple[Table, int]], at: Applying) -> None:
    """LIKE copies names, types and NOT NULL; the rest as INCLUDING says (transformTableLikeClause)."""
    relation = at.relation(node.relation)
    assert relation is not None
    source = at.builder.tables.get(relation[0])
    if source is None:
        view = at.builder.views.get(relation[0])
        if view is None:
            raise Refused("42809", f'relation "{relation[0].name}" is invalid in LIKE clause', subjects=[name])
        source = Table(view.name, view.columns, view.history)
    options = node.options
    for column in source.columns:
        if column.name in columns:
            raise Refused("42701", f'column "{column.name}" specified more than once', subjects=[name])
        columns[column.name] = Column(
            column.name,
            column.type,
            column.nullable,
            identity=column.identity if options & _LIKE_IDENTITY else None,
            generated=column.generated if options & _LIKE_GENERATED else None,
            comment=column.comment if options & _LIKE_COMMENTS else None,
        )
    likes.append((source, options))


def _copy_defaults(source: Table, options: int, table: Table, at: Applying) -> Table:
    for column in source.columns:
        if options & _LIKE_DEFAULTS and column.default is not None:
            table = set_column(table, column.name, at, default=column.default)
            uses = at.builder.uses.get(("default", source.name, column.name))
            if uses is not None:
                at.builder.uses["default", table.name, column.name] = uses
        if options & _LIKE_IDENTITY and column.identity:
            create_owned_sequence(table.name, column.name, at)
    return table


def _copy_rest(source: Table, options: int, table: Table, at: Applying) -> None:
    if options & _LIKE_CONSTRAINTS:
        for constraint in at.builder.constraints_of(source.name):
            if constraint.type == "c":
                uses = at.builder.uses.get(("constraint", source.name, constraint.name), Uses())
                details = details_of(at.builder, source.name, constraint.name)
                store(replace(constraint, table=table.name, history=(at.origin("create"),)), details, at)
                at.builder.uses["constraint", table.name, constraint.name] = moved_uses(uses, source.name, table.name)
    if options & _LIKE_INDEXES:
        for index in at.builder.indexes_of(source.name):
            copy_index(index, table, at)
