"""OPEN, FETCH, MOVE and CLOSE of cursors, which are read as a whole when they are opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from remediate.evaluate.values import Unknown
from remediate.replay.plpgsql.evaluation import Computed, Found
from remediate.replay.plpgsql.interpreter import Interpreter
from remediate.replay.plpgsql.statements import dynamic_query
from remediate.replay.plpgsql.variables import Frame, Variable
from remediate.replay.refused import Refused
from remediate.sql.plpgsql.tree import CursorStatement, Sql


@dataclass(slots=True)
class OpenCursor:
    """What a variable of the type refcursor holds while it is open; `query` is that of a bound one."""

    found: Found
    query: Sql | None = None
    position: int = 0


def run_cursor(machine: Interpreter, statement: CursorStatement) -> None:
    variable = machine.frames.find(statement.name)
    if variable is None:
        raise Refused("42601", f'"{statement.name}" is not a known variable')
    if statement.verb == "open":
        _open(machine, variable, statement)
        return
    cursor = variable.value
    if not isinstance(cursor, OpenCursor):
        if cursor is None or not isinstance(cursor, Unknown):
            raise Refused("34000", f'cursor "{statement.name}" does not exist')
        _lose(machine, statement, cursor)
    elif statement.verb == "close":
        variable.set(cursor.query, cursor.query)
    elif isinstance(cursor.found.rows, Unknown) or not statement.next:
        reason = cursor.found.rows if isinstance(cursor.found.rows, Unknown) else Unknown("the row that a cursor is at")
        _lose(machine, statement, reason)
    else:
        _step(machine, statement, cursor, cursor.found.rows)


def bound_query(machine: Interpreter, variable: Variable, arguments: Sequence[tuple[str | None, Sql]]) -> Found:
    """The rows of a cursor that was declared with its query, with the arguments that it is opened with."""
    query = variable.value
    assert isinstance(query, Sql)
    if len(arguments) != len(variable.parameters):
        raise Refused("42601", "not enough arguments for cursor" if not arguments else "wrong arguments for cursor")
    names: dict[str, Variable] = {}
    for (name, kind), (given, argument) in zip(variable.parameters, arguments, strict=True):
        computed = machine.compute(argument)
        names[given or name] = Variable(kind, computed.value, computed.fresh)
    machine.frames.stack.append(Frame(None, names))
    try:
        return machine.evaluation.query(query.text, machine.host.reader)
    finally:
        machine.frames.stack.pop()


def _open(machine: Interpreter, variable: Variable, statement: CursorStatement) -> None:
    if isinstance(variable.value, OpenCursor):
        raise Refused("42P03", f'cursor "{statement.name}" already in use')
    if isinstance(variable.value, Sql):
        found = bound_query(machine, variable, statement.arguments)
    elif statement.query is None:
        raise Refused("42601", 'syntax error at or near ";"')
    elif statement.dynamic:
        found = dynamic_query(machine, statement.query, statement.parameters, statement.offset)
    else:
        found = machine.evaluation.query(statement.query.text, machine.host.reader)
    if isinstance(found.rows, Unknown):
        machine.host.unknown(f"a cursor over rows: {found.rows.reason}", statement.offset, (), machine.conditional)
    elif found.doubt is not None:
        machine.host.assume(f"a cursor over rows {found.doubt}", statement.offset)
    cursor = OpenCursor(found, variable.value if isinstance(variable.value, Sql) else None)
    variable.set(cursor, cursor)


def _step(
    machine: Interpreter, statement: CursorStatement, cursor: OpenCursor, rows: Sequence[Sequence[object]]
) -> None:
    there = cursor.position < len(rows)
    if statement.into:
        row = rows[cursor.position] if there else [None] * len(cursor.found.columns)
        machine.store_row(statement.into, cursor.found.columns, row)
    cursor.position += 1
    doubt = cursor.found.doubt
    machine.set_found(Unknown(doubt, about_data=True) if doubt else there, there)


def _lose(machine: Interpreter, statement: CursorStatement, reason: Unknown) -> None:
    """Rows that nothing can tell: a loop over them ends at once."""
    for target in statement.into:
        machine.store(target, Computed("text", reason, reason))
    machine.set_found(Unknown(reason.reason, about_data=True), False)
