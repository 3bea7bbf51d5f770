"""The one way to open a connection, to a server of our own or of the user, and to say in one line why that failed.

The driver is imported at first use: it takes 0.1 s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from remediate.errors import RemediateError, without_concealed

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

OLDEST: Final = 14
"""pg_get_function_sqlbody, without which functions cannot be read back, is there from this major version on."""

_DEFAULTS: Final = {
    "connect_timeout": "10",
    "application_name": "remediate",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_HINTS = (
    (r"password authentication failed|no password supplied", "check the user and the password of the address"),
    (r"no pg_hba\.conf entry .*(no encryption|SSL off)", "the server wants SSL: add sslmode=require to the address"),
    (r"no pg_hba\.conf entry", "the server lets nobody in from here as this user"),
    (r"server does not support SSL", "the server speaks no SSL: use sslmode=prefer, or another server"),
    (r"certificate", "see sslmode and sslrootcert in the address"),
    (r"database .* does not exist", "check the database's name in the address"),
    (r"role .* does not exist", "check the user of the address"),
    (r"definition of service", "see PGSERVICEFILE and ~/.pg_service.conf"),
    (
        r"unsupported startup parameter|unrecognized configuration parameter",
        "name the server itself, not a pooler before it, and leave `options` out of the address",
    ),
    (r"is not permitted to log in", "name a role with LOGIN in the address"),
    (r"invalid port number|for connection option \"port\"", "write a port between 1 and 65535 into the address"),
    (r"socket path .* is too long", "name a host and a port, or a folder with a shorter path"),
    (r"on socket .* failed: No such file", "check the folder of the socket, and the port, which is part of its name"),
    (r"too many connections for", "raise its CONNECTION LIMIT: several sessions are needed at once"),
    (r"too many (clients|connections)|remaining connection slots", "try again when the server is less busy"),
    (r"starting up|shutting down|recovery mode", "try again when the server is up"),
)
_CUT = ("57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "08")
_ON_THE_WAY = re.compile(r"^(?:connection (?:failed|is bad): )?(?:connection to server (?:at|on) .+? failed: )?")
_GUESSES = re.compile(
    r" (?:Is the server running [^?]*\?|This probably means [^.]*\.)|\bconsuming input failed: |\[Errno -?\d+\] "
)
"""What libpq says beside the cause."""

OF_THE_MACHINE: Final = {"53100": "free room on its disk", "53200": "give it more memory", "58030": "look at its disk"}
"""Errors that say nothing about the statement: the disk is full, memory is short, the disk does not answer."""

_UNREACHED = "check host, port and network"


def open_connection(parameters: Mapping[str, object], *, place: str) -> Connection[TupleRow]:
    """A connection in autocommit mode, for the caller to close. `parameters` are libpq's, and go before our defaults.

    Raises `RemediateError` at `place` where the driver is missing or the server lets nobody in.
    """
    require_driver()
    import psycopg

    given: dict[str, Any] = {**_DEFAULTS, **{name: value for name, value in parameters.items() if value is not None}}
    try:
        # A dictionary, so that no value has to be put into a string.
        # No prepared statements: one cannot be several, goes stale as the schema changes, and a pooler may hand the
        # next to another connection.
        return psycopg.connect("", autocommit=True, prepare_threshold=None, **given)
    except (psycopg.Error, UnicodeError) as error:
        message = message_of(error)
        raise RemediateError(f"cannot connect: {_cause(message)}", place=place, hint=_hint(message)) from None


def _cause(message: str) -> str:
    """What libpq tries on the way is no part of the cause: "connection to server at … failed: FATAL:  …"."""
    return _ON_THE_WAY.sub("", re.split(r"\b(?:FATAL|ERROR):\s+", message)[-1])


def _hint(message: str) -> str:
    return next((hint for pattern, hint in _HINTS if re.search(pattern, message)), _UNREACHED)


def hint_for(error: Exception) -> str:
    """What to do about a statement that was refused."""
    return OF_THE_MACHINE.get(getattr(error, "sqlstate", None) or "", "try again")


def is_cut(error: Exception) -> bool:
    """Whether an error of the driver means that the session is over."""
    code = getattr(error, "sqlstate", None)
    return code is None or code.startswith(_CUT)


def require_driver() -> None:
    """Raises `RemediateError` where the driver is missing."""
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        hint = "install the extra: pip install 'knex-remediate[prove]'"
        raise RemediateError("the driver for PostgreSQL is not installed", hint=hint) from error


def message_of(error: Exception) -> str:
    """What the server or libpq said, on one line, without passwords that are known."""
    diagnosis = getattr(error, "diag", None)
    message = (diagnosis.message_primary if diagnosis is not None else None) or str(error)
    return without_concealed(without_guesses(message))


def without_guesses(message: str) -> str:
    """A message of libpq on one line, without what it supposes about the cause."""
    return _GUESSES.sub("", " ".join(message.split()))
