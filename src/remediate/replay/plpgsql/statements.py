"""The SQL in a block: static statements, PERFORM, EXECUTE."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from remediate.evaluate.values import Unknown
from remediate.replay.plpgsql.evaluation import Computed, Found
from remediate.replay.plpgsql.interpreter import Interpreter
from remediate.replay.plpgsql.substitute import nodes, substitute
from remediate.replay.plpgsql.variables import Frame, Variable
from remediate.replay.questions.session import split_identifier
from remediate.replay.questions.values import Value
from remediate.replay.refused import Refused
from remediate.sql.parse import SqlSyntaxError, UnreadableSqlError, parse
from remediate.sql.parse import Statement as Parsed
from remediate.sql.plpgsql.tree import Execute, Perform, Sql, SqlStatement, Statement, Target

_WITH_PARAMETERS: Final = frozenset(
    {"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt", "select_stmt", "create_table_as_stmt", "explain_stmt"}
)
"""Statements that PostgreSQL plans, so that variables in them are parameters; in others a name is just a name."""


def run_sql(machine: Interpreter, statement: Statement) -> bool:
    """Runs the statement if it is SQL."""
    if isinstance(statement, SqlStatement):
        _static(machine, statement)
    elif isinstance(statement, Perform):
        _select(machine, _parse_one(statement.query.text), (), False)
    elif isinstance(statement, Execute):
        _execute(machine, statement)
    else:
        return False
    return True


def _parsed(text: str) -> list[Parsed]:
    try:
        return parse(text)
    except SqlSyntaxError as error:
        raise Refused("42601", error.message) from error


def _parse_one(text: str) -> Parsed:
    found = _parsed(text)
    if len(found) != 1:
        raise Refused("42601", "syntax error: one statement is expected")
    return found[0]


def _static(machine: Interpreter, statement: SqlStatement) -> None:
    try:
        parsed = _parse_one(statement.sql.text)
    except UnreadableSqlError as error:
        machine.host.unknown(str(error), statement.offset, (), machine.conditional)
        return
    if parsed.kind == "select_stmt" and not _changes_something(parsed):
        if not statement.into:
            raise Refused("42601", "query has no destination for result data")
        _select(machine, parsed, statement.into, statement.strict)
        return
    _send(machine, parsed, statement.sql.offset + _characters(statement.sql.text, parsed.offset))
    _returned(machine, parsed, statement.into)


def _characters(text: str, byte: int) -> int:
    return len(text.encode()[:byte].decode())


def _changes_something(parsed: Parsed) -> bool:
    """A SELECT that makes a table (INTO) or changes rows (in WITH) is the host's business."""
    node = parsed.node
    if node.HasField("into_clause"):
        return True
    return node.HasField("with_clause") and any(
        item.common_table_expr.ctequery.WhichOneof("node") != "select_stmt" for item in node.with_clause.ctes
    )


def _send(machine: Interpreter, parsed: Parsed, offset: int) -> None:
    """Hands a statement to the host."""
    machine.budget.step()
    text = parsed.text
    if parsed.kind in _WITH_PARAMETERS:
        text = substitute(text, _reparsed(text, parsed), lambda path: _variable(machine, path), machine.session)
    elif any(True for _ in nodes(parsed.node, "ParamRef")) and not machine.frames.parameters:
        raise Refused("42P02", "there is no parameter $1")
    machine.host.execute(text, offset, machine.conditional)


def _returned(machine: Interpreter, parsed: Parsed, into: Sequence[Target]) -> None:
    """FOUND after a statement, and what it RETURNs, which is not known."""
    inserts = parsed.kind == "insert_stmt"
    changed = Unknown("depends on the rows that a statement changed", about_data=True)
    if parsed.kind in ("insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"):
        machine.set_found(True if inserts else changed, inserts)
    for target in into:
        value = Unknown("depends on a row that a statement returned", about_data=not inserts)
        machine.store(target, Computed("unknown", value, value if inserts else None))


def _reparsed(text: str, parsed: Parsed) -> Any:
    """The tree with locations that count from the start of this statement's own text."""
    return parsed.node if parsed.offset == 0 else _parse_one(text).node


def _variable(machine: Interpreter, path: tuple[str, ...]) -> tuple[str, Value] | None:
    if len(path) == 1 and path[0].startswith("$"):
        return machine.frames.parameter(int(path[0][1:]))
    if len(path) == 1:
        return machine.frames.lookup(path[0])
    found = machine.frames.find_path(path)
    if found is None or len(path) > 3:
        return None
    return machine.frames.lookup_qualified(path[-2], path[-1])


def _select(machine: Interpreter, parsed: Parsed, into: Sequence[Target], strict: bool) -> None:
    found = machine.evaluation.query(parsed.node, machine.host.reader)
    take(machine, found, into, strict)


def take(machine: Interpreter, found: Found, into: Sequence[Target], strict: bool) -> None:
    """INTO: the first row, or NULLs; sets FOUND."""
    if isinstance(found.rows, Unknown):
        for target in into:
            machine.store(target, Computed("unknown", found.rows, found.rows))
        machine.set_found(found.rows, found.rows)
        return
    rows = found.rows
    if strict and found.doubt is None:
        if not rows:
            raise Refused("P0002", "query returned no rows")
        if len(rows) > 1:
            raise Refused("P0003", "query returned more than one row")
    if into:
        row = rows[0] if rows else (None,) * len(found.columns)
        machine.store_row(into, found.columns, row)
        if found.doubt is not None:
            _mark_doubtful(machine, into, found.doubt)
    machine.set_found(Unknown(found.doubt, about_data=True) if found.doubt else bool(rows), bool(rows))


def _mark_doubtful(machine: Interpreter, into: Sequence[Target], doubt: str) -> None:
    """What was just stored holds on a fresh database only."""
    for target in into:
        found = machine.frames.find_path(target.path)
        if found is not None:
            found[0].value = Unknown(doubt, about_data=True)


def _execute(machine: Interpreter, statement: Execute) -> None:
    text, reason = _command(machine, statement.command, statement.offset)
    if text is None:
        subjects = _named_relations(machine, statement.command)
        machine.host.unknown(f"EXECUTE of a text that {reason}", statement.offset, subjects, machine.conditional)
        for target in statement.into:
            unknown = Unknown(f"the result of EXECUTE, which {reason}")
            machine.store(target, Computed("unknown", unknown, unknown))
        return
    try:
        parsed = _parsed(text)
    except UnreadableSqlError as error:
        machine.host.unknown(str(error), statement.offset, (), machine.conditional)
        return
    parameters = _Parameters(machine, statement.parameters)
    with machine.under(reason):
        for number, one in enumerate(parsed):
            into = statement.into if number == len(parsed) - 1 else ()
            if one.kind == "select_stmt" and not _changes_something(one):
                with parameters:
                    found = machine.evaluation.query(one.node, machine.host.reader)
                take(machine, found, into, statement.strict)
            else:
                with parameters:
                    _send(machine, one, statement.offset)
                _returned(machine, one, into)


def _named_relations(machine: Interpreter, command: Sql) -> tuple[str, ...]:
    """The relations whose names stand in the known parts of a text: what EXECUTE of it may be about."""
    words = re.findall(r'"[^"]+"|[A-Za-z_][\w$.]*', command.text)
    names = (split_identifier(word) for word in words)
    found = (
        machine.host.reader.find_relation(parts[-1], parts[-2] if len(parts) == 2 else None)
        for parts in names
        if parts is not None and len(parts) <= 2
    )
    return tuple(dict.fromkeys(str(relation[0]) for relation in found if relation is not None))


def _command(machine: Interpreter, command: Sql, offset: int) -> tuple[str | None, str | None]:
    """The text that EXECUTE runs, and the reason why it may be another one."""
    computed = machine.compute(command)
    value, reason = computed.value, None
    if isinstance(value, Unknown):
        reason, value = value.reason, computed.fresh
        if isinstance(value, Unknown):
            return None, reason
        machine.host.assume(f"the text of EXECUTE {reason}", offset)
    if value is None:
        if reason is not None:
            return None, reason
        raise Refused("22004", "query string argument of EXECUTE is null")
    return str(value), reason


class _Parameters:
    """`$1`, `$2`, … of USING, in place of the function's own, which EXECUTE does not see."""

    def __init__(self, machine: Interpreter, expressions: Sequence[Sql]) -> None:
        self.machine = machine
        computed = [machine.compute(sql) for sql in expressions]
        self.values = [
            Variable(one.type if one.type != "unknown" else "text", one.value, one.fresh) for one in computed
        ]

    def __enter__(self) -> None:
        frames = self.machine.frames
        self.outer, frames.parameters = frames.parameters, self.values
        # The text of EXECUTE is a statement of its own: it sees no variable.
        self.stack = frames.stack
        frames.stack = [Frame(None, {"found": frames.stack[0].names["found"]})]

    def __exit__(self, *error: object) -> None:
        self.machine.frames.parameters = self.outer
        self.machine.frames.stack = self.stack


def run_body(machine: Interpreter, body: str) -> Value:
    """The body of a function in SQL: its statements in order; the value is the last one's."""
    try:
        parsed = _parsed(body)
    except UnreadableSqlError as error:
        machine.host.unknown(str(error), 0, (), machine.conditional)
        return Unknown(str(error))
    value: Value = None
    for number, one in enumerate(parsed):
        if one.kind == "select_stmt" and not _changes_something(one):
            found = machine.evaluation.query(one.node, machine.host.reader)
            if number == len(parsed) - 1:
                rows = found.rows
                value = rows if isinstance(rows, Unknown) else rows[0][0] if rows and rows[0] else None
        else:
            _send(machine, one, _characters(body, one.offset))
    return value


def dynamic_query(machine: Interpreter, command: Sql, expressions: Sequence[Sql], offset: int) -> Found:
    """The rows of FOR … IN EXECUTE and of RETURN QUERY EXECUTE."""
    text, reason = _command(machine, command, offset)
    if text is None:
        return Found([], Unknown(f"EXECUTE of a text that {reason}"))
    with machine.under(reason), _Parameters(machine, expressions):
        parsed = _parse_one(text)
        if parsed.kind != "select_stmt":
            return Found([], Unknown("rows of a statement that is no SELECT"))
        found = machine.evaluation.query(parsed.node, machine.host.reader)
    found.doubt = found.doubt or reason
    return found
