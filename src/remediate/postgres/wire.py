"""One session on a server, spoken to as node-postgres does: strings by the simple protocol, every answer kept.

psycopg's own cursors prepare, convert and guard transactions; what a migration sends has to arrive as it is. So this
stands on libpq's functions, through psycopg.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from remediate.errors import RemediateError
from remediate.evaluate.knex.session import SqlError
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
    """

    done: int = 0
    command: str | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    row_count: int = 0
    error: SqlError | None = None


class Wire:
    """A session of `user` in `database`, whose strings end after `TIMEOUT_SECONDS`; close it after use."""

    def __init__(self, endpoint: Endpoint, database: str, user: str) -> None:
        # As an option of the connection the timeout is what RESET ALL goes back to.
        options = f"-c statement_timeout={TIMEOUT_SECONDS}s -c client_encoding=UTF8"
        self._connection = connect(endpoint, database, user=user, options=options)
        self._libpq = self._connection.pgconn
        self._place = f"database {database}"

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
        self._libpq.send_query(sql.encode())
        reply = Reply()
        while (result := self._libpq.get_result()) is not None:
            self._take(result, reply, wants_rows)
        self._check()
        return reply

    def ask(self, sql: str, values: Sequence[str]) -> list[dict[str, Any]]:
        """The rows of one statement with bound values; none where it was refused."""
        result = self._libpq.exec_params(sql.encode(), [one.encode() for one in values])
        reply = Reply()
        self._take(result, reply, True)
        self._check()
        return reply.rows

    def prepare(self, sql: str) -> SqlError | int:
        """What PostgreSQL says to a string that is to get bound values: its refusal, or how many values it takes."""
        if "\0" in sql:
            return SqlError("08P01", "invalid message format")
        reply = Reply()
        self._take(self._libpq.prepare(b"", sql.encode()), reply, False)
        self._check()
        return reply.error or self._libpq.describe_prepared(b"").nparams

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
            reply.error = SqlError(_text(code or b"08006"), _text(message))
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

    def _check(self) -> None:
        from psycopg.pq import ConnStatus

        if self._libpq.status != ConnStatus.OK:
            cause = f"PostgreSQL ended the session: {_text(self._libpq.error_message)}"
            raise RemediateError(cause, place=self._place, hint="use --engine static")


def _status() -> Any:
    from psycopg.pq import TransactionStatus

    return TransactionStatus


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _value(data: bytes | None, kind: int) -> Any:
    return to_javascript(None if data is None else _text(data), kind)
