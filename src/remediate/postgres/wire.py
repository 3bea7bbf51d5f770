"""One session on a server, spoken to as node-postgres does: strings by the simple protocol, every answer kept.

psycopg's own cursors prepare, convert and guard transactions; what a migration sends has to arrive as it is. So this
stands on libpq's functions, through psycopg.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from remediate.errors import RemediateError
from remediate.evaluate.knex.session import SqlError
from remediate.postgres.connection import OF_THE_MACHINE, message_of, without_guesses
from remediate.postgres.database import connect
from remediate.postgres.rows import to_javascript
from remediate.postgres.server import Endpoint

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

TIMEOUT_SECONDS = 60
"""How long one string may take: a loop without an end in a DO block ends here (57014)."""


@dataclass(slots=True)
class Reply:
    """What came back for one string. `done` counts the statements that went through before the error, if any.

    `command`, `rows` and `row_count` are of the last statement.
    `constraint` and `column` are those that an error names.
    """

    done: int = 0
    command: str | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    row_count: int = 0
    error: SqlError | None = None
    constraint: str | None = None
    column: str | None = None


class Wire:
    """A session of `user` in `database`, whose strings end after `TIMEOUT_SECONDS`; close it after use.

    `role` is what it acts as, until it says otherwise. `hint` is what to do where the server ends the session.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        database: str,
        user: str | None = None,
        *,
        role: str | None = None,
        hint: str = "try again",
    ) -> None:
        # As an option of the connection the timeout is what RESET ALL goes back to, and the role what RESET ROLE does.
        options = f"-c statement_timeout={TIMEOUT_SECONDS}s -c client_encoding=UTF8"
        if role is not None:
            options += " -c role=" + re.sub(r"([\\\s])", r"\\\1", role)
        self._connection = connect(endpoint, database, user=user, options=options)
        self._libpq = self._connection.pgconn
        self._place = f"database {database}"
        self._hint = hint

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def send(self, sql: str, *, wants_rows: bool = False) -> Reply:
        """Sends one string; several statements in it share a transaction unless they end it themselves."""
        if "\0" in sql:
            return Reply(error=SqlError("08P01", "invalid message format"))
        reply = Reply()
        self._send(sql)
        while (result := self._libpq.get_result()) is not None:
            self._take(result, reply, wants_rows)
        self._check()
        return reply

    def ask(self, sql: str, values: Sequence[str]) -> list[dict[str, Any]]:
        """The rows of one statement with bound values; none where it was refused."""
        reply = Reply()
        with self._line():
            result = self._libpq.exec_params(sql.encode(), [one.encode() for one in values])
        self._take(result, reply, True)
        self._check()
        return reply.rows

    def prepare(self, sql: str) -> SqlError | int:
        """What PostgreSQL says to a string that is to get bound values: its refusal, or how many values it takes."""
        if "\0" in sql:
            return SqlError("08P01", "invalid message format")
        reply = Reply()
        with self._line():
            self._take(self._libpq.prepare(b"", sql.encode()), reply, False)
            self._check()
            return reply.error or self._libpq.describe_prepared(b"").nparams

    def query(self, sql: str) -> list[tuple[str | None, ...]]:
        """The rows of the last statement of `sql`, every value as text. Raises `RemediateError` where it is refused."""
        rows: list[tuple[str | None, ...]] = []
        reply = Reply()
        self._send(sql)
        while (result := self._libpq.get_result()) is not None:
            self._take(result, reply, False)
            rows = [
                tuple(None if (v := result.get_value(row, at)) is None else _text(v) for at in range(result.nfields))
                for row in range(result.ntuples)
            ]
        self._check()
        if reply.error is not None:
            raise RemediateError(f"{reply.error.message} ({reply.error.code})", place=self._place, hint=self._hint)
        return rows

    @property
    def pid(self) -> int:
        """The process of the server that serves this session."""
        return int(self._libpq.backend_pid)

    @property
    def in_transaction(self) -> bool:
        return bool(self._libpq.transaction_status != _status().IDLE)

    @property
    def aborted(self) -> bool:
        return bool(self._libpq.transaction_status == _status().INERROR)

    def _take(self, result: PGresult, reply: Reply, wants_rows: bool) -> None:
        from psycopg.pq import DiagnosticField, ExecStatus

        if result.status == ExecStatus.COPY_IN:
            self._libpq.put_copy_end(b"No source stream defined")  # what node-postgres says
            return
        if result.status in (ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH):
            while self._libpq.get_copy_data(0)[0] > 0:
                pass
            return
        if result.status in (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE):
            code = result.error_field(DiagnosticField.SQLSTATE)
            message = result.error_field(DiagnosticField.MESSAGE_PRIMARY) or result.error_message
            detail = result.error_field(DiagnosticField.MESSAGE_DETAIL)
            reply.error = SqlError(_text(code or b"08006"), _text(message), _text(detail or b""))
            reply.constraint = _text(result.error_field(DiagnosticField.CONSTRAINT_NAME) or b"") or None
            reply.column = _text(result.error_field(DiagnosticField.COLUMN_NAME) or b"") or None
            if (hint := OF_THE_MACHINE.get(reply.error.code)) is not None:
                raise RemediateError(f"PostgreSQL cannot go on: {_text(message)}", place=self._place, hint=hint)
            return
        reply.done += 1
        reply.command = _text(result.command_status or b"").partition(" ")[0] or None
        reply.row_count = result.command_tuples or 0
        reply.rows = []
        if wants_rows and result.status == ExecStatus.TUPLES_OK:
            fields = [(_text(result.fname(at) or b""), result.ftype(at)) for at in range(result.nfields)]
            reply.rows = [
                {name: _value(result.get_value(row, at), kind) for at, (name, kind) in enumerate(fields)}
                for row in range(result.ntuples)
            ]

    def _send(self, sql: str) -> None:
        with self._line():
            self._libpq.send_query(sql.encode())

    @contextmanager
    def _line(self) -> Iterator[None]:
        """What libpq raises where the session is over already: nothing can be sent any more."""
        import psycopg

        try:
            yield
        except psycopg.OperationalError as error:
            cause = f"the connection was cut: {message_of(error)}"
            raise RemediateError(cause, place=self._place, hint=self._hint) from None

    def _check(self) -> None:
        from psycopg.pq import ConnStatus

        if self._libpq.status != ConnStatus.OK:
            cause = f"the connection was cut: {without_guesses(_text(self._libpq.error_message))}"
            raise RemediateError(cause, place=self._place, hint=self._hint)


def _status() -> Any:
    from psycopg.pq import TransactionStatus

    return TransactionStatus


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _value(data: bytes | None, kind: int) -> Any:
    return to_javascript(None if data is None else _text(data), kind)
