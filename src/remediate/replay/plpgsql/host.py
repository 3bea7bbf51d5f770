"""What a PL/pgSQL block needs of the world around it; the replay engine is one host, a test with a server another."""

from __future__ import annotations

from typing import Protocol

from remediate.replay.reading import CatalogReader


class Host(Protocol):
    """Where the statements of a block go, in the order in which they are executed."""

    @property
    def reader(self) -> CatalogReader:
        """The catalog as it stands after every statement so far."""
        ...

    def execute(self, sql: str, offset: int, conditional: str | None) -> None:
        """Takes one SQL statement, its variables put in as literals.

        `offset` counts characters into the body, where the statement (or the EXECUTE that made it) stands.
        `conditional` is the reason why nothing can tell whether it is executed. Raises `Refused` where PostgreSQL
        would refuse it; the block may catch that.
        """
        ...

    def unknown(self, reason: str, offset: int, subjects: tuple[str, ...], conditional: str | None) -> None:
        """Hears of an effect that cannot be told; `subjects` are names of relations that it is about, if known."""
        ...

    def assume(self, reason: str, offset: int) -> None:
        """Hears of a condition that was taken as on a fresh database."""
        ...

    def savepoint(self) -> object:
        """Marks the state of the catalog; BEGIN … EXCEPTION is a sub-transaction."""
        ...

    def rollback_to(self, savepoint: object) -> None:
        """Takes back every statement since the mark."""
        ...
