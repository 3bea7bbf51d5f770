"""LOOP, WHILE, FOR and FOREACH."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from remediate.evaluate.values import Unknown
from remediate.replay.plpgsql.cursors import bound_query
from remediate.replay.plpgsql.evaluation import Computed, Found
from remediate.replay.plpgsql.interpreter import Interpreter, Leave, TooMuch
from remediate.replay.plpgsql.statements import dynamic_query
from remediate.replay.plpgsql.variables import Frame, Variable
from remediate.replay.questions.values import Value, element_type
from remediate.replay.refused import Refused
from remediate.sql.plpgsql.cursor import Cursor
from remediate.sql.plpgsql.tree import Foreach, ForInteger, ForQuery, Loop, Sql, Statement

_ROUNDS: Final = 10_000


def run_loop(machine: Interpreter, statement: Statement) -> bool:
    """Runs the statement if it is a loop."""
    if isinstance(statement, Loop):
        _loop(machine, statement)
    elif isinstance(statement, ForInteger):
        _for_integer(machine, statement)
    elif isinstance(statement, ForQuery):
        _for_query(machine, statement)
    elif isinstance(statement, Foreach):
        _foreach(machine, statement)
    else:
        return False
    return True


def _round(machine: Interpreter, label: str | None, body: Sequence[Statement]) -> bool:
    """One round; False when the loop is left."""
    machine.budget.step()
    try:
        machine.run_all(body)
    except Leave as leave:
        if leave.label is not None and leave.label != label:
            raise
        return leave.proceed
    return True


def _loop(machine: Interpreter, statement: Loop) -> None:
    for _ in range(_ROUNDS):
        reason = None
        if statement.condition is not None:
            holds, reason = machine.decide(statement.condition)
            if not holds:
                return
        with machine.under(reason):
            if not _round(machine, statement.label, statement.body):
                return
    raise TooMuch(f"a loop of more than {_ROUNDS} rounds")


def _number(machine: Interpreter, sql: Sql) -> tuple[int | None, str | None]:
    computed = machine.compute(sql)
    reason = None
    value = computed.value
    if isinstance(value, Unknown):
        reason, value = value.reason, computed.fresh
    if value is None:
        raise Refused("22004", "bound of FOR loop cannot be null")
    return (int(value) if not isinstance(value, Unknown) else None), reason


def _for_integer(machine: Interpreter, statement: ForInteger) -> None:
    bounds = [_number(machine, sql) for sql in (statement.lower, statement.upper)]
    step, doubt = _number(machine, statement.step) if statement.step is not None else (1, None)
    reason = next((why for _, why in (*bounds, (step, doubt)) if why is not None), None)
    first, last = bounds[0][0], bounds[1][0]
    if first is None or last is None or step is None:
        machine.host.unknown(f"a loop whose bounds {reason}", statement.offset, (), machine.conditional)
        return
    if step <= 0:
        raise Refused("22023", "BY value of FOR loop must be greater than zero")
    numbers = range(first, last - 1, -step) if statement.reverse else range(first, last + 1, step)
    variable = Variable("int4")
    machine.frames.stack.append(Frame(statement.label, {statement.variable: variable}))
    ran = False
    try:
        with machine.under(reason):
            for number in numbers:
                ran = True
                variable.set(number, number)
                if not _round(machine, statement.label, statement.body):
                    break
    finally:
        machine.frames.stack.pop()
        machine.set_found(ran, ran)


def _for_query(machine: Interpreter, statement: ForQuery) -> None:
    cursor = None if statement.dynamic else _bound_cursor(machine, statement)
    if cursor is None:
        _over_rows(machine, statement, _rows(machine, statement))
        return
    # The variable of a loop over a bound cursor is a record of its own.
    names = {target.path[0]: Variable("record") for target in statement.targets}
    found = bound_query(machine, *cursor)
    machine.frames.stack.append(Frame(statement.label, names))
    try:
        _over_rows(machine, statement, found)
    finally:
        machine.frames.stack.pop()


def _rows(machine: Interpreter, statement: ForQuery) -> Found:
    if statement.dynamic:
        return dynamic_query(machine, statement.query, statement.parameters, statement.offset)
    return machine.evaluation.query(statement.query.text, machine.host.reader)


def _over_rows(machine: Interpreter, statement: ForQuery, found: Found) -> None:
    if isinstance(found.rows, Unknown):
        machine.host.unknown(f"a loop over rows: {found.rows.reason}", statement.offset, (), machine.conditional)
        return
    if found.doubt is not None:
        machine.host.assume(f"a loop over rows {found.doubt}", statement.offset)
    ran = False
    try:
        with machine.under(found.doubt):
            for row in found.rows:
                ran = True
                machine.store_row(statement.targets, found.columns, row)
                if not _round(machine, statement.label, statement.body):
                    break
    finally:
        machine.set_found(Unknown(found.doubt, about_data=True) if found.doubt else ran, ran)


def _bound_cursor(
    machine: Interpreter, statement: ForQuery
) -> tuple[Variable, tuple[tuple[str | None, Sql], ...]] | None:
    """The cursor that FOR … IN goes over, and what it is opened with; None where that is a query."""
    name, bracket, arguments = statement.query.text.strip().partition("(")
    variable = machine.frames.find(name.strip().lower())
    if variable is None or not isinstance(variable.value, Sql):
        return None
    return variable, Cursor(arguments).arguments() if bracket else ()


def _foreach(machine: Interpreter, statement: Foreach) -> None:
    computed = machine.compute(statement.array)
    array: Value = computed.value
    reason = None
    if isinstance(array, Unknown):
        reason, array = array.reason, computed.fresh
    if isinstance(array, Unknown) or statement.slice:
        machine.host.unknown(f"a loop over an array: {reason}", statement.offset, (), machine.conditional)
        return
    if array is None:
        raise Refused("22004", "FOREACH expression must not be null")
    if not isinstance(array, list):
        raise Refused("42804", "FOREACH expression must yield an array")
    kind = element_type(computed.type)
    with machine.under(reason):
        for item in list(array):
            if len(statement.targets) == 1:
                machine.store(statement.targets[0], Computed(kind, item, item))
            if not _round(machine, statement.label, statement.body):
                break
    machine.set_found(bool(array), bool(array))
