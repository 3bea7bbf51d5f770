"""Knex's tables of a live database against the migration files on disk.

The file name with its extension is a migration's identity (knex/lib/migrations/migrate/migration-list-resolver.js): a
recorded name without a file ends the next run with "The migration directory is corrupt".
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from remediate.audit.model import Problem, Standing
from remediate.detect.found import listed
from remediate.postgres.observe import RecordTable
from remediate.replay.catalog import QName
from remediate.source.model import MigrationSource, Service

_EXTENSION = re.compile(r"\.(?:[cm]?[jt]s)$")
_NUMBER = re.compile(r"^[\d_-]+")
_SIMILAR = 0.85
_CORRUPT = "the next migrate:latest stops with 'The migration directory is corrupt'"


@dataclass(frozen=True, slots=True)
class Records:
    """How far every service has got, and what is wrong; `tables` are those of Knex that were found."""

    standings: tuple[Standing, ...]
    problems: tuple[Problem, ...]
    tables: tuple[RecordTable, ...]

    @property
    def pending(self) -> tuple[MigrationSource, ...]:
        return tuple(source for standing in self.standings for source in standing.pending)


def match_records(services: Sequence[Service], tables: Sequence[RecordTable]) -> Records:
    """Which files are on record, and where the record and the files disagree. `services` stand in replay order."""
    homes = {service.name: _home(service, tables) for service in services}
    standings: list[Standing] = []
    problems: list[Problem] = []
    for service in services:
        home = homes[service.name]
        if home is None and tables:
            standings.append(Standing(service.name, None, (), service.migrations))
        elif home is None or home.not_read:
            standings.append(Standing(service.name, home.name if home else None, service.migrations, (), known=False))
        else:
            found = _match(home.names, service, _of_others(service, home, services, homes))
            on_record = tuple(dict.fromkeys(found.values()))
            left = tuple(source for source in service.migrations if source not in on_record)
            when = dict(zip(home.names, home.times, strict=False))
            times = {source: when[name] for name, source in reversed(found.items()) if name in when}
            known = tuple(times[source] for source in on_record) if len(times) == len(on_record) else ()
            standings.append(Standing(service.name, home.name, on_record, left, times=known))
            problems += _order(service, home, on_record, left)
    if services and not tables:
        problems.append(_no_record(services))
    for table in tables:
        problems += _table(table, [service for service in services if homes[service.name] == table], services, homes)
    return Records(tuple(standings), tuple(problems), tuple(tables))


def in_recorded_order(services: Sequence[Service], records: Records) -> tuple[Service, ...] | None:
    """The services as they ran by the times of their records, each once for every run of its files without another
    service's among them; None where that is their own order, or where not all times are known.

    Within a service the order of the ids holds.
    """
    standings = {standing.service: standing for standing in records.standings}
    waiting = [(service, list(standings[service.name].on_record), list(standings[service.name].times))
               for service in services if standings[service.name].on_record]  # fmt: skip
    if len(waiting) < 2 or any(len(files) != len(times) for _, files, times in waiting):
        return None
    runs: list[tuple[Service, list[MigrationSource]]] = []
    while waiting:
        # Of equal times the first service's: they stand in replay order.
        service, files, times = min(waiting, key=lambda one: one[2][0])
        if not runs or runs[-1][0] is not service:
            runs.append((service, []))
        runs[-1][1].append(files.pop(0))
        times.pop(0)
        waiting = [one for one in waiting if one[1]]
    names = [service.name for service in services if standings[service.name].on_record]
    if [service.name for service, _ in runs] == names:
        return None
    return tuple(replace(service, migrations=tuple(files)) for service, files in runs)


def ran_otherwise(services: Sequence[Service], ran: Sequence[Service]) -> Problem:
    """That the services ran in another order than a fresh database runs them in, where it made a difference."""
    return Problem(
        "recorded-order", "warning", None, tuple(dict.fromkeys(one.name for one in ran)), (),
        f"By the times of the records the services ran in another order here ({listed([one.name for one in ran], 6)}) "
        "than they need each other in, and that made another schema",
        f"A fresh database runs {listed([one.name for one in services], 6)}, and comes to what the migrations say.",
    )  # fmt: skip


def _home(service: Service, tables: Sequence[RecordTable]) -> RecordTable | None:
    """The table that its files are on record in: the one that its knexfile names, by preference where they are."""

    def rank(table: RecordTable) -> tuple[bool, bool, int, bool, str]:
        known = len(_match(table.names, service))
        return known > 0, table.name.name == service.table_name, known, table.name.schema == "public", str(table.name)

    candidates = [table for table in tables if any(rank(table)[:2])]
    return max(candidates, key=rank, default=None)


def _match(
    names: Sequence[str], service: Service, of_others: Collection[str] | None = None
) -> dict[str, MigrationSource]:
    """The file of each recorded name, in recorded order: of that name, of another extension, or renamed.

    A name `of_others` is never taken for a renamed file; where that is None, no name is.
    """
    exact = {source.name: source for source in service.migrations}
    stems: dict[str, MigrationSource] = {_stem(source.name): source for source in reversed(service.migrations)}
    found: dict[str, MigrationSource] = {}
    for name in names:
        source = exact.get(name) or stems.get(_stem(name))
        if source is not None:
            found[name] = source
    if of_others is not None:
        free = [source for source in service.migrations if source not in found.values()]
        for name in names:
            if name not in found and name not in of_others and (source := _renamed(name, free)):
                found[name] = source
                free.remove(source)
    return {name: found[name] for name in names if name in found}


def _of_others(
    service: Service, home: RecordTable, services: Sequence[Service], homes: Mapping[str, RecordTable | None]
) -> frozenset[str]:
    """The recorded names that are those of files of other services on the same table."""
    others = (other for other in services if other is not service and homes[other.name] == home)
    return frozenset(source.name for other in others for source in other.migrations)


def _stem(name: str) -> str:
    return _EXTENSION.sub("", name)


def _renamed(name: str, free: Sequence[MigrationSource]) -> MigrationSource | None:
    """A file without record that is what a recorded name was renamed to, as far as names can tell; each only once."""
    stem, words = _stem(name), _NUMBER.sub("", _stem(name))
    for source in free:
        other = _stem(source.name)
        if words and words == _NUMBER.sub("", other):
            return source
    close = {
        source.name: difflib.SequenceMatcher(None, stem, _stem(source.name), autojunk=False).ratio() for source in free
    }
    best = max(close, key=lambda one: close[one], default=None)
    return next(one for one in free if one.name == best) if best is not None and close[best] >= _SIMILAR else None


def _no_record(services: Sequence[Service]) -> Problem:
    names = tuple(dict.fromkeys(service.table_name for service in services))
    return Problem(
        "no-record", "warning", None, tuple(service.name for service in services), (),
        f"There is no table of Knex in this database (looked for {listed(names)}, and for its columns under any name)",
        "Whether the files have run is not known; all of them were taken as applied.",
    )  # fmt: skip


def _order(
    service: Service, home: RecordTable, on_record: Sequence[MigrationSource], left: Sequence[MigrationSource]
) -> Iterator[Problem]:
    position = {source: number for number, source in enumerate(service.migrations)}
    last = max((position[source] for source in on_record), default=-1)
    late = tuple(source.name for source in left if position[source] < last)
    if late:
        yield Problem(
            "out-of-order-name", "warning", home.name, (service.name,), late,
            f"{listed(late)} of {service.name} waits, though its name sorts before "
            f"{service.migrations[last].name}, which is on record",
            "It will run after files that a fresh database runs after it: the two may come to other schemas.",
        )  # fmt: skip
    turned = [(one.name, two.name) for one, two in itertools.pairwise(on_record) if position[one] > position[two]]
    if turned:
        one, two = turned[0]
        more = f" (and {len(turned) - 1} more like it)" if len(turned) > 1 else ""
        yield Problem(
            "recorded-order", "warning", home.name, (service.name,), tuple(two for _, two in turned),
            f"{two} of {service.name} ran after {one} here, though its name sorts before it{more}",
            "A fresh database runs them the other way round.",
        )  # fmt: skip


def _table(
    table: RecordTable,
    services: Sequence[Service],
    every: Sequence[Service],
    homes: Mapping[str, RecordTable | None],
) -> Iterator[Problem]:
    """What is wrong with one table as a whole, for the services whose record it is, of `every` one."""
    names = tuple(service.name for service in services)
    if table.not_read:
        yield Problem(
            "not-read", "warning", table.name, names, (),
            f"{table.name} could not be read: {table.not_read}",
            "Its files were taken as applied. Grant SELECT on it to the role that looks.",
        )  # fmt: skip
        return
    if table.locked:
        yield Problem(
            "locked", "error", table.name, names, (),
            f"{table.name}_lock is locked: a run is going on now, or one died and left it",
            "While it is, every migrate:latest stops with MigrationLocked; if none is running: knex migrate:unlock.",
        )  # fmt: skip
    if not services:
        return
    if len(services) > 1:
        yield Problem(
            "shared-table", "error", table.name, names, (),
            f"{listed(names)} keep their record in one table: to each the names of the others have no file, and "
            f"{_CORRUPT}",
            "Give each service a tableName of its own in its knexfile, and move its rows there.",
        )  # fmt: skip
        yield from _same_names(table, services)
    files: dict[str, MigrationSource] = {}
    for service in services:
        files |= _match(table.names, service, _of_others(service, table, every, homes))
    yield from _names(table, names, files)


def _same_names(table: RecordTable, services: Sequence[Service]) -> Iterator[Problem]:
    owners: dict[str, list[str]] = {}
    for service in services:
        for source in service.migrations:
            owners.setdefault(source.name, []).append(service.name)
    for name, those in owners.items():
        if len(those) > 1:
            yield Problem(
                "same-name", "error", table.name, tuple(those), (name,),
                f"{listed(those)} have a file {name} each, and share the record: whichever runs second is skipped in "
                "silence",
                "Look at the schema for what the second one makes, and give it a name of its own.",
            )  # fmt: skip


def _names(table: RecordTable, names: tuple[str, ...], files: Mapping[str, MigrationSource]) -> Iterator[Problem]:
    """Recorded names without a file of that name; `files` are those that were found for them."""
    missing = tuple(dict.fromkeys(name for name in table.names if name not in files))
    if missing:
        yield Problem(
            "missing-file", "error", table.name, names, missing,
            f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} on record, and no file of {listed(names)}: "
            f"{_CORRUPT}",
            "Bring the file back from version control; what it made is not in what the migrations say.",
        )  # fmt: skip
    moved = {name: source.name for name, source in files.items() if _stem(name) != _stem(source.name)}
    for name, now in moved.items():
        yield Problem(
            "renamed-file", "error", table.name, names, (name, now),
            f"{name} is on record, and {now} looks like the same file renamed: {_CORRUPT}",
            "Give the file its recorded name back, or UPDATE the recorded name in every database at once.",
        )  # fmt: skip
    yield from _extensions(table, names, files)


def _extensions(table: RecordTable, names: tuple[str, ...], files: Mapping[str, MigrationSource]) -> Iterator[Problem]:
    """Recorded as .js, on disk as .ts: right where production runs what is compiled, and all of it is."""
    other = tuple(name for name, one in files.items() if name != one.name and _stem(name) == _stem(one.name))
    if not other:
        return
    of_all = len(other) == len(files)
    example = f"{other[0]} for {files[other[0]].name}"
    if of_all:
        message = f"Every name is on record with another extension than its file on disk has ({example})"
        advice = "That is right if this database is migrated with compiled files; with those on disk it is corrupt."
    else:
        message = f"{len(other)} of {len(files)} names are on record with another extension ({example}): {_CORRUPT}"
        advice = "Decide for one extension (loadExtensions), and UPDATE the recorded names to it."
    yield Problem("other-extension", "info" if of_all else "error", table.name, names, other, message, advice)


def bookkeeping(tables: Sequence[RecordTable]) -> frozenset[QName]:
    """Knex's own tables, which are part of no schema: the records and their locks."""
    return frozenset(
        name for table in tables for name in (table.name, QName(table.name.schema, f"{table.name.name}_lock"))
    )
