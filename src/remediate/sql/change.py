"""What an INSERT, UPDATE or DELETE reads: resolved as a SELECT is, so that what is missing is found."""

from __future__ import annotations

from remediate.sql.context import Context, Entry
from remediate.sql.parse import Node
from remediate.sql.select import condition, source, spell_select, spell_with


def resolve_change(node: Node, context: Context, target: Entry) -> None:
    """In PostgreSQL's order (transformUpdateStmt): WITH, FROM or USING, WHERE, what SET assigns, then what is returned.

    Raises what the parts raise; `Unspelled` ends it where something is only copied.
    """
    with_clause = node.HasField("with_clause")
    if with_clause:
        spell_with(node, context)
    try:
        if hasattr(node, "select_stmt"):
            query = node.select_stmt.select_stmt if node.HasField("select_stmt") else None
            # Rows of constants are looked at elsewhere: there may be thousands.
            if query is not None and not query.values_lists:
                spell_select(query, context)
            with context.level() as entries:
                entries.append(target)
                _resolve_returned(node, context)
            return
        with context.level() as entries:
            entries.append(target)
            for item in node.from_clause if hasattr(node, "from_clause") else node.using_clause:
                source(item, context, entries)
            if node.HasField("where_clause"):
                condition(node.where_clause, "WHERE", context)
            for item in getattr(node, "target_list", ()):
                context.spell(item.res_target.val, context)
            _resolve_returned(node, context)
    finally:
        if with_clause:
            context.ctes.pop()


def _resolve_returned(node: Node, context: Context) -> None:
    for item in node.returning_clause.exprs:
        context.spell(item.res_target.val, context)
