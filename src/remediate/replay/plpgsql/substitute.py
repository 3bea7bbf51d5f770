"""Puts the values of PL/pgSQL variables into SQL statements, where PostgreSQL would pass them as parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from remediate.evaluate.values import Unknown
from remediate.replay.questions.session import Session
from remediate.replay.questions.values import Json, Oid, Value, to_text
from remediate.sql.quote import quote_literal

Find = Callable[[tuple[str, ...]], tuple[str, Value] | None]


def nodes(message: Any, wanted: str) -> Iterator[Any]:
    """Every message of that kind (`ColumnRef`, `ParamRef`, `RangeVar`) in a syntax tree."""
    stack = [message]
    while stack:
        current = stack.pop()
        if current.DESCRIPTOR.name == wanted:
            yield current
        for descriptor, value in current.ListFields():
            if descriptor.message_type is None:
                continue
            stack.extend(value if not hasattr(value, "DESCRIPTOR") else [value])


def literal(value: Value, type_name: str, session: Session) -> str:
    """A value as an SQL constant; NULL for what is not known (nothing in a statement's effect hangs on it)."""
    if isinstance(value, Oid):
        value = session.spell_oid(value)
    if value is None or isinstance(value, Unknown):
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) and type_name != "text":
        return str(value)
    text = to_text(value, type_name)
    if text is None or isinstance(text, Unknown):
        return "NULL"
    suffix = f"::{type_name}" if type_name.endswith("[]") or isinstance(value, Json) else ""
    return quote_literal(text) + suffix


def substitute(text: str, node: Any, find: Find, session: Session) -> str:
    """`text` with the references to variables replaced; `node` is its tree, whose locations count its bytes."""
    data = text.encode()
    edits: list[tuple[int, int, str]] = []
    shadowed = _column_names(node, session)
    for reference in nodes(node, "ColumnRef"):
        path = tuple(part.string.sval for part in reference.fields if part.WhichOneof("node") == "string")
        if len(path) != len(reference.fields) or (len(path) == 1 and path[0] in shadowed):
            continue
        found = find(path)
        if found is not None:
            edits.append(_edit(data, reference.location, found, session))
    for parameter in nodes(node, "ParamRef"):
        found = find((f"${parameter.number}",))
        if found is not None:
            end = parameter.location + len(f"${parameter.number}")
            edits.append((parameter.location, end, literal(found[1], found[0], session)))
    for start, end, replacement in sorted(edits, reverse=True):
        data = data[:start] + replacement.encode() + data[end:]
    return data.decode()


def _edit(data: bytes, start: int, found: tuple[str, Value], session: Session) -> tuple[int, int, str]:
    """The span of a column reference, which the tree only gives the start of."""
    position = start
    while True:
        if data[position : position + 1] == b'"':
            position = data.index(b'"', position + 1) + 1
            while data[position : position + 1] == b'"':
                position = data.index(b'"', position + 1) + 1
        else:
            while position < len(data) and _is_word(data[position]):
                position += 1
        following = position
        while data[following : following + 1].isspace():
            following += 1
        if data[following : following + 1] != b".":
            return start, position, literal(found[1], found[0], session)
        position = following + 1
        while data[position : position + 1].isspace():
            position += 1


def _is_word(byte: int) -> bool:
    return byte > 127 or chr(byte).isalnum() or chr(byte) in "_$"


def _column_names(node: Any, session: Session) -> set[str]:
    """The columns of the relations that the statement reads; a variable of such a name is ambiguous, or not meant."""
    names: set[str] = set()
    inserted = node.relation if node.DESCRIPTOR.name == "InsertStmt" else None
    for relation in nodes(node, "RangeVar"):
        if inserted is not None and relation == inserted:
            continue
        found = session.reader.find_relation(relation.relname, relation.schemaname or None)
        table = session.reader.tables.get(found[0]) if found else None
        if table is not None:
            names.update(column.name for column in table.columns)
    return names
