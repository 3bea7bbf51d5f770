"""Keeps the memory of rows (`row_log.py`) while statements are applied."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from remediate.replay.apply.base import Applying
from remediate.replay.builder import CatalogBuilder
from remediate.replay.catalog import QName, Table
from remediate.replay.questions.answer import run_select
from remediate.replay.questions.errors import NotUnderstood
from remediate.replay.questions.session import Session
from remediate.replay.refused import Refused
from remediate.replay.row_log import (
    MOST_EVENTS,
    MOST_ROWS,
    Emptied,
    Event,
    Inserted,
    Lost,
    Reset,
    Reshaped,
    RowLog,
    Wrote,
)
from remediate.sql.nodes import AlterTableType
from remediate.sql.parse import Node

_ABOUT_ROWS: Final = frozenset({"select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"})
_STEPS: Final = 50_000
"""What computing the rows of one INSERT … SELECT may cost: it is done whether or not anyone asks."""


def lose(builder: CatalogBuilder, table: QName) -> None:
    """From here on nobody knows its rows."""
    if table in builder.tables:
        builder.rows[table] = Lost()


def lose_about(builder: CatalogBuilder, tables: Iterable[QName]) -> None:
    """Something that cannot be followed may have happened to these tables, or to any where there are none."""
    for table in list(tables) or list(builder.rows):
        if table in builder.rows:
            lose(builder, table)


def note(builder: CatalogBuilder, table: QName, event: Event) -> None:
    log = builder.rows.get(table)
    if isinstance(log, Lost):
        return
    if log is not None and log.length >= MOST_EVENTS:
        builder.rows[table] = Lost()
        return
    builder.rows[table] = RowLog(event, log)


def write_rows(node: Node, verb: str, relation: QName, at: Applying) -> None:
    """INSERT, UPDATE, DELETE or MERGE of a table of the user's."""
    builder = at.builder
    table = builder.tables.get(relation)
    if at.sent.conditional:
        builder.extras["uncertain rows", relation] = True
    view = builder.views.get(relation)
    if view is not None:
        for name in [name for name in view.reads if name in builder.rows]:
            lose(builder, name)
    log = builder.rows.get(relation)
    if table is None or isinstance(log, Lost) or (log is None and verb != "insert"):
        return
    if verb == "merge" or _is_split(table, builder) or node.HasField("with_clause"):
        lose(builder, relation)
        return
    if at.sent.unknown_values is not None or at.sent.gap is not None:
        lose(builder, relation)
        return
    if _fires(verb, relation, builder):
        return
    if verb == "delete":
        _follow_references(relation, builder)
    if verb == "insert":
        event = _insert(node, table, builder)
    else:
        event = Wrote("update" if verb == "update" else "delete", node, table)
    if event is None:
        lose(builder, relation)
    else:
        note(builder, relation, event)


def written_in_with(node: Node, builder: CatalogBuilder) -> None:
    """Data changes in WITH: what they do to the rows is not followed."""
    if not node.HasField("with_clause"):
        return
    for item in node.with_clause.ctes:
        query = item.common_table_expr.ctequery
        kind = query.WhichOneof("node")
        if kind in ("insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"):
            relation = getattr(query, kind).relation
            found = builder.find_relation(relation.relname, relation.schemaname or None)
            if found is not None:
                lose(builder, found[0])


def made_from_query(node: Node, builder: CatalogBuilder) -> None:
    """CREATE TABLE … AS and SELECT INTO: the new table has rows that nobody here has counted."""
    found = builder.find_relation(node.rel.relname, node.rel.schemaname or None)
    if found is not None:
        lose(builder, found[0])


def _is_split(table: Table, builder: CatalogBuilder) -> bool:
    """Whether its rows are, in part, those of other tables."""
    return table.partitioned or table.partition_of is not None or bool(table.inherits or builder.tables.of(table.name))


def _insert(node: Node, table: Table, builder: CatalogBuilder) -> Event | None:
    keys = tuple(item.columns for item in builder.constraints_of(table.name) if item.type in ("p", "u"))
    keys += tuple(item.columns for item in builder.indexes_of(table.name) if item.unique and item.predicate is None)
    keys = tuple(dict.fromkeys(keys))
    if not node.HasField("select_stmt"):
        return Wrote("insert", node, table, keys)
    query = node.select_stmt.select_stmt
    if len(query.values_lists) > MOST_ROWS:
        return None
    # A sub-select sees the rows as they are now; everything else can be computed when someone asks.
    later = Wrote("insert", node, table, keys) if query.values_lists else None
    if later is not None and "sub_link" not in str(query.values_lists):
        return later
    try:
        columns, found = run_select(query, Session(builder, steps=_STEPS))
    except (NotUnderstood, Refused):
        return later
    names = [item.res_target.name for item in node.cols] or [column.name for column in table.columns]
    if len(found) > MOST_ROWS or any(reason is not None for _, reason in found) or len(columns) > len(names):
        return later
    types = [kind for _, kind in columns]
    rows = tuple(dict(zip(names, zip(row, types, strict=True), strict=False)) for row, _ in found)
    return Inserted(rows, table, node.HasField("on_conflict_clause"), keys)


def _fires(verb: str, relation: QName, builder: CatalogBuilder) -> bool:
    """Loses what triggers may write; says whether the table's own rows are among it."""
    lost = False
    for trigger in builder.triggers_of(relation):
        if verb not in [event.lower().split()[0] for event in trigger.events]:
            continue
        if trigger.timing.lower() != "after" and trigger.row:
            lose(builder, relation)
            lost = True
        bodies = [one.body for one in builder.find_functions(trigger.function.name, trigger.function.schema)]
        words = set(re.findall(r"\w+", " ".join(bodies)))
        for table in [name for name in builder.rows if name.name in words]:
            lose(builder, table)
            lost = lost or table == relation
    return lost


def _follow_references(relation: QName, builder: CatalogBuilder) -> None:
    """Rows that go, or change, with the rows that they refer to."""
    for key in builder.references_to(relation):
        if key.on_delete in ("cascade", "set null", "set default") and key.table in builder.rows:
            lose(builder, key.table)


def truncated(relation: QName, builder: CatalogBuilder) -> None:
    if relation in builder.rows:
        note(builder, relation, Emptied())


def sequences_set(builder: CatalogBuilder) -> None:
    """Some sequence was set or altered: which, is not looked at."""
    for table in [name for name, log in builder.rows.items() if isinstance(log, RowLog)]:
        note(builder, table, Reset())


def follow(kind: str, node: Node, about: Iterable[QName], builder: CatalogBuilder) -> None:
    """After a statement that changed the schema: the memory moves and changes with the tables that it is about."""
    if kind in _ABOUT_ROWS:
        return
    if kind == "alter_seq_stmt":
        sequences_set(builder)
    if kind == "create_table_as_stmt":
        made_from_query(node.into, builder)
    if not builder.rows:
        return
    for name in dict.fromkeys(about):
        log = builder.rows.get(name)
        if log is None:
            continue
        table = builder.tables.get(name)
        if table is not None and kind == "create_stmt":
            if not node.if_not_exists:
                del builder.rows[name]
        elif table is not None and _recreated(table, log):
            del builder.rows[name]
        elif table is not None:
            _reshape(kind, node, table, log, builder)
        else:
            del builder.rows[name]
            moved = _moved(kind, node, name)
            if moved is not None and moved in builder.tables:
                builder.rows[moved] = log


def _recreated(table: Table, log: RowLog | Lost) -> bool:
    """Whether it is another table than the one that is remembered, which went unseen (with its schema, say)."""
    return isinstance(log, RowLog) and table.history[:1] != shape_of(log).history[:1]


def _moved(kind: str, node: Node, name: QName) -> QName | None:
    if kind == "rename_stmt":
        return QName(name.schema, node.newname)
    if kind == "alter_object_schema_stmt":
        return QName(node.newschema, name.name)
    return None


def _reshape(kind: str, node: Node, table: Table, log: RowLog | Lost, builder: CatalogBuilder) -> None:
    if isinstance(log, Lost):
        return
    before = shape_of(log)
    commands = [item.alter_table_cmd for item in node.cmds] if kind == "alter_table_stmt" else []
    dropped = frozenset(command.name for command in commands if command.subtype == AlterTableType.AT_DropColumn)
    if before.columns == table.columns and not dropped:
        return
    renamed = (node.subname, node.newname) if kind == "rename_stmt" and node.subname else None
    note(builder, table.name, Reshaped(before, table, renamed, dropped))


def shape_of(log: RowLog) -> Table:
    """The table as the newest event that says so knew it."""
    current: RowLog | None = log
    while current is not None:
        event = current.event
        if isinstance(event, Reshaped):
            return event.after
        if isinstance(event, Wrote | Inserted):
            return event.table
        current = current.previous
    raise AssertionError("a memory begins with an insert")
