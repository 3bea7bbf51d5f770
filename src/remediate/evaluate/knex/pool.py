"""Migrations that take a `pg` Pool or Client instead of Knex."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.evaluate.knex.javascript import because
from remediate.evaluate.knex.literals import escape_binding, inline_dollars
from remediate.evaluate.knex.method import Method, Scripted, at, is_function, js
from remediate.evaluate.knex.session import Query, Session, Settled, Thenable, ThrownError, refused
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place


class PoolHandle(Scripted):
    """A pg Pool or Client. `query` sends at once, awaited or not, and gives a promise, as pg does."""

    def __init__(self, session: Session, *, place: Place | None = None) -> None:
        self.session = session
        self.place = place

    @js("query")
    def query(self, arguments: Sequence[Value], place: Place) -> Value:
        text, values = at(arguments, 0), at(arguments, 1)
        if isinstance(text, dict):
            values = text.get("values", values)
            text = text.get("text", UNDEFINED)
        callback = arguments[-1] if len(arguments) > 1 and is_function(arguments[-1]) else None
        if is_function(values):
            values = UNDEFINED
        result = self._send(text, values, place)
        if isinstance(callback, HostObject):
            callback.call([None, result.value] if result.error is None else [result.error.value, UNDEFINED], place)
            return UNDEFINED
        return result

    @js("connect")
    def connect(self, arguments: Sequence[Value], place: Place) -> Thenable:
        client = PoolHandle(self.session)
        if arguments and isinstance(arguments[0], HostObject):
            done = Method("release", lambda _, __: UNDEFINED)
            arguments[0].call([None, client, done], place)
        return Settled(client)

    @js("release", "on", "once", "removeListener", "removeAllListeners")
    def release(self, arguments: Sequence[Value], place: Place) -> Value:
        return UNDEFINED

    @js("end")
    def end(self, arguments: Sequence[Value], place: Place) -> Value:
        return Settled(UNDEFINED)

    def _send(self, text: Value, values: Value, place: Place) -> Settled:
        sql: str | Unknown
        prepared: str | None = None
        if not isinstance(text, str):
            sql = text if isinstance(text, Unknown) else Unknown("the text of the query is not known", place)
        elif values is UNDEFINED or values is None or values == []:
            sql = text
        else:
            prepared = text
            sql = _inlined(text, values, place)
        answer = self.session.send(Query(sql, place, "pool", None, wants_rows=True, prepared=prepared))
        if answer.error is not None:
            return Settled(error=_plain(refused(answer.error, sql), answer.error.message))
        return Settled({"command": answer.command, "rowCount": answer.row_count, "rows": answer.rows, "oid": None})


def _plain(error: ThrownError, message: str) -> ThrownError:
    """pg alone reports PostgreSQL's message without the statement before it."""
    if isinstance(error.value, dict):
        error.value["message"] = message
    return error


def _inlined(text: str, values: Value, place: Place) -> str | Unknown:
    if not isinstance(values, list):
        return values if isinstance(values, Unknown) else Unknown("the bound values are not known", place)
    literals = []
    for value in values:
        literal = escape_binding(value)
        if isinstance(literal, Unknown):
            return because("a bound value is not known", literal, place)
        literals.append(literal)
    return inline_dollars(text, literals)
