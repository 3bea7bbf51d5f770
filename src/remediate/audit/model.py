"""What an audit says: drift, records of migrations, checks. All of it is for a reader and for `remediate.audit/1`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from remediate.config.model import Severity
from remediate.replay.catalog import QName
from remediate.source.model import MigrationSource
from remediate.source.place import Place, Unresolved

OUTSIDE = Place("made outside of the migrations", 0, 0)
"""Where a live object comes from that no migration makes."""

Sort = Literal["extra", "missing", "different"]


@dataclass(frozen=True, slots=True)
class Change:
    """One property that differs, as either side spells it."""

    name: str
    live: object
    expected: object


@dataclass(frozen=True, slots=True)
class Drift:
    """One object in which the live database is not what its migrations say.

    `sort`: extra (no migration makes it), missing (a migration makes it, the database lacks it), different.
    `isolation`: it bears on who sees which rows; `matters`: a repair of `about` that is planned on this database may
    meet another state in others. `about` is the relation or function it belongs to. `place` is the statement that made
    it so in the migrations, `explanation` a place that could not be read and may be the whole reason.
    """

    sort: Sort
    kind: str
    subject: str
    about: QName | None
    severity: Severity
    isolation: bool
    message: str
    changes: tuple[Change, ...] = ()
    service: str = ""
    place: Place | None = None
    explanation: Unresolved | None = None
    matters: bool = False


ProblemKind = Literal[
    "not-read", "no-record", "missing-file", "renamed-file", "other-extension", "out-of-order-name", "recorded-order",
    "shared-table", "same-name", "locked",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong between one of Knex's tables and the files on disk. `advice` says what to do."""

    kind: ProblemKind
    severity: Severity
    table: QName | None
    services: tuple[str, ...]
    names: tuple[str, ...]
    message: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a service has got: its files on record in recorded order, and those that wait, in Knex's order.

    `table` is None where no table has any of them. Where the record cannot be read (`known` is False), every file is
    taken as applied. `times` are when each of `on_record` was recorded, empty where that is not known.
    """

    service: str
    table: QName | None
    on_record: tuple[MigrationSource, ...]
    pending: tuple[MigrationSource, ...]
    known: bool = True
    times: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a check found: `message` is what holds of several alike, `detail` is of this one.

    `count` is a number of rows, `at_least` that counting stopped there; `not_counted` says why rows were not counted.
    `sql` is the query that was asked about this one, where it has one.
    """

    subject: str
    table: QName
    severity: Severity
    message: str
    service: str = ""
    place: Place | None = None
    count: int | None = None
    at_least: bool = False
    not_counted: str = ""
    sql: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One of the guide's seven. `sql` is what a DBA can run for himself; `looked_at` counts what was asked about.

    `left_out` are sentences on what was not looked at, or not listed.
    """

    id: str
    title: str
    why: str
    sql: str
    looked_at: int
    items: tuple[Item, ...]
    left_out: tuple[str, ...] = ()
