"""What a proof says: frozen, plain, and the same for the same input but for the time that it took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from remediate.plan.model import Change
from remediate.plan.operations import Lock
from remediate.replay.catalog import QName
from remediate.source.place import Place

Verdict = Literal["proven", "failed", "unprovable"]
Status = Literal["passed", "failed", "untried"]
CheckName = Literal[
    "up",
    "findings",
    "prediction",
    "tenants",
    "backfill",
    "rows",
    "rewrites",
    "locks",
    "down",
    "up again",
    "history",
    "queries",
]
Role = Literal["application", "owner"]
Whose = Literal["own", "other", "nobody"]
StubKind = Literal["schema", "extension", "type", "table", "function"]

MEANINGS: dict[CheckName, str] = {
    "up": "up runs as the owner of the tables, who is no superuser",
    "findings": "what was found is found no more in pg_catalog, and nothing new is",
    "prediction": "the catalog is the one that the static engine predicted",
    "tenants": "two tenants are kept apart, and each reaches its own rows as before",
    "backfill": "every row got the tenant that its parent has",
    "rows": "no row and no value of any other column was lost, on the way up, down and up",
    "rewrites": "no table was rewritten",
    "locks": "the locks are those that the plan says",
    "down": "down restores the catalog exactly",
    "up again": "up once more gives the same catalog",
    "queries": "real Knex sends the same strings, and comes to the same schema, up, down and up",
    "history": "the edited history makes the same schema",
}
"""What each check says when it has passed."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence, and the line of the emitted file that it is about, where one is."""

    text: str
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried. `remarks` say what was wrong, or why it could not be tried, or what else was seen."""

    name: CheckName
    status: Status
    remarks: tuple[Remark, ...] = ()


class Attempt(NamedTuple):
    """One way to reach rows: as whom, with which setting, by which statement.

    `session`: "right" (the tenant's own key), "wrong" (the key of no tenant), "empty", "unset", "other" (the key of the
    second tenant), or "legacy NAME" (the right key under another name of the setting). `statement` begins with "own"
    where a tenant reaches for its own rows; the others reach for rows of somebody else.
    """

    role: Role
    session: str
    statement: str


class Effect(NamedTuple):
    """Rows that something wrote in a table, and whose they are as the session sees it: its tenant's or another's."""

    table: QName
    kind: Literal["insert", "update", "delete"]
    whose: Whose
    number: int


@dataclass(frozen=True, slots=True)
class Reach:
    """What every attempt on one relation gave at one time.

    Outcomes: "leak" (it reached a row of another tenant, or one of any tenant without being one), "held" (it did not),
    "refused 42501" (with the SQLSTATE), "2 rows" for one's own rows, "untried".
    """

    outcomes: dict[Attempt, str]
    effects: dict[Attempt, tuple[Effect, ...]] = field(default_factory=dict)
    """What triggers wrote in other tables, where a tenant wrote its own rows."""

    def leaks(self) -> tuple[Attempt, ...]:
        return tuple(attempt for attempt, outcome in self.outcomes.items() if outcome == "leak")


@dataclass(frozen=True, slots=True)
class Matrix:
    """One table before and after the changes of its database. `rows` are those of the two tenants.

    `unfilled` is the reason why it has no rows of two tenants, and so was not tried.
    """

    table: QName
    service: str
    rows: tuple[int, int] = (0, 0)
    before: Reach | None = None
    after: Reach | None = None
    unfilled: str | None = None
    stub: bool = False


@dataclass(frozen=True, slots=True)
class Detour:
    """A way around the tables: a view, or a function with its owner's rights. Outcomes: see `prove/detours.py`."""

    kind: Literal["view", "materialized view", "function"]
    name: str
    reads: tuple[QName, ...]
    before: dict[Attempt, str]
    after: dict[Attempt, str]


@dataclass(frozen=True, slots=True)
class Stub:
    """What stands in for something that the history refers to and nobody makes: a table of another service.

    `places` are the first that refer to it; `columns` of a table, name and type, are those that are referred to.
    `statement` is what makes it.
    """

    kind: StubKind
    name: str
    places: tuple[Place, ...]
    columns: tuple[tuple[str, str], ...] = ()
    statement: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """A lock on a relation that was there before, as another session saw it, and the line that took it."""

    lock: Lock
    place: Place


@dataclass(frozen=True, slots=True)
class ChangeProof:
    """What was tried of one change, in the order in which it was tried."""

    change: Change
    checks: tuple[Check, ...]
    locks: tuple[Observed, ...] = ()
    rewritten: tuple[QName, ...] = ()
    tables: tuple[QName, ...] = ()
    leaks_before: int = 0
    leaks_after: int = 0

    @property
    def verdict(self) -> Verdict:
        statuses = {check.status for check in self.checks}
        if "failed" in statuses:
            return "failed"
        return "proven" if self.checks and "untried" not in statuses else "unprovable"

    def check(self, name: CheckName) -> Check | None:
        return next((check for check in self.checks if check.name == name), None)


@dataclass(frozen=True, slots=True)
class DatabaseProof:
    """One database: its changes in the order in which they ran, and every table as it was attacked.

    `limits` are what stands between this proof and production: extensions that were replaced, places of the history
    that were not run. `unlike` counts the facts in which the history gave another catalog than the static engine.
    """

    database: str
    services: tuple[str, ...]
    application: str
    changes: tuple[ChangeProof, ...]
    matrices: tuple[Matrix, ...]
    detours: tuple[Detour, ...] = ()
    checks: tuple[Check, ...] = ()
    limits: tuple[str, ...] = ()
    refused: int = 0
    unlike: int = 0
    settings: tuple[str, ...] = ()
    stubs: tuple[Stub, ...] = ()


@dataclass(frozen=True, slots=True)
class Proofs:
    """The whole: which server it was tried on, what production runs, and each database. Without changes no server."""

    server: str
    production: int
    runner: Literal["evaluator", "knex"]
    databases: tuple[DatabaseProof, ...]
    skipped: tuple[str, ...] = field(default=())

    @property
    def changes(self) -> tuple[ChangeProof, ...]:
        return tuple(proof for database in self.databases for proof in database.changes)

    def of(self, verdict: Verdict) -> tuple[ChangeProof, ...]:
        return tuple(proof for proof in self.changes if proof.verdict == verdict)

    @property
    def failed(self) -> bool:
        checks = (check for database in self.databases for check in database.checks)
        return bool(self.of("failed")) or any(check.status == "failed" for check in checks)
