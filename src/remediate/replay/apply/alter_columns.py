"""The subcommands of ALTER TABLE that are about one column."""

from __future__ import annotations

from remediate.replay.apply.base import Applying
from remediate.replay.apply.casts import casts_by_assignment, certainly_no_cast
from remediate.replay.apply.columns import create_owned_sequence, define_column, define_default, set_column, set_default
from remediate.replay.apply.constraints import add_constraint, children_of, comparable
from remediate.replay.apply.dependents import drop_objects
from remediate.replay.apply.respell import NO_RENAMES, respell
from remediate.replay.catalog import QName, Table
from remediate.replay.copying import replace
from remediate.replay.refused import Refused
from remediate.sql.nodes import ConstrType, DropBehavior
from remediate.sql.parse import Node
from remediate.sql.quote import truncate_identifier
from remediate.sql.types import is_text_like


def add_column(table: Table, command: Node, at: Applying) -> None:
    node = getattr(command, "def").column_def
    name = truncate_identifier(node.colname)
    if table.column(name) is not None:
        if command.missing_ok:
            return
        raise Refused("42701", f'column "{name}" of relation "{table.name.name}" already exists', subjects=[table.name])
    if table.partition_of is not None:
        raise Refused("42809", "cannot add column to a partition", subjects=[table.name])
    column, constraints = define_column(node, table.name, at)
    column = replace(column, name=name)
    table = replace(table, columns=(*table.columns, column))
    at.builder.tables[table.name] = table
    table = define_default(node, table, at)
    for constraint in sorted(constraints, key=lambda each: each.contype == ConstrType.CONSTR_FOREIGN):
        add_constraint(constraint, at.builder.tables[table.name], at, column=name)
    added = at.builder.tables[table.name].column(name)
    assert added is not None
    for child in children_of(at.builder, table.name):
        if child.column(name) is None:
            at.builder.tables[child.name] = replace(child, columns=(*child.columns, added))
            for grandchild in children_of(at.builder, child.name):
                if grandchild.column(name) is None:
                    at.builder.tables[grandchild.name] = replace(grandchild, columns=(*grandchild.columns, added))


def drop_column(table: Table, command: Node, at: Applying) -> None:
    if table.column(command.name) is None:
        if command.missing_ok:
            return
        at.column_of(table, command.name)
    parents = [table.partition_of] if table.partition_of else list(table.inherits)
    if any(at.builder.tables[parent].column(command.name) for parent in parents if parent in at.builder.tables):
        raise Refused("42P16", f'cannot drop inherited column "{command.name}"', subjects=[table.name])
    if command.name in at.builder.extras.get(("partition key", table.name), ()):
        raise Refused(
            "42P16", f'cannot drop column "{command.name}" because it is part of the partition key of relation '
            f'"{table.name.name}"', subjects=[table.name],
        )  # fmt: skip
    cascade = command.behavior == DropBehavior.DROP_CASCADE
    drop_objects([("column", table.name, command.name)], cascade, at, what=f"column {command.name}")


def set_column_default(table: Table, command: Node, at: Applying) -> None:
    at.column_of(table, command.name)
    column = table.column(command.name)
    assert column is not None
    if column.identity:
        raise Refused(
            "42601", f'column "{command.name}" of relation "{table.name.name}" is an identity column',
            subjects=[table.name],
        )  # fmt: skip
    if column.generated:
        raise Refused(
            "42601", f'column "{command.name}" of relation "{table.name.name}" is a generated column',
            subjects=[table.name],
        )  # fmt: skip
    tables = [table]
    while tables:
        each = tables.pop()
        if command.HasField("def"):
            set_default(each, command.name, getattr(command, "def"), at)
        else:
            set_column(each, command.name, at, default=None)
            if ("default", each.name, command.name) in at.builder.uses:
                del at.builder.uses["default", each.name, command.name]
        tables += [child for child in children_of(at.builder, each.name) if child.column(command.name)]


def drop_expression(table: Table, command: Node, at: Applying) -> None:
    at.column_of(table, command.name)
    set_column(table, command.name, at, generated=None)


def set_identity(table: Table, command: Node, at: Applying) -> None:
    """ADD GENERATED … AS IDENTITY, SET GENERATED …"""
    at.column_of(table, command.name)
    column = table.column(command.name)
    assert column is not None
    inner = getattr(command, "def")
    if inner.WhichOneof("node") == "constraint":
        if column.identity:
            raise Refused(
                "55000", f'column "{command.name}" of relation "{table.name.name}" is already an identity column',
                subjects=[table.name],
            )  # fmt: skip
        if column.nullable:
            raise Refused(
                "55000", f'column "{command.name}" of relation "{table.name.name}" must be declared NOT NULL '
                "before identity can be added", subjects=[table.name],
            )  # fmt: skip
        if column.default is not None:
            raise Refused(
                "55000", f'column "{command.name}" of relation "{table.name.name}" already has a default value',
                subjects=[table.name],
            )  # fmt: skip
        kind = "always" if inner.constraint.generated_when == "a" else "by default"
        set_column(table, command.name, at, identity=kind)
        create_owned_sequence(table.name, command.name, at)
        return
    for item in inner.list.items:
        if item.def_elem.defname == "generated":
            kind = "always" if item.def_elem.arg.integer.ival == ord("a") else "by default"
            set_column(table, command.name, at, identity=kind)


def drop_identity(table: Table, command: Node, at: Applying) -> None:
    at.column_of(table, command.name)
    column = table.column(command.name)
    if column is None or column.identity is None:
        if command.missing_ok:
            return
        raise Refused(
            "55000", f'column "{command.name}" of relation "{table.name.name}" is not an identity column',
            subjects=[table.name],
        )  # fmt: skip
    set_column(table, command.name, at, identity=None)
    for sequence in at.builder.sequences.of(table.name):
        if sequence.owned_by == (table.name, command.name):
            del at.builder.sequences[sequence.name]


def alter_type(table: Table, command: Node, at: Applying) -> None:
    """ATPrepAlterColumnType, ATExecAlterColumnType: what uses the column decides whether it may change."""
    node = getattr(command, "def").column_def
    at.column_of(table, command.name)
    column = table.column(command.name)
    assert column is not None
    wanted = at.type(node.type_name)
    if command.name in at.builder.extras.get(("partition key", table.name), ()):
        raise Refused(
            "42P16", f'cannot alter column "{command.name}" because it is part of the partition key of relation '
            f'"{table.name.name}"', subjects=[table.name],
        )  # fmt: skip
    if node.HasField("raw_default"):
        given = at.expression(node.raw_default, table).type
        if given is not None and certainly_no_cast(given, wanted):
            message = (
                f'result of USING clause for column "{command.name}" cannot be cast automatically to type {wanted}'
            )
            raise Refused("42804", message, subjects=[table.name])
    elif not casts_by_assignment(column.type, wanted) and not _is_domain(wanted, at):
        raise Refused(
            "42804", f'column "{command.name}" cannot be cast automatically to type {wanted}', subjects=[table.name]
        )
    _require_unused(table, command.name, at)
    if column.default is not None and not _default_fits(column.default, column.type, wanted):
        raise Refused(
            "42804", f'default for column "{command.name}" cannot be cast automatically to type {wanted}',
            subjects=[table.name],
        )  # fmt: skip
    _change_type(table, command.name, wanted, at)


def _is_domain(wanted: str, at: Applying) -> bool:
    found = at.builder.find_type(wanted.strip('"'))
    return found is not None and found in at.builder.types and at.builder.types[found].kind == "domain"


def _default_fits(default: str, source: str, wanted: str) -> bool:
    """The default is cast from the type that it has by itself."""
    if default == "NULL" or casts_by_assignment(source, wanted):
        return True
    return not (is_text_like(source) or "::" in default or default in ("true", "false") or default[:1].isdigit())


def _require_unused(table: Table, name: str, at: Applying) -> None:
    """RememberAllDependentForRebuilding: some dependents cannot be rebuilt."""
    words = {
        "policy": "used in a policy definition",
        "view": "used by a view or rule",
        "trigger": "used in a trigger definition",
        "function": "used by a function or procedure",
    }
    for key in at.builder.uses.keys_of(table.name):
        kind = key[0]
        if (table.name, name) not in at.builder.uses[key].columns:
            continue
        if kind in words:
            raise Refused("0A000", f"cannot alter type of a column {words[kind]}", subjects=[table.name])
        if kind == "default" and key[1] == table.name and key[2] != name:
            raise Refused("0A000", "cannot alter type of a column used by a generated column", subjects=[table.name])


def _change_type(table: Table, name: str, wanted: str, at: Applying) -> None:
    relation = table.name
    set_column(table, name, at, type=wanted)
    column = at.builder.tables[relation].column(name)
    assert column is not None
    for constraint in [*at.builder.constraints_of(relation), *at.builder.references_to(relation)]:
        if constraint.type == "f" and constraint.references is not None:
            _require_still_comparable(constraint.table, constraint.columns, constraint.references,
                                      constraint.referenced_columns, at)  # fmt: skip
    keys = [key for key in at.builder.uses.keys_of(relation) if (relation, name) in at.builder.uses[key].columns]
    respell(keys, NO_RENAMES, at)
    if column.default is not None:
        respell([("default", relation, name)], NO_RENAMES, at)
    for child in children_of(at.builder, relation):
        if child.column(name):
            _change_type(child, name, wanted, at)


def _require_still_comparable(
    table: QName, columns: tuple[str, ...], parent: QName, referenced: tuple[str, ...], at: Applying
) -> None:
    for mine, theirs in zip(columns, referenced, strict=True):
        own, other = at.builder.tables[table].column(mine), at.builder.tables[parent].column(theirs)
        if own and other and not comparable(own.type, other.type):
            raise Refused(
                "42804", f'foreign key constraint cannot be implemented: "{mine}" is {own.type}, "{theirs}" is '
                f"{other.type}", subjects=[table, parent],
            )  # fmt: skip
