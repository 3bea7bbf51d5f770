"""What a migration does, as evaluate hands it on: statements and unresolved places."""

from __future__ import annotations

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

    `prepared` is the text as it goes over the wire, with `$1`, when values are bound. `unknown_values` is the reason
    why bound values are not known; then `sql` is `prepared`. `control` is true for what Knex sends by itself to begin
    and end a `knex.transaction` (`BEGIN;`, `SAVEPOINT trx2;`, `COMMIT;`, `ROLLBACK`, …). `gap` is the reason why whole
    statements among those of `sql` are not known and left out, or None.
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
    prepared: str | None = None
    unknown_values: str | None = None
    control: bool = False
    gap: str | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of one migration in one direction. `transactional` is what its `config.transaction` says.

    `thrown` is the message of the JavaScript error that ended it, if one did, and `code` its SQLSTATE; `ends` is true
    where that is the migration's own `throw`, and nothing that is not known led to it. `assumptions` are the places
    where something that nothing can answer (an environment variable, rows of a table) was taken as on a fresh database.
    """

    service: str
    migration: str
    file: str
    direction: Direction
    sent: tuple[Sent, ...]
    unresolved: tuple[Unresolved, ...] = ()
    transactional: bool = True
    handle: Literal["knex", "pool"] = "knex"
    thrown: str | None = None
    ends: bool = False
    assumptions: tuple[Unresolved, ...] = ()
    code: str | None = None
