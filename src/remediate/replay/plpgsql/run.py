"""The public functions: run a DO block, call a function with effects, run a SELECT that calls some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from remediate.evaluate.values import Unknown
from remediate.replay.catalog import Function
from remediate.replay.plpgsql.arguments import bind_arguments
from remediate.replay.plpgsql.check import check_syntax
from remediate.replay.plpgsql.host import Host
from remediate.replay.plpgsql.interpreter import Budget, Interpreter, Leave, Returned, TooMuch
from remediate.replay.plpgsql.statements import run_body
from remediate.replay.questions.answer import run_question
from remediate.replay.questions.session import Session
from remediate.replay.questions.values import Value
from remediate.replay.reading import CatalogReader
from remediate.replay.refused import Refused
from remediate.sql.parse import Node, SqlSyntaxError, UnreadableSqlError
from remediate.sql.plpgsql import parse_block

_DEEPEST: Final = 15


@dataclass(frozen=True, slots=True)
class DoOutcome:
    """`complete` is False where a bound was reached or the language is not known; the host has heard why."""

    complete: bool = True


def run_do(body: str, host: Host, language: str = "plpgsql") -> DoOutcome:
    """Executes a DO block through the host. Raises `Refused` for an error that the block itself does not catch."""
    if language.lower() != "plpgsql":
        host.unknown(f"a DO block in the language {language}", 0, (), None)
        return DoOutcome(complete=False)
    return _Runner(host).run_block(body)


def run_function(function: Function, arguments: tuple[Value, ...], types: tuple[str, ...], host: Host) -> Value:
    """Calls a user-defined function, effects included; its result where it is known. Raises `Refused`."""
    return _Runner(host).call(function, arguments, types)


def run_query(select: Node | str, host: Host) -> list[dict[str, Any]] | Unknown:
    """The rows of a SELECT that may call functions with effects, as node-postgres gives them. Raises `Refused`."""
    session = Session(host.reader, call=_Runner(host).call)
    rows = run_question(select, session)
    for assumption in dict.fromkeys(session.assumptions):
        host.assume(assumption, 0)
    return rows


class _CalledFrom:
    """The host of a function that is called: what it does stands, for the outside, where the call stands."""

    def __init__(self, host: Host, offset: int) -> None:
        self._host = host
        self._offset = offset
        self.savepoint = host.savepoint
        self.rollback_to = host.rollback_to

    @property
    def reader(self) -> CatalogReader:
        return self._host.reader

    def execute(self, sql: str, offset: int, conditional: str | None) -> None:
        self._host.execute(sql, self._offset, conditional)

    def unknown(self, reason: str, offset: int, subjects: tuple[str, ...], conditional: str | None) -> None:
        self._host.unknown(reason, self._offset, subjects, conditional)

    def assume(self, reason: str, offset: int) -> None:
        self._host.assume(reason, self._offset)


class _Runner:
    """One budget over a block and every function that it calls."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.budget = Budget()
        self.conditional: list[Interpreter] = []

    def run_block(self, body: str) -> DoOutcome:
        machine = Interpreter(self.host, self.call, self.budget)
        return DoOutcome(self._run(machine, body))

    def _run(self, machine: Interpreter, body: str) -> bool:
        if self.conditional:
            # A function that is called under a doubt does everything under it.
            machine.reasons = list(self.conditional[-1].reasons)
        self.conditional.append(machine)
        try:
            block = parse_block(body)
            check_syntax(block)
            machine.run_block(block)
        except SqlSyntaxError as error:
            raise Refused("42601", error.message) from error
        except Returned:
            pass
        except Leave as error:
            raise Refused("42601", "EXIT cannot be used outside a loop") from error
        except (TooMuch, UnreadableSqlError) as error:
            self.host.unknown(f"a PL/pgSQL block was not followed to its end: {error}", 0, (), None)
            return False
        except RecursionError:
            self.host.unknown("a PL/pgSQL block is nested too deeply", 0, (), None)
            return False
        finally:
            self.conditional.pop()
        return True

    def call(self, function: Function, arguments: tuple[Value, ...], types: tuple[str, ...]) -> Value:
        if function.language not in ("plpgsql", "sql") or self.budget.depth >= _DEEPEST:
            return Unknown(f"depends on the function {function.name.name}()")
        bound = bind_arguments(function, arguments, types, self.host.reader)
        if bound is None:
            return Unknown(f"the arguments of the function {function.name.name}()")
        self.budget.depth += 1
        try:
            host = _CalledFrom(self.host, self.conditional[0].offset if self.conditional else 0)
            machine = Interpreter(host, self.call, self.budget, [variable for _, variable in bound])
            names = {name: variable for name, variable in bound if name}
            machine.frames.stack[0].names.update(names)
            if function.name.name not in names:
                machine.frames.stack[0].label = function.name.name
            if function.language == "sql":
                return run_body(machine, function.body)
            if not self._run(machine, function.body):
                return Unknown(f"depends on the function {function.name.name}()")
            if machine.rows:
                return Unknown("the rows of a function")
            return machine.result.value
        finally:
            self.budget.depth -= 1
