"""Rows that PostgreSQL refuses for what is known of them: a NULL, a duplicate, a row that nothing is referred to by.

Duplicates and references stand on there being no rows but those of the migrations, as on a fresh database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from remediate.evaluate.values import Unknown
from remediate.replay.builder import CatalogBuilder
from remediate.replay.catalog import Column, Constraint, QName, Table
from remediate.replay.questions.operators import both, equal
from remediate.replay.questions.remembered import added, remembered
from remediate.replay.questions.session import Session
from remediate.replay.questions.values import Value
from remediate.replay.refused import Refused
from remediate.replay.row_log import Lost, RowLog
from remediate.sql.parse import Node

_Row = Mapping[str, Value]


def refuse_nulls(node: Node, table: Table, builder: CatalogBuilder) -> None:
    """23502 for a row of VALUES without a value for a column that needs one and has no default."""
    if not node.HasField("select_stmt"):
        rows: list[Sequence[Node]] = [()]
    else:
        rows = [row.list.items for row in node.select_stmt.select_stmt.values_lists]
    if _may_be_filled(table.name, builder):
        return
    names = [item.res_target.name for item in node.cols] or [column.name for column in table.columns]
    columns = [column for column in table.columns if not column.nullable]
    # Rows of one statement are much alike: without a NULL in any, the first one stands for all.
    for values in rows if any(_is_null(value) for row in rows for value in row) else rows[:1]:
        given = dict(zip(names, values, strict=False))
        for column in columns:
            value = given.get(column.name)
            missing = value is None or value.WhichOneof("node") == "set_to_default"
            if _is_null(value) or (missing and not _has_default(column, builder)):
                where = f'column "{column.name}" of relation "{table.name.name}"'
                raise Refused("23502", f"null value in {where} violates not-null constraint", subjects=[table.name])


def refuse_keys(table: Table, builder: CatalogBuilder, *, commits: bool) -> None:
    """23505 and 23503 for what the newest statement added to a table, where its rows and the others' are known.

    `commits`: the statement ends its transaction, and with it what is deferred is checked.
    """
    log = builder.rows.get(table.name)
    if ("uncertain rows", table.name) in builder.extras:
        return  # a statement about them may not have run
    if not isinstance(log, RowLog) or builder.setting("session_replication_role") == "replica":
        return
    session = Session(builder)
    found = added(log, session)
    if found is None:
        return
    old, new, may_conflict = found
    if not may_conflict:
        for key in _unique_keys(table, builder):
            for at, row in enumerate(new):
                if any(_same(row, key, other, key) is True for other in (*old, *new[:at])):
                    raise Refused("23505", "duplicate key value violates unique constraint", subjects=[table.name])
    if any("disable trigger" in origin.statement.lower() for origin in table.history):
        return
    for constraint in builder.constraints_of(table.name):
        if constraint.type == "f" and (commits or "INITIALLY DEFERRED" not in constraint.definition):
            _refuse_reference(constraint, new, session, builder)


def _refuse_reference(constraint: Constraint, new: Sequence[_Row], session: Session, builder: CatalogBuilder) -> None:
    assert constraint.references is not None
    parents = _rows_of(constraint.references, session, builder)
    if parents is None:
        return
    for row in new:
        values = [row.get(name) for name in constraint.columns]
        # Of a key of several columns one NULL is enough (MATCH SIMPLE).
        if any(value is None or isinstance(value, Unknown) for value in values):
            continue
        met = [_same(row, constraint.columns, parent, constraint.referenced_columns) for parent in parents]
        if all(one is False for one in met):
            table = constraint.table
            message = f'insert or update on table "{table.name}" violates foreign key constraint "{constraint.name}"'
            raise Refused("23503", message, subjects=[table])


def _rows_of(name: QName, session: Session, builder: CatalogBuilder) -> Sequence[_Row] | None:
    """All rows of a table, None where they cannot be told. What nothing was ever written to is empty."""
    log = builder.rows.get(name)
    table = builder.tables.get(name)
    if isinstance(log, Lost) or table is None or table.partitioned or builder.tables.of(name):
        return None
    if ("uncertain rows", name) in builder.extras:
        return None
    return [] if log is None else remembered(log, session)


def _unique_keys(table: Table, builder: CatalogBuilder) -> Iterator[tuple[str, ...]]:
    for constraint in builder.constraints_of(table.name):
        if constraint.type in ("p", "u") and "DEFERRABLE" not in constraint.definition:
            yield constraint.columns
    for index in builder.indexes_of(table.name):
        if index.unique and not index.constraint and index.predicate is None and all(map(table.column, index.columns)):
            yield index.columns


def _same(one: _Row, names: Sequence[str], other: _Row, theirs: Sequence[str]) -> Value:
    return both(equal(one.get(mine), other.get(name)) for mine, name in zip(names, theirs, strict=True))


def _has_default(column: Column, builder: CatalogBuilder) -> bool:
    if column.default is not None or column.identity is not None or column.generated is not None:
        return True
    # A domain may have a default of its own.
    return any(kind.kind == "domain" and kind.name.name in column.type for kind in builder.types.values())


def _may_be_filled(table: QName, builder: CatalogBuilder) -> bool:
    """Whether a trigger sees the row first, or the row may go to another table."""
    return any(
        trigger.row and trigger.timing.lower() != "after" and "insert" in [event.lower() for event in trigger.events]
        for trigger in builder.triggers_of(table)
    )


def _is_null(value: Node | None) -> bool:
    return value is not None and value.WhichOneof("node") == "a_const" and bool(value.a_const.isnull)
