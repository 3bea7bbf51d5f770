"""Interprets PL/pgSQL: control flow and variables here, SQL through the host (PostgreSQL's pl_exec.c).

What cannot be known is assumed as on a fresh database: the condition is decided so, what it guards is handed to the
host as conditional, and the host hears of the assumption. Everything is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from remediate.evaluate.values import Unknown
from remediate.replay.catalog import Function
from remediate.replay.plpgsql.conditions import catches, sqlstate_of
from remediate.replay.plpgsql.declared_types import declared_type, initial_record
from remediate.replay.plpgsql.evaluation import Computed, Evaluation
from remediate.replay.plpgsql.host import Host
from remediate.replay.plpgsql.variables import Frame, Frames, Variable
from remediate.replay.questions.casts import cast
from remediate.replay.questions.operators import text_of
from remediate.replay.questions.session import Session
from remediate.replay.questions.values import Record, Value, element_type
from remediate.replay.refused import Refused
from remediate.sql.plpgsql.tree import (
    Assert,
    Assign,
    Block,
    Case,
    CursorStatement,
    Declaration,
    Exit,
    GetDiagnostics,
    Handler,
    If,
    Null,
    Raise,
    Return,
    ReturnNext,
    ReturnQuery,
    Sql,
    Statement,
    Target,
    Transaction,
)
from remediate.sql.quote import quote_literal


class TooMuch(Exception):
    """A bound was reached; what the block would do further is unknown."""


class Leave(Exception):
    """EXIT or CONTINUE on its way to its loop."""

    def __init__(self, proceed: bool, label: str | None) -> None:
        super().__init__()
        self.proceed = proceed
        self.label = label


class Returned(Exception):
    """RETURN on its way out of the function."""


Call = Callable[[Function, tuple[Value, ...], tuple[str, ...]], Value]

STEPS: Final = 50_000
"""Statements that one block, with the functions that it calls, may execute."""


class Budget:
    """Counts down over a block and everything that it calls."""

    def __init__(self) -> None:
        self.steps = STEPS
        self.depth = 0

    def step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise TooMuch(f"more than {STEPS} statements")


class Interpreter:
    """One run of one body. `result` is what it returned."""

    def __init__(self, host: Host, call: Call, budget: Budget, parameters: Sequence[Variable] = ()) -> None:
        self.host = host
        self.budget = budget
        self.frames = Frames(parameters)
        self.frames.stack.append(Frame(None, {"found": Variable("bool", False, False)}))
        self.evaluation = Evaluation(self.frames, call, self._assign)
        self.session = Session(host.reader, self.frames)
        self.reasons: list[str] = []
        self.offset = 0
        self.error: Refused | None = None
        self.result = Computed("void", None, None)
        self.rows: list[Value] = []

    def _assign(self, name: str, value: str, local: bool) -> None:
        """set_config, wherever in an expression it stands: the host sets it."""
        text = f"SELECT set_config({quote_literal(name)}, {quote_literal(value)}, {str(local).lower()})"
        self.host.execute(text, self.offset, self.conditional)

    # -- what may be unknown ---------------------------------------------------------------------------------------

    @property
    def conditional(self) -> str | None:
        return self.reasons[-1] if self.reasons else None

    @contextmanager
    def under(self, reason: str | None) -> Iterator[None]:
        """Runs what is inside as conditional for this reason."""
        if reason is None:
            yield
            return
        self.reasons.append(reason)
        try:
            yield
        finally:
            self.reasons.pop()

    def compute(self, sql: Sql) -> Computed:
        return self.evaluation.expression(sql.text, self.host.reader)

    def decide(self, sql: Sql) -> tuple[bool, str | None]:
        """A condition's outcome (NULL counts as false), and the reason why it may be otherwise."""
        computed = self.compute(sql)
        return self.judge(computed, sql.offset)

    def judge(self, computed: Computed, offset: int) -> tuple[bool, str | None]:
        value = cast(computed.value, computed.type, "bool", self.session)
        if not isinstance(value, Unknown):
            return value is True, None
        fresh = cast(computed.fresh, computed.type, "bool", self.session)
        self.host.assume(f"a condition of a block {value.reason}", offset)
        return fresh is True, value.reason

    # -- blocks ----------------------------------------------------------------------------------------------------

    def run_block(self, block: Block) -> None:
        frame = Frame(block.label)
        self.frames.stack.append(frame)
        depth = len(self.frames.stack)
        try:
            for declaration in block.declarations:
                self._declare(frame, declaration)
            if block.handlers:
                self._protected(block)
            else:
                self.run_all(block.body)
        except Leave as leave:
            if leave.proceed or leave.label is None or leave.label != block.label:
                raise
        finally:
            del self.frames.stack[depth - 1 :]

    def _declare(self, frame: Frame, declaration: Declaration) -> None:
        if declaration.name in frame.names:
            raise Refused("42601", f'duplicate declaration at or near "{declaration.name}"')
        if declaration.alias is not None:
            number = declaration.alias.removeprefix("$")
            found = self.frames.find(declaration.alias)
            if number.isdigit() and int(number) <= len(self.frames.parameters):
                found = self.frames.parameters[int(number) - 1]
            if found is not None:
                frame.names[declaration.name] = found
            return
        if declaration.cursor is not None:
            frame.names[declaration.name] = Variable(
                "refcursor", declaration.cursor, declaration.cursor, parameters=declaration.parameters
            )
            return
        kind = declared_type(declaration.type, self.session, self.frames)
        variable = Variable(kind, initial_record(declaration.type, self.session, kind), not_null=declaration.not_null)
        variable.fresh = variable.value
        # The default is computed before the name is visible, so that it means an outer variable of that name.
        if declaration.default is not None:
            self.assign(variable, None, self.compute(declaration.default))
        variable.constant = declaration.constant
        frame.names[declaration.name] = variable

    def _protected(self, block: Block) -> None:
        savepoint = self.host.savepoint()
        reasons = list(self.reasons)
        try:
            self.run_all(block.body)
        except Refused as error:
            handler = next((one for one in block.handlers if any(catches(c, error.code) for c in one.conditions)), None)
            if handler is None:
                raise
            self.host.rollback_to(savepoint)
            self.reasons = reasons
            self._handle(handler, error)

    def _handle(self, handler: Handler, error: Refused) -> None:
        names = {
            "sqlstate": Variable("text", error.code, error.code),
            "sqlerrm": Variable("text", error.message, error.message),
        }
        self.frames.stack.append(Frame(None, names))
        outer, self.error = self.error, error
        try:
            self.run_all(handler.body)
        finally:
            self.error = outer
            self.frames.stack.pop()

    def run_all(self, statements: Sequence[Statement]) -> None:
        for statement in statements:
            self.budget.step()
            self.offset = statement.offset
            self.run(statement)

    def run(self, statement: Statement) -> None:
        # Loops and SQL are run by modules that drive this class.
        from remediate.replay.plpgsql import cursors, loops, statements

        if loops.run_loop(self, statement) or statements.run_sql(self, statement):
            return
        if isinstance(statement, Block):
            self.run_block(statement)
        elif isinstance(statement, Assign):
            self._assign_statement(statement)
        elif isinstance(statement, If):
            self._if(statement)
        elif isinstance(statement, Case):
            self._case(statement)
        elif isinstance(statement, Exit):
            self._exit(statement)
        elif isinstance(statement, Raise):
            self._raise(statement)
        elif isinstance(statement, Return | ReturnNext | ReturnQuery):
            self._return(statement)
        elif isinstance(statement, Assert):
            holds, reason = self.decide(statement.condition)
            if not holds and reason is None:
                raise Refused("P0004", "assertion failed")
        elif isinstance(statement, GetDiagnostics):
            self._diagnostics(statement)
        elif isinstance(statement, CursorStatement):
            cursors.run_cursor(self, statement)
        else:
            assert isinstance(statement, Null | Transaction)

    # -- variables -------------------------------------------------------------------------------------------------

    def _assign_statement(self, statement: Assign) -> None:
        computed = self.compute(statement.value)
        if statement.target.subscript is None:
            self.store(statement.target, computed)
            return
        found = self.frames.find_path(statement.target.path)
        index = self.compute(statement.target.subscript).value
        if found is None or not isinstance(index, int):
            return
        variable = found[0]
        value = cast(computed.value, computed.type, element_type(variable.type), self.session)
        array = list(variable.value or []) if not isinstance(variable.value, Unknown) else None
        if array is None or not 1 <= index <= len(array) + 1:
            changed: Value = Unknown("an element of an array")
        else:
            array[index - 1 : index] = [value]
            changed = array
        variable.set(changed, changed)

    def store(self, target: Target, computed: Computed) -> None:
        found = self.frames.find_path(target.path)
        if found is None:
            raise Refused("42601", f'"{".".join(target.path)}" is not a known variable')
        self.assign(found[0], found[1], computed)

    def assign(self, variable: Variable, part: str | None, computed: Computed) -> None:
        if variable.constant:
            raise Refused("22005", "variable is declared CONSTANT")
        if part is not None:
            variable.set(
                _with_field(variable.value, part, computed.type, computed.value),
                _with_field(variable.fresh, part, computed.type, computed.fresh),
            )
            return
        value = self._converted(computed.value, computed.type, variable)
        fresh = value if computed.fresh is computed.value else self._converted(computed.fresh, computed.type, variable)
        if variable.not_null and fresh is None:
            raise Refused("22004", "null value cannot be assigned to variable declared NOT NULL")
        variable.set(value, fresh)

    def _converted(self, value: Value, source: str, variable: Variable) -> Value:
        if variable.type == "record" or isinstance(value, Record):
            return value
        return cast(value, source, variable.type, self.session)

    def store_row(self, targets: Sequence[Target], columns: Sequence[tuple[str, str]], row: Sequence[Value]) -> None:
        """Assigns a row: to one record as a whole, else column by column, missing ones as NULL."""
        names = tuple(name for name, _ in columns)
        types = tuple(kind for _, kind in columns)
        if len(targets) == 1:
            found = self.frames.find_path(targets[0].path)
            if found is not None and found[1] is None and found[0].type == "record":
                record = Record(names, types, tuple(row))
                found[0].set(record, record)
                return
        for number, target in enumerate(targets):
            kind, value = (types[number], row[number]) if number < len(row) else ("unknown", None)
            self.store(target, Computed(kind, value, value))

    def set_found(self, value: Value, fresh: Value) -> None:
        self.frames.stack[0].names["found"].set(value, fresh)

    # -- control flow ----------------------------------------------------------------------------------------------

    def _if(self, statement: If) -> None:
        reason: str | None = None
        for branch in statement.branches:
            holds, doubt = self.decide(branch.conditions[0])
            reason = reason or doubt
            if holds:
                with self.under(reason):
                    self.run_all(branch.body)
                return
        with self.under(reason):
            self.run_all(statement.otherwise)

    def _case(self, statement: Case) -> None:
        reason: str | None = None
        subject = self.compute(statement.subject) if statement.subject is not None else None
        for branch in statement.branches:
            if subject is None:
                holds, doubt = self.decide(branch.conditions[0])
            else:
                holds, doubt = self._matches(subject, branch.conditions)
            reason = reason or doubt
            if holds:
                with self.under(reason):
                    self.run_all(branch.body)
                return
        if statement.otherwise is None:
            raise Refused("20000", "case not found")
        with self.under(reason):
            self.run_all(statement.otherwise)

    def _matches(self, subject: Computed, values: Sequence[Sql]) -> tuple[bool, str | None]:
        self.frames.stack.append(Frame(None, {"__case__": Variable(subject.type, subject.value, subject.fresh)}))
        try:
            listed = ", ".join(value.text for value in values)
            return self.decide(Sql(f"__case__ IN ({listed})", values[0].offset))
        finally:
            self.frames.stack.pop()

    def _exit(self, statement: Exit) -> None:
        if statement.condition is not None:
            holds, _ = self.decide(statement.condition)
            if not holds:
                return
        raise Leave(statement.proceed, statement.label)

    def _return(self, statement: Return | ReturnNext | ReturnQuery) -> None:
        if isinstance(statement, Return):
            if statement.value is not None:
                self.result = self.compute(statement.value)
            raise Returned
        if isinstance(statement, ReturnQuery):
            if not statement.dynamic:
                self.evaluation.query(statement.query.text, self.host.reader)
            self.rows.append(Unknown("the rows of a function"))
        elif statement.value is not None:
            self.rows.append(self.compute(statement.value).value)

    def _raise(self, statement: Raise) -> None:
        if statement.level != "exception":
            return
        if statement.message is None and statement.condition is None and not statement.options:
            if self.error is None:
                raise Refused("0Z002", "RAISE without parameters cannot be used outside an exception handler")
            raise self.error
        code, message = "P0001", statement.condition or "raise exception"
        if statement.condition is not None:
            known = sqlstate_of(statement.condition)
            if known is None:
                raise Refused("42704", f'unrecognized exception condition "{statement.condition}"')
            code = known
        if statement.message is not None:
            message = self._message(statement.message, statement.parameters)
        for name, value in statement.options:
            text = self.compute(value).value
            if name == "errcode" and isinstance(text, str):
                code = sqlstate_of(text) or code
            elif name == "message" and isinstance(text, str):
                message = text
        raise Refused(code, message)

    def _message(self, template: str, parameters: Sequence[Sql]) -> str:
        parts: list[str] = []
        waiting = list(parameters)
        position = 0
        while position < len(template):
            character = template[position]
            if character == "%" and template[position + 1 : position + 2] == "%":
                position += 1
            elif character == "%":
                if not waiting:
                    raise Refused("42601", "too few parameters specified for RAISE")
                computed = self.compute(waiting.pop(0))
                text = text_of(computed.value, computed.type)
                character = "?" if isinstance(text, Unknown) else "<NULL>" if text is None else str(text)
            parts.append(character)
            position += 1
        if waiting:
            raise Refused("42601", "too many parameters specified for RAISE")
        return "".join(parts)

    def _diagnostics(self, statement: GetDiagnostics) -> None:
        for target, item in statement.items:
            value: Value = Unknown(f"the diagnostics item {item}")
            if self.error is not None and item in ("returned_sqlstate", "message_text"):
                value = self.error.code if item == "returned_sqlstate" else self.error.message
            elif item == "row_count":
                # On a fresh database there are no rows to change.
                value = Unknown("depends on the rows that a statement changed", about_data=True)
                self.store(target, Computed("int8", value, 0))
                continue
            self.store(target, Computed("text", value, value))


def _lost(value: Unknown) -> Computed:
    return Computed("text", value, value)


def _with_field(record: Value, name: str, kind: str, value: Value) -> Value:
    if isinstance(record, Unknown):
        return record
    if not isinstance(record, Record):
        raise Refused("55000", "record is not assigned yet")
    if name not in record.names:
        raise Refused("42703", f'record has no field "{name}"')
    index = record.names.index(name)
    types, values = list(record.types), list(record.values)
    types[index], values[index] = kind, value
    return Record(record.names, tuple(types), tuple(values))
