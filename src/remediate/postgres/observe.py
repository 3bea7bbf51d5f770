"""A live database in one snapshot: its catalog, what only a live database has, and Knex's records of migrations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediate.postgres import live_queries
from remediate.postgres.introspect import Fetched, build, fetch
from remediate.postgres.live import Live, NotReadError, Reading, Seen
from remediate.replay.catalog import Catalog, QName
from remediate.sql.quote import QualifiedName

if TYPE_CHECKING:
    from psycopg.rows import TupleRow


@dataclass(frozen=True, slots=True)
class BypassingRole:
    """A role that one can log in as and that policies do not bind; `through` are the roles that it can become."""

    name: str
    superuser: bool
    bypassrls: bool
    through: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordTable:
    """One of Knex's tables. `names` in the order in which they were recorded (by id); `locked`: None if not known.

    `not_read` says why the names are not known, where they are not. `times` are when each was recorded, in seconds of
    Unix time; empty where that is not known of all.
    """

    name: QName
    names: tuple[str, ...] = ()
    locked: bool | None = None
    not_read: str = ""
    times: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen. `definitions` are the CREATE statements of functions.

    `unreadable` are tables whose rows are not read, each with the reason; `strange` columns that PostgreSQL's own
    operators do not compare. `rows` are the answers to the caller's own questions.
    """

    seen: Seen
    label: str
    catalog: Catalog
    invalid_indexes: frozenset[QName] = frozenset()
    disabled_triggers: Mapping[tuple[QName, str], str] = field(default_factory=dict)
    bypassing: tuple[BypassingRole, ...] = ()
    unreadable: Mapping[QName, str] = field(default_factory=dict)
    strange: frozenset[tuple[QName, str]] = frozenset()
    definitions: Mapping[tuple[QName, tuple[str, ...]], str] = field(default_factory=dict)
    records: tuple[RecordTable, ...] = ()
    rows: Mapping[str, list[TupleRow]] = field(default_factory=dict)


def observe(live: Live, questions: Iterable[str] = ()) -> Observed:
    """Reads everything in one short transaction; what takes time, spelling expressions, comes after it.

    `questions` are queries on pg_catalog that are answered on the same snapshot.
    """
    with live.transaction() as reading:
        fetched = fetch(reading.rows)
        found = fetch_live(reading)
        unreadable = {QName(*row): _CALLING for row in found[live_queries.CALLING_TABLES]}
        unreadable |= {QName(*row): _FOREIGN for row in found[live_queries.FOREIGN_PARTS]}
        records = tuple(_record(reading, unreadable, *row) for row in found[live_queries.RECORD_TABLES])
        rows = {question: reading.rows(question) for question in questions}
    return Observed(
        seen=live.seen,
        label=live.label,
        catalog=build(fetched),
        invalid_indexes=frozenset(QName(*row) for row in found[live_queries.INVALID_INDEXES]),
        disabled_triggers={
            (QName(schema, table), name): how for schema, table, name, how in found[live_queries.DISABLED_TRIGGERS]
        },
        bypassing=tuple(
            BypassingRole(name, superuser, bypass, tuple(through))
            for name, superuser, bypass, through in found[live_queries.BYPASSING_ROLES]
        ),
        unreadable=unreadable,
        strange=frozenset((QName(schema, table), name) for schema, table, name in found[live_queries.STRANGE_COLUMNS]),
        definitions={
            (QName(schema, name), tuple(one.replace("public.", "") for one in types)): text
            for schema, name, types, text in found[live_queries.DEFINITIONS]
        },
        records=records,
        rows=rows,
    )


def fetch_live(reading: Reading) -> Fetched:
    """The rows of each of `live_queries.QUERIES`."""
    return {query: reading.rows(query) for query in live_queries.QUERIES}


_FOREIGN = "it has foreign tables among its parts, which are not read"
_CALLING = "an index or statistics of it call functions of the user, which planning a query would run"


def _record(
    reading: Reading, unreadable: Mapping[QName, str], schema: str, table: str, hidden: bool, lock: str | None
) -> RecordTable:
    name = QName(schema, table)
    if hidden:
        return RecordTable(name, not_read="row level security hides rows of it from this role")
    if name in unreadable:
        return RecordTable(name, not_read=unreadable[name])
    try:
        recorded = reading.try_rows(f"SELECT name FROM {QualifiedName(*name).sql()} ORDER BY id")
    except NotReadError as error:
        return RecordTable(name, not_read=str(error))
    locked: bool | None = None
    if lock is not None and QName(schema, lock) not in unreadable:
        try:
            rows = reading.try_rows(f"SELECT is_locked FROM {QualifiedName(schema, lock).sql()}")
            locked = any(value == 1 for (value,) in rows)
        except NotReadError:
            locked = None
    return RecordTable(name, tuple(str(one) for (one,) in recorded), locked, times=_times(reading, name, len(recorded)))


def _times(reading: Reading, table: QName, number: int) -> tuple[float, ...]:
    query = f"SELECT pg_catalog.date_part('epoch', migration_time) FROM {QualifiedName(*table).sql()} ORDER BY id"
    try:
        found = [time for (time,) in reading.try_rows(query)]
    except NotReadError:
        return ()
    return tuple(map(float, found)) if len(found) == number and None not in found else ()
