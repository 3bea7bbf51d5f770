"""A server of the user: scratch databases of a name of our own, dropped in the end, and nothing else touched.

A scratch database carries the process id of the session that made it, which stays connected for as long as it is
needed. One whose session is gone was left by a process that was killed: the next run drops it, and its roles.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

from remediate.errors import RemediateError
from remediate.postgres.database import connect, drop_database, told
from remediate.postgres.server import Endpoint

OLDEST = 13
"""DROP DATABASE … WITH (FORCE) is as old."""
PREFIX = "remediate_scratch"
_OURS = re.compile(rf"{PREFIX}_(\d+)_[0-9a-f]{{8}}(?:_\w+)?")


class RemoteServer:
    """A context manager. `url` is what libpq takes: a URL or `key=value` pairs; its database is only connected to.

    Raises `RemediateError` where the server cannot be reached, is too old, or does not let databases (or, with
    `create_roles`, roles) be made. No message holds the password.
    """

    is_own = False

    def __init__(self, url: str, *, create_roles: bool = False) -> None:
        self._endpoint = read_url(url)
        self.may_make_roles = create_roles
        self.stood_in: set[str] = set()
        self._version = ""
        self._session: Any = None
        self._stem = ""

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    @property
    def version(self) -> str:
        return self._version

    def __enter__(self) -> Self:
        self._session = connect(self._endpoint, self._endpoint.database)
        try:
            with told(f"{self._endpoint.host}:{self._endpoint.port}"):
                self._check()
                self._sweep()
        except BaseException:
            self._session.close()
            raise
        self._stem = f"{PREFIX}_{self._session.info.backend_pid}_{secrets.token_hex(4)}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Drops the roles. Each database is dropped by whoever made it, unless that was interrupted on the way."""
        try:
            if error is None:
                with told(f"{self._endpoint.host}:{self._endpoint.port}"):
                    self._clean_up()
            else:
                _quietly(self._clean_up)
        finally:
            self._session.close()

    def _clean_up(self) -> None:
        for (name,) in self._session.execute("SELECT datname FROM pg_database").fetchall():
            if name.startswith(f"{self._stem}_"):
                drop_database(self._endpoint, name)
        self._drop_roles(self._stem)

    def database_name(self, label: str) -> str | None:
        return f"{self._stem}_{secrets.token_hex(2)}"

    def role_name(self, name: str) -> str:
        return f"{self._stem}_{name.removeprefix('remediate_')}"

    def stand_in(self, extension: str) -> bool:
        """Nothing is put into the user's installation."""
        return False

    def _check(self) -> None:
        number = self._session.info.server_version
        self._version = f"{number // 10000}.{number % 10000}"
        place = f"{self._endpoint.host}:{self._endpoint.port}"
        if number // 10000 < OLDEST:
            hint = f"PostgreSQL {OLDEST} or newer is needed"
            raise RemediateError(f"runs PostgreSQL {self._version}, which is too old", place=place, hint=hint)
        row = self._session.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        superuser, databases, roles = row
        if not (superuser or databases):
            raise RemediateError(
                f"{self._endpoint.user} may not make databases there", place=place, hint="ALTER ROLE … CREATEDB"
            )
        if self.may_make_roles and not (superuser or roles):
            raise RemediateError(
                f"{self._endpoint.user} may not make roles there", place=place, hint="leave out --create-roles"
            )

    def _sweep(self) -> None:
        """Drops what killed runs of this user have left."""
        alive = {str(pid) for (pid,) in self._session.execute("SELECT pid FROM pg_stat_activity").fetchall()}
        names = self._session.execute(
            "SELECT datname FROM pg_database WHERE datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
        ).fetchall()
        for (name,) in names:
            found = _OURS.fullmatch(name)
            if found is not None and found.group(1) not in alive:
                drop_database(self._endpoint, name)
        for (name,) in self._session.execute("SELECT rolname FROM pg_roles").fetchall():
            found = _OURS.fullmatch(name)
            if found is not None and found.group(1) not in alive:
                _quietly(partial(self._drop_role, name))

    def _drop_roles(self, stem: str) -> None:
        for (name,) in self._session.execute("SELECT rolname FROM pg_roles ORDER BY 1").fetchall():
            if name.startswith(stem) and self.may_make_roles:
                self._drop_role(name)

    def _drop_role(self, name: str) -> None:
        from psycopg import sql

        self._session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


def _quietly(work: Callable[[], None]) -> None:
    """Cleaning up behind another error, or behind another user: what fails here is not what the user should read."""
    import psycopg

    with contextlib.suppress(psycopg.Error, RemediateError):
        work()


def read_url(url: str) -> Endpoint:
    """The server and database that a URL or connection string names. Its password is in no message."""
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        hint = "install the extra: pip install 'knex-remediate[prove]'"
        raise RemediateError("the driver for PostgreSQL is not installed", hint=hint) from error
    try:
        parts = dict(conninfo_to_dict(url))
    except psycopg.Error:
        # The driver's message quotes what it could not read, and that may be the password.
        hint = "write it as postgresql://user@host:5432/database"
        raise RemediateError("is no connection string", place="--database-url", hint=hint) from None
    user = str(parts.pop("user", "") or "")
    host = str(parts.pop("host", "") or "localhost")
    port = str(parts.pop("port", "") or "5432")
    database = str(parts.pop("dbname", "") or user or "postgres")
    password = parts.pop("password", None)
    if not port.isdigit() or not user:
        what = "names no user" if not user else f"port {port!r} is no number"
        raise RemediateError(what, place="--database-url", hint="write it as postgresql://user@host:5432/database")
    more = tuple((name, str(value)) for name, value in sorted(parts.items()) if value is not None and name != "options")
    return Endpoint(host, int(port), user, None if password is None else str(password), database, more)
