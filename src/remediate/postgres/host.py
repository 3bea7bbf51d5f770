"""Where histories are run and changes proven: on a server of our own, or in scratch databases on one of the user."""

from __future__ import annotations

from typing import Protocol

from remediate.postgres.server import Endpoint


class Host(Protocol):
    """A running server. `is_own`: nobody else is on it, so that roles may be made and anything be tried."""

    is_own: bool
    may_make_roles: bool
    stood_in: set[str]
    """The extensions in whose place an empty one stands."""

    @property
    def endpoint(self) -> Endpoint:
        """How it is reached."""
        ...

    @property
    def version(self) -> str:
        """As `18.6`."""
        ...

    def database_name(self, label: str) -> str | None:
        """The name for a new database that stands for `label`; None leaves the choice to `create_database`."""
        ...

    def role_name(self, name: str) -> str:
        """The name for a role that is made here."""
        ...

    def stand_in(self, extension: str) -> bool:
        """Makes an empty extension of that name available; False where that cannot be."""
        ...
