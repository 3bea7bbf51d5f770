"""Databases on a server: made from a template, opened, dropped. The driver is imported at first use: it takes 0.1 s."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, LiteralString

from remediate.errors import RemediateError
from remediate.postgres.connection import hint_for, is_cut, message_of, open_connection
from remediate.postgres.server import Endpoint

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow


def connect(
    endpoint: Endpoint, database: str, *, user: str | None = None, options: str | None = None
) -> Connection[TupleRow]:
    """Open `database` in autocommit mode, as `user` (by default the endpoint's); the caller closes it.

    `options` are for the server, as libpq takes them (`-c name=value`). Raises `RemediateError` where the driver is
    missing or the server refuses.
    """
    parameters = {
        **dict(endpoint.more), "host": endpoint.host, "port": endpoint.port, "user": user or endpoint.user,
        "password": endpoint.password, "dbname": database, "options": options,
    }  # fmt: skip
    return open_connection(parameters, place=f"database {database} at {endpoint.place}")


@contextlib.contextmanager
def opened(endpoint: Endpoint, database: str) -> Iterator[Connection[TupleRow]]:
    """A connection for as long as it is needed; whatever PostgreSQL refuses in it is a `RemediateError`."""
    with connect(endpoint, database) as connection, told(f"database {database}"):
        yield connection


@contextlib.contextmanager
def told(place: str) -> Iterator[None]:
    """Turns the driver's errors into one line: a connection that was cut, a right that is missing."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        lost = "the connection was cut" if is_cut(error) else "PostgreSQL cannot go on"
        raise RemediateError(f"{lost}: {message_of(error)}", place=place, hint=hint_for(error)) from error


def create_database(endpoint: Endpoint, name: str | None = None, *, template: str = "template1") -> str:
    """Make a database as a copy of `template`, which nobody may be connected to; returns its name.

    Without a name it gets one of our own, `remediate_` and eight hexadecimal digits.
    """
    name = name or f"remediate_{secrets.token_hex(4)}"
    _maintain(endpoint, "CREATE DATABASE {} TEMPLATE {}", name, template)
    return name


def drop_database(endpoint: Endpoint, name: str) -> None:
    """Drop a database, with whoever is connected to it; does nothing where there is none of that name."""
    _maintain(endpoint, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def forget_role_settings(endpoint: Endpoint) -> None:
    """Take back what `ALTER ROLE … SET` has set for roles in all databases: they belong to the server, and stay.

    Only for a server of our own.
    """
    query = "SELECT rolname FROM pg_db_role_setting LEFT JOIN pg_roles AS r ON r.oid = setrole WHERE setdatabase = 0"
    with connect(endpoint, endpoint.database) as connection:
        from psycopg import sql

        for (role,) in connection.execute(query).fetchall():
            name = sql.SQL("ALL") if role is None else sql.Identifier(role)
            connection.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(name))


@contextlib.contextmanager
def scratch_database(endpoint: Endpoint, *, template: str = "template1") -> Iterator[str]:
    """A database of our own name that is gone afterwards."""
    name = create_database(endpoint, template=template)
    try:
        yield name
    finally:
        drop_database(endpoint, name)


def _maintain(endpoint: Endpoint, command: LiteralString, *names: str) -> None:
    with connect(endpoint, endpoint.database) as connection:
        import psycopg
        from psycopg import sql

        query = sql.SQL(command).format(*map(sql.Identifier, names))
        try:
            connection.execute(query)
        except psycopg.Error as error:
            what = "the connection was cut" if is_cut(error) else f"{command.split(' {')[0]} failed"
            failed = f"{what}: {message_of(error)}"
            raise RemediateError(failed, place=f"database {names[0]}", hint=hint_for(error)) from error
