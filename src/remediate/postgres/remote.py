"""A server of the user: scratch databases of a name of our own, dropped in the end, and nothing else touched.

A scratch database carries the process id of the session that made it, which stays connected for as long as it is
needed. One whose session is gone was left by a process that was killed: the next run drops it, and its roles.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self

from remediate.errors import RemediateError, conceal
from remediate.postgres.address import Address
from remediate.postgres.connection import OLDEST, open_connection
from remediate.postgres.database import connect, told
from remediate.postgres.server import Endpoint
from remediate.sql.quote import Identifier

PREFIX = "remediate_scratch"
_OF_ENDPOINT = ("host", "hostaddr", "port", "user", "password", "dbname")
_OURS = re.compile(rf"{PREFIX}_(\d+)_[0-9a-f]{{8}}(?:_\w+)?")


class RemoteServer:
    """A context manager. The database of `address` is only connected to.

    Raises `RemediateError` where the server cannot be reached, is too old, cannot be written to, or does not let
    databases (or, with `create_roles`, roles) be made. No message holds the password.
    """

    is_own = False

    def __init__(self, address: Address, *, create_roles: bool = False) -> None:
        self._address = address
        self._endpoint: Endpoint | None = None
        self.may_make_roles = create_roles
        self.stood_in: set[str] = set()
        self._version = ""
        self._session: Any = None
        self._stem = ""

    @property
    def endpoint(self) -> Endpoint:
        """Where the session turned out to be: what the address leaves out, libpq takes from elsewhere."""
        if self._endpoint is None:
            raise RuntimeError("the server is not connected to")
        return self._endpoint

    @property
    def version(self) -> str:
        return self._version

    def __enter__(self) -> Self:
        given = {name: value for name, value in self._address.parameters.items() if name != "options"}
        self._session = open_connection(given, place=self._address.label)
        try:
            self._endpoint = self._located(given)
            with told(self._place):
                self._check()
                self._sweep()
        except BaseException:
            self._session.close()
            raise
        self._stem = f"{PREFIX}_{self._session.info.backend_pid}_{secrets.token_hex(4)}"
        return self

    def _located(self, given: Mapping[str, str]) -> Endpoint:
        info = self._session.info
        conceal(info.password)
        more = {name: one for name, one in given.items() if name not in _OF_ENDPOINT}
        return Endpoint(info.host, info.port, info.user, info.password or None, info.dbname, tuple(more.items()))

    @property
    def _place(self) -> str:
        return self._address.label

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Drops the roles. Each database is dropped by whoever made it, unless that was interrupted on the way."""
        try:
            if error is None:
                with told(self._place):
                    self._clean_up()
            else:
                _quietly(self._clean_up)
                if self._session.broken:  # that was cut, and the server may still be there
                    _quietly(self._clean_up_anew)
        finally:
            self._session.close()

    def _clean_up_anew(self) -> None:
        self._session = connect(self.endpoint, self.endpoint.database)
        self._clean_up()

    def _clean_up(self) -> None:
        for (name,) in self._session.execute("SELECT datname FROM pg_database").fetchall():
            if name.startswith(f"{self._stem}_"):
                self._drop(name)
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
        if number // 10000 < OLDEST:
            said = self._session.info.parameter_status("server_version") or self._version
            hint = f"PostgreSQL {OLDEST} or newer is needed"
            raise RemediateError(f"the server is PostgreSQL {said}, which is too old", place=self._place, hint=hint)
        row = self._session.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, pg_catalog.pg_is_in_recovery(),"
            " pg_catalog.current_setting('default_transaction_read_only') FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        superuser, databases, roles, standby, read_only = row
        if standby:
            hint = "name its primary, or a server of its own for proofs"
            raise RemediateError("the server is a standby, which takes no writes", place=self._place, hint=hint)
        if read_only == "on":
            hint = "name a server for proofs, or ALTER ROLE … SET default_transaction_read_only = off"
            raise RemediateError("transactions are read-only there", place=self._place, hint=hint)
        if not (superuser or databases):
            hint = f"ALTER ROLE {Identifier(self.endpoint.user).sql()} CREATEDB"
            raise RemediateError(f"{self.endpoint.user} may not make databases there", place=self._place, hint=hint)
        if self.may_make_roles and not (superuser or roles):
            raise RemediateError(
                f"{self.endpoint.user} may not make roles there", place=self._place, hint="leave out --create-roles"
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
                self._drop(name)
        for (name,) in self._session.execute("SELECT rolname FROM pg_roles").fetchall():
            found = _OURS.fullmatch(name)
            if found is not None and found.group(1) not in alive:
                _quietly(partial(self._drop_role, name))

    def _drop(self, name: str) -> None:
        """In the session that is there: another one may be one too many for this user."""
        from psycopg import sql

        self._session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

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
