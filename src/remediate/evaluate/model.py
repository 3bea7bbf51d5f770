"""What a migration does, as evaluate hands it on: statements and unresolved places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from remediate.source.place import Place, Unresolved

Direction = Literal["up", "down"]
Form = Literal["builder", "raw", "query", "pool"]


@dataclass(frozen=True, slots=True)
class Sent:
    """One SQL string that a migration sends, bindings inlined; it may hold several statements.

    `transaction` is None for the migration's own, else the id of a knex.transaction in it. `conditional` is the reason
    why nothing can tell whether it is sent, or None. `swallowed`: its error is caught by the migration itself.
    `template` is the place of the string literal that the text came from unchanged, when it did: then a byte offset
    into the SQL maps to a byte offset into the file.
    """

    service: str
    migration: str
    direction: Direction
    place: Place
    sql: str
    form: Form
    transaction: str | None = None
    conditional: str | None = None
    swallowed: bool = False
    template: Place | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of one migration in one direction. `transactional` is what its `config.transaction` says."""

    service: str
    migration: str
    file: str
    direction: Direction
    sent: tuple[Sent, ...]
    unresolved: tuple[Unresolved, ...] = ()
    transactional: bool = True
    handle: Literal["knex", "pool"] = "knex"


def unresolved_of(evaluations: Iterable[Evaluation]) -> tuple[Unresolved, ...]:
    """Every unresolved place, each once, in reading order."""
    return tuple(dict.fromkeys(item for evaluation in evaluations for item in evaluation.unresolved))
