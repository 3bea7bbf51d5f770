"""Column definitions: types, defaults, identity, serial (parse_utilcmd.c transformColumnDefinition)."""

from __future__ import annotations

from typing import Literal

from remediate.replay.apply.base import Applying, uses_of
from remediate.replay.apply.casts import require_assignable, require_label
from remediate.replay.apply.default_privileges import grant_defaults
from remediate.replay.apply.definitions import written
from remediate.replay.catalog import Column, QName, Sequence, Table
from remediate.replay.copying import replace
from remediate.replay.refused import Refused
from remediate.sql.deparse import Spelled
from remediate.sql.nodes import ConstrType
from remediate.sql.parse import Node
from remediate.sql.quote import choose_name, quote_literal
from remediate.sql.types import base_type, serial_type

KEYS_AND_CHECKS = (
    ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE, ConstrType.CONSTR_CHECK, ConstrType.CONSTR_FOREIGN,
    ConstrType.CONSTR_EXCLUSION,
)  # fmt: skip


def define_column(node: Node, table: QName, at: Applying) -> tuple[Column, list[Node]]:
    """The column without its default, and the constraints that stand in its definition.

    The default is set by `define_default`, once the table is there.
    """
    serial = serial_type(node.type_name)
    name = node.colname
    column = Column(name, serial or at.type(node.type_name), nullable=serial is None)
    if column.type in ("unknown", "record", "void", "trigger"):
        raise Refused("42P16", f'column "{name}" has pseudo-type {column.type}', subjects=[table])
    said_null = False
    constraints = []
    attached: Node | None = None
    for item in node.constraints:
        constraint = item.constraint
        kind = constraint.contype
        if kind == ConstrType.CONSTR_NOTNULL:
            if said_null:
                raise Refused("42601", f'conflicting NULL/NOT NULL declarations for column "{name}"', subjects=[table])
            column = replace(column, nullable=False)
        elif kind == ConstrType.CONSTR_NULL:
            if not column.nullable:
                raise Refused("42601", f'conflicting NULL/NOT NULL declarations for column "{name}"', subjects=[table])
            said_null = True
        elif kind == ConstrType.CONSTR_IDENTITY:
            identity: Literal["always", "by default"] = "always" if constraint.generated_when == "a" else "by default"
            column = replace(column, nullable=False, identity=identity)
            if base_type(column.type) not in ("smallint", "integer", "bigint"):
                raise Refused("22023", "identity column type must be smallint, integer, or bigint", subjects=[table])
        elif kind in KEYS_AND_CHECKS:
            if kind == ConstrType.CONSTR_PRIMARY:
                column = replace(column, nullable=False)
            attached = constraint
            constraints.append(constraint)
        elif attached is not None:
            _attribute(attached, kind)
    return column, constraints


def _attribute(constraint: Node, kind: int) -> None:
    """transformConstraintAttrs: DEFERRABLE and its like follow the constraint that they belong to."""
    if kind in (ConstrType.CONSTR_ATTR_DEFERRABLE, ConstrType.CONSTR_ATTR_DEFERRED):
        constraint.deferrable = True
    if kind == ConstrType.CONSTR_ATTR_DEFERRED:
        constraint.initdeferred = True


def define_default(node: Node, table: Table, at: Applying) -> Table:
    """Default, generation expression, or sequence of a column that is in the table by now."""
    serial = serial_type(node.type_name)
    name = node.colname
    if serial is not None:
        sequence = create_owned_sequence(table.name, name, at)
        return set_column(table, name, at, default=nextval(sequence))
    for item in node.constraints:
        constraint = item.constraint
        if constraint.contype == ConstrType.CONSTR_DEFAULT:
            table = set_default(table, name, constraint.raw_expr, at)
        elif constraint.contype == ConstrType.CONSTR_GENERATED:
            spelled = at.expression(constraint.raw_expr, table)
            _require_immutable(spelled, table)
            table = set_column(table, name, at, generated=spelled.text)
            at.builder.uses["default", table.name, name] = uses_of(spelled, at.builder)
        elif constraint.contype == ConstrType.CONSTR_IDENTITY:
            create_owned_sequence(table.name, name, at)
    return table


def _require_immutable(spelled: Spelled, table: Table) -> None:
    if not spelled.immutable:
        raise Refused("42P17", "generation expression is not immutable", subjects=[table.name])


def set_default(table: Table, name: str, node: Node, at: Applying) -> Table:
    """ALTER COLUMN SET DEFAULT. A plain NULL is no default (AddRelationNewConstraints)."""
    column = table.column(name)
    assert column is not None
    try:
        spelled = at.expression(node, wanted=column.type, no_subquery="DEFAULT expression")
    except Refused as refused:
        if refused.code == "42703":
            raise Refused(
                "0A000", "cannot use column reference in DEFAULT expression", subjects=[table.name]
            ) from refused
        raise
    if node.WhichOneof("node") == "a_const" and node.a_const.WhichOneof("val") == "sval":
        require_label(node.a_const.sval.sval, column.type, at)
    if spelled.type is not None:
        require_assignable(spelled.type, column, table, "default expression")
    text: str | None = spelled.text
    key = ("default", table.name, name)
    if text == "NULL" and "(" not in column.type:
        text = None
    table = set_column(table, name, at, default=text)
    if text is not None:
        at.builder.uses["default", table.name, name] = uses_of(spelled, at.builder)
    elif key in at.builder.uses:
        del at.builder.uses["default", table.name, name]
    return table


def set_column(table: Table, name: str, at: Applying, **changes: object) -> Table:
    """Replaces fields of one column."""
    columns = tuple(replace(each, **changes) if each.name == name else each for each in table.columns)
    table = replace(table, columns=columns)
    at.builder.tables[table.name] = table
    return table


def nextval(sequence: QName) -> str:
    return f"nextval({quote_literal(written(sequence))}::regclass)"


def create_owned_sequence(table: QName, column: str, at: Applying) -> QName:
    """ChooseRelationName(table, column, "seq"), owned by the column."""
    taken = at.relation_taken(table.schema)
    sequence = QName(table.schema, choose_name(table.name, column, "seq", taken))
    at.builder.sequences[sequence] = Sequence(sequence, (table, column), (at.origin("create"),))
    grant_defaults("sequence", sequence, at)
    return sequence
