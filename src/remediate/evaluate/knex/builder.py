"""What Knex's builders have in common: they are compiled to statements, sent when awaited, and print as SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from remediate.evaluate.knex.javascript import UnresolvableError, because
from remediate.evaluate.knex.literals import escape_binding, format_query, positioned
from remediate.evaluate.knex.method import Method, Scripted, at, js
from remediate.evaluate.knex.session import (
    Answer,
    Form,
    Query,
    Session,
    Subject,
    Thenable,
    ThrownError,
    refused,
)
from remediate.evaluate.values import UNDEFINED, Unknown, Value
from remediate.source.place import Place


def whole_answer(answer: Answer) -> Value:
    """pg's result object."""
    return {"command": answer.command, "rowCount": answer.row_count, "rows": answer.rows, "oid": None}


@dataclass
class Compiled:
    """One statement as Knex compiles it: `?` in the text for each bound value. `method` is Knex's name of its kind."""

    sql: str
    bindings: list[Value]
    place: Place
    method: str = "raw"
    alias: Value = UNDEFINED
    read: Callable[[Answer], Value] = whole_answer
    wants_rows: bool = False
    form: Form | None = None
    """Where it differs from that of its builder."""
    ask: Callable[[Session], Value] | None = None
    """For a question that the session answers without SQL (`hasTable`)."""


@dataclass
class Unbuilt:
    """A statement whose text could not be told."""

    unknown: Unknown
    place: Place
    subject: Subject | None = None
    form: Form | None = None


Statement = Compiled | Unbuilt


@dataclass
class Wire:
    """Where a builder sends its statements."""

    session: Session
    form: Form
    transaction: str | None

    def send(self, statement: Statement) -> Value:
        """Sends one statement and reads its answer as Knex does; raises `ThrownError` when it was refused."""
        if isinstance(statement, Unbuilt):
            form = statement.form or self.form
            query = Query(statement.unknown, statement.place, form, self.transaction, False, subject=statement.subject)
            self._answer(query)
            return because("the result of a statement that is not known", statement.unknown, statement.place)
        if statement.ask is not None:
            return statement.ask(self.session)
        if not statement.sql and self.session.reads_rows:
            # The list may be empty only because no rows were assumed: the migration is not given up for that.
            unknown = Unknown("a list that seems to be empty, after rows were read", statement.place)
            return statement.read(self._answer(Query(unknown, statement.place, "query", self.transaction, False)))
        if not statement.sql:
            # Knex's own check in its driver; nothing reaches the server.
            raise ThrownError({"name": "Error", "message": "The query is empty"}, certain=True)
        return statement.read(self._answer(to_query(statement, statement.form or self.form, self.transaction)))

    def _answer(self, query: Query) -> Answer:
        answer = self.session.send(query)
        if answer.error is not None:
            raise refused(answer.error, query.sql)
        return answer


def to_query(statement: Compiled, form: Form, transaction: str | None) -> Query:
    """The statement as it is sent, with its values inlined, and prepared when it has any."""
    literals: list[str] = []
    unknown: Unknown | None = None
    for value in statement.bindings:
        literal = escape_binding(value)
        if isinstance(literal, Unknown):
            unknown = unknown or because("a bound value is not known", literal, statement.place)
        else:
            literals.append(literal)
    prepared = positioned(statement.sql, []) if statement.bindings else None
    sql: str | Unknown = positioned(statement.sql, literals) if unknown is None else unknown
    return Query(sql, statement.place, form, transaction, statement.wants_rows, prepared=prepared)


def describe(statement: Compiled) -> dict[str, Value]:
    """What `toSQL()` gives for one statement."""
    native: Value = {"sql": positioned(statement.sql, []), "bindings": list(statement.bindings)}
    return {
        "method": statement.method,
        "sql": statement.sql,
        "bindings": list(statement.bindings),
        "toNative": Method("toNative", lambda _, __: native),
    }


class Builder(Scripted, Thenable):
    """An un-executed piece of SQL. Without a session (a part of another query) it can only be compiled."""

    form: Form = "builder"

    def __init__(self, session: Session | None, transaction: str | None, place: Place) -> None:
        self.session = session
        self.transaction = transaction
        self.place = place

    def statements(self) -> list[Statement]:
        """What is sent, in order. Runs the user's callbacks. Raises `ThrownError` where Knex throws."""
        raise NotImplementedError

    def compile_part(self, bindings: list[Value], method: str | None = None) -> Compiled:
        """As a part of another query. Raises `UnresolvableError`."""
        (statement,) = self.statements() or [Compiled("", [], self.place)]
        if isinstance(statement, Unbuilt):
            raise UnresolvableError(statement.unknown)
        return statement

    def to_query(self) -> str:
        """`toString()`: all statements, values inlined. Raises `UnresolvableError`."""
        written = ""
        for statement in self.statements():
            if isinstance(statement, Unbuilt):
                raise UnresolvableError(statement.unknown)
            if statement.ask is not None and not statement.sql:
                continue
            if written:
                written += "\n" if written.endswith(";") else ";\n"
            written += format_query(statement.sql, statement.bindings)
        return written

    def execute(self) -> Value:
        return self.send(self.statements())

    def is_change(self) -> bool:
        """Whether it is there for what it does, and not for its answer."""
        return False

    def send(self, statements: Sequence[Statement]) -> Value:
        """What `await` gives after these statements."""
        if self.session is None:
            return Unknown("a query builder of a callback is not executed by itself", self.place)
        wire = Wire(self.session, self.form, self.transaction)
        results = [wire.send(statement) for statement in statements]
        return results[0] if len(results) == 1 else results

    @js("toString", "toQuery")
    def to_string(self, arguments: Sequence[Value], place: Place) -> Value:
        try:
            return self.to_query()
        except UnresolvableError as error:
            return error.unknown

    @js("toSQL")
    def to_sql(self, arguments: Sequence[Value], place: Place) -> Value:
        described: list[Value] = []
        for statement in self.statements():
            if isinstance(statement, Unbuilt):
                return statement.unknown
            described.append(describe(statement))
        return described if self.form == "builder" else described[0]

    @js("transacting")
    def transacting(self, arguments: Sequence[Value], place: Place) -> Value:
        handle = at(arguments, 0)
        if handle is not None and hasattr(handle, "transaction"):
            self.transaction = handle.transaction
        return self

    @js("timeout", "debug", "options", "connection", "queryContext", "on", "once")
    def without_effect(self, arguments: Sequence[Value], place: Place) -> Value:
        return self
