"""Column references: found in the relations in scope, qualified as ruleutils.c get_variable does."""

from __future__ import annotations

from remediate.sql.context import Context, Entry
from remediate.sql.parse import Node
from remediate.sql.piece import ATOM, Piece
from remediate.sql.quote import quote_identifier

_SYSTEM = {
    "ctid": "tid", "xmin": "xid", "xmax": "xid", "cmin": "cid", "cmax": "cid", "tableoid": "oid",
}  # fmt: skip


def spell_column(node: Node, context: Context) -> Piece:
    """A column, or a whole row."""
    fields = node.fields
    names = [part.string.sval for part in fields if part.WhichOneof("node") == "string"]
    if len(names) < len(fields):  # t.* or *
        return Piece(".".join([*map(quote_identifier, names), "*"]), ATOM, "record")
    if len(names) == 1:
        return _unqualified(names[0], context)
    if len(names) > 3:
        return Piece(".".join(map(quote_identifier, names)))
    return _qualified(names, context)


def belongs_here(node: Node, context: Context, *, unless_found: bool = True) -> bool:
    """Whether a column is one of the innermost FROM list; `unless_found` where it is found in none."""
    names = [part.string.sval for part in node.fields if part.WhichOneof("node") == "string"]
    if len(names) < len(node.fields) or not context.levels:
        return True
    for depth in range(len(context.levels) - 1, -1, -1):
        for entry in context.levels[depth]:
            known = entry.columns is None or names[-1] in entry.columns or names[-1] in _SYSTEM
            if known if len(names) == 1 else entry.alias == names[-2]:
                return depth == len(context.levels) - 1
    return unless_found


def _unqualified(name: str, context: Context) -> Piece:
    all_known = True
    for depth in range(len(context.levels) - 1, -1, -1):
        for entry in context.levels[depth]:
            if entry.columns is None:
                all_known = False
            elif (name in entry.columns and name not in entry.merged) or name in _SYSTEM:
                return spell_found(entry, name, context)
    for depth in range(len(context.levels) - 1, -1, -1):
        for entry in context.levels[depth]:
            if entry.alias == name:
                return Piece(f"{quote_identifier(name)}.*", ATOM, None)
    if all_known and context.levels:
        context.lookup.missing_column(name, None)
    return Piece(quote_identifier(name))


def _qualified(names: list[str], context: Context) -> Piece:
    column = names[-1]
    alias, schema = names[-2], names[0] if len(names) == 3 else None
    for depth in range(len(context.levels) - 1, -1, -1):
        for entry in context.levels[depth]:
            if entry.alias != alias or (schema and entry.relation and entry.relation[0] != schema):
                continue
            if entry.columns is None:
                break
            if column in entry.columns or column in _SYSTEM:
                return spell_found(entry, column, context)
            context.lookup.missing_column(column, alias)
    # A field of a composite column, or a relation that is not known.
    every = [entry for level in reversed(context.levels) for entry in level]
    if len(names) == 2:
        for entry in every:
            if entry.columns is not None and alias in entry.columns:
                return Piece(f"({spell_found(entry, alias, context).text}).{quote_identifier(column)}")
        # A composite column of a relation that is not known would look the same.
        if every and all(entry.columns is not None and entry.alias != alias for entry in every):
            context.lookup.missing_entry(alias)
    return Piece(".".join(map(quote_identifier, names[-2:])))


def spell_found(entry: Entry, column: str, context: Context) -> Piece:
    """A column of an entry, under its new name where it is being renamed."""
    type_name = (entry.columns or {}).get(column) or _SYSTEM.get(column)
    written = column
    if entry.relation is not None:
        context.columns.add((entry.relation, column))
        written = context.rename_columns.get((entry.relation, column), column)
    text = quote_identifier(written)
    if entry.qualify or len(context.levels) > 1:
        text = f"{quote_identifier(alias_of(entry, context))}.{text}"
    return Piece(text, ATOM, type_name)


def alias_of(entry: Entry, context: Context) -> str:
    """What the entry is called in the text: a table without alias follows its own renaming."""
    if entry.printed:
        return entry.printed
    if entry.relation is not None and entry.alias == entry.relation[1]:
        return context.rename_relations.get(entry.relation, entry.relation)[1]
    return entry.alias
