"""A look at a database of the user that cannot change it: read-only transactions, short, with limits, rolled back.

Every setting is made within the transaction and goes with it, because a pooler may hand the next transaction of this
session to another connection of the server, and this one to somebody else; for the same reason nothing is sent as an
option of the connection (PgBouncer refuses `options`).

Nothing that is sent calls a function of the user. What is read are catalogs and tables, no views, under the search_path
pg_catalog, so that no operator of the user is found. Row level security is off: a table whose policies bind this role
raises 42501 instead of evaluating them. Planning evaluates what it can, too: checks are kept out of it by the setting
constraint_exclusion, and tables whose indexes call functions of the user are left unread (`observe.Observed`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from remediate.errors import RemediateError
from remediate.postgres.address import Address
from remediate.postgres.connection import OLDEST, is_cut, message_of, open_connection

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

NEWEST = 18
LOCK_TIMEOUT = "1s"
"""Whoever waits behind a migration's ACCESS EXCLUSIVE holds up all that comes after; so we do not wait for long."""
IDLE_TIMEOUT = "60s"

# Set for one transaction. The last one is known to minor versions from August 2024 on: a relation that is swapped for a
# view between looking and reading raises then instead of running what the view calls.
_BEGIN = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SETTINGS = """
    SELECT pg_catalog.current_setting('transaction_read_only'),
           pg_catalog.set_config('search_path', 'pg_catalog', true),
           pg_catalog.set_config('default_transaction_read_only', 'on', true),
           pg_catalog.set_config('row_security', 'off', true),
           pg_catalog.set_config('constraint_exclusion', 'off', true),
           pg_catalog.set_config('statement_timeout', %s, true),
           pg_catalog.set_config('lock_timeout', %s, true),
           pg_catalog.set_config('idle_in_transaction_session_timeout', %s, true),
           (SELECT pg_catalog.set_config(name, 'view,foreign-table', true) FROM pg_catalog.pg_settings
            WHERE name = 'restrict_nonsystem_relation_kind')
"""
# SQLSTATEs of what a single statement may be refused for while the session goes on.
_NO_RIGHT = "42501"
_TIMEOUT = "57014"
_NO_LOCK = "55P03"


class NotReadError(Exception):
    """A statement that was refused, or took too long; the session goes on. The text says why, for a reader."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Who looks, and at what. `version` as the server writes it, `major` as a number.

    `passes`: this role passes row level security, as superuser or by BYPASSRLS.
    """

    database: str
    version: str
    major: int
    user: str
    superuser: bool
    passes: bool
    standby: bool


class Reading:
    """One transaction; see `Live.transaction`."""

    def __init__(self, live: Live, connection: Connection[TupleRow]) -> None:
        self._live = live
        self._connection = connection

    def rows(self, query: str) -> list[TupleRow]:
        """The rows of a query that has to work: what is refused raises `RemediateError`."""
        try:
            return self._execute(query)
        except NotReadError as error:
            hint = "if a migration is running, run it again when that has ended"
            raise RemediateError(f"a catalog could not be read: {error}", place=self._live.label, hint=hint) from None

    def rows_or_reason(self, query: str) -> list[TupleRow]:
        """The rows of the last query of a transaction, which may be refused: raises `NotReadError`."""
        return self._execute(query)

    def try_rows(self, query: str) -> list[TupleRow]:
        """The rows of a query that may be refused without harm to the transaction: raises `NotReadError`."""
        self._execute("SAVEPOINT reading")
        try:
            return self._execute(query)
        except NotReadError:
            self._execute("ROLLBACK TO SAVEPOINT reading")
            raise

    def _execute(self, query: str, parameters: Sequence[object] | None = None) -> list[TupleRow]:
        import psycopg

        try:
            cursor = self._connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description is not None else []
        except psycopg.Error as error:
            raise self._live.failure(error) from None


class Live:
    """A session on a database of the user; a context manager. `timeout` is in seconds, for each statement.

    Raises `RemediateError` where the driver is missing, the server refuses or is too old, or the session is cut.
    """

    def __init__(self, address: Address, *, timeout: float) -> None:
        self.label = address.label
        self.timeout = timeout
        self._connection = open_connection(address.parameters, place=address.label)
        try:
            self._check_version()
            with self.transaction() as reading:
                self.seen = self._look(reading)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Reading]:
        """A read-only transaction on one snapshot, rolled back at its end. Keep it short: it holds its locks till then.

        All that it takes are ACCESS SHARE locks, which only ACCESS EXCLUSIVE has to wait for.
        """
        reading = Reading(self, self._connection)
        limits = (f"{round(self.timeout * 1000)}ms", LOCK_TIMEOUT, IDLE_TIMEOUT)
        try:
            reading._execute(_BEGIN)
            ((read_only, *_),) = reading._execute(_SETTINGS, limits)
        except NotReadError as error:
            raise RemediateError(f"no read-only transaction can be opened: {error}", place=self.label) from None
        if read_only != "on":
            hint = "what stands between remediate and the server has to pass BEGIN on as it is"
            raise RemediateError("the server did not open a read-only transaction", place=self.label, hint=hint)
        try:
            yield reading
        finally:
            # A session that was cut has nothing to roll back; what cut it is told already.
            with contextlib.suppress(RemediateError, NotReadError):
                reading._execute("ROLLBACK")

    def failure(self, error: Any) -> RemediateError | NotReadError:
        """What an error of the driver means: the end of the session, or of one statement."""
        message = message_of(error)
        code = error.sqlstate or ""
        if self._connection.closed or self._connection.broken or is_cut(error):
            hint = "nothing was written; run it again"
            return RemediateError(f"the connection was cut: {message}", place=self.label, hint=hint)
        if code == _TIMEOUT:
            return NotReadError(f"it took longer than {self.timeout:g} s")
        if code == _NO_LOCK:
            return NotReadError(f"something else holds a lock on it for more than {LOCK_TIMEOUT}")
        if code == _NO_RIGHT and "row-level security" in message:
            return NotReadError("row level security hides rows of it from this role")
        return NotReadError(message)

    def _check_version(self) -> None:
        """By what the server said when it let us in, so that no query fails first for another reason."""
        number = self._connection.info.server_version
        if number < OLDEST * 10_000:
            told = self._connection.info.parameter_status("server_version") or str(number)
            hint = f"PostgreSQL {OLDEST} to {NEWEST} can be looked at"
            raise RemediateError(f"the server is PostgreSQL {told}, which is too old", place=self.label, hint=hint)

    def _look(self, reading: Reading) -> Seen:
        ((database, version, number, user, superuser, bypass, standby),) = reading.rows(_WHO)
        self.label = f"database {database}" + (f" at {host}" if (host := self._connection.info.host) else "")
        return Seen(database, version, number // 10_000, user, superuser, superuser or bypass, standby)


_WHO = """
    SELECT pg_catalog.current_database()::text, pg_catalog.current_setting('server_version'),
           pg_catalog.current_setting('server_version_num')::integer, current_user::text, r.rolsuper, r.rolbypassrls,
           pg_catalog.pg_is_in_recovery()
    FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user
"""
