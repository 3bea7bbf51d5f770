"""The checks that look at rows: references that lead nowhere, and business keys that several rows have.

Each count is a short transaction of its own with a time limit, and ends at `queries.MOST`: no long transaction stands
over big scans. What cannot be counted is told with the reason, never left out.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from remediate.audit import queries
from remediate.audit.catalog_checks import origin_of
from remediate.audit.model import Check, Item
from remediate.config.model import Severity
from remediate.detect.model import Facts
from remediate.detect.references import is_person, plurals, references
from remediate.postgres.live import Live, NotReadError
from remediate.postgres.observe import Observed
from remediate.replay.catalog import Index, QName, Table

ORPHANS = "orphaned-rows"
DUPLICATES = "duplicate-rows"
PATIENCE = 12
"""Counting ends after this many times the limit of one statement."""

_KEYS = frozenset({"slug", "idempotency_key", "serial_number", "confirmation_code", "sku"})
_PERSONAL_KEYS = frozenset({"email", "username"})
_SEAT = ("section", "row", "row_number", "seat", "seat_number")
_DELETED = "deleted_at"
_NOT_NULL = re.compile(r"^\(?\"?(\w+)\"? IS NOT NULL\)?$")


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be counted; `blocked` says why it cannot be asked at all."""

    check: str
    item: Item
    blocked: str = ""


def questions(facts: Facts, observed: Observed) -> list[Question]:
    """What there is to count, the references that a foreign key vouches for first."""
    return [*_foreign_keys(facts, observed), *_soft_references(facts, observed), *_business_keys(facts, observed)]


def run(live: Live | None, asked: Sequence[Question], *, clock: Callable[[], float] = time.monotonic) -> list[Check]:
    """Counts, one after the other; without `live` nothing is counted, and said so."""
    found: dict[str, list[Item]] = {ORPHANS: [], DUPLICATES: []}
    until = clock() + PATIENCE * live.timeout if live is not None else 0.0
    for question in asked:
        if question.blocked:
            found[question.check].append(replace(question.item, not_counted=question.blocked))
        elif live is None:
            found[question.check].append(replace(question.item, not_counted="--no-count-rows"))
        elif clock() > until:
            spent = f"the time for counting ({PATIENCE * live.timeout:g} s in all) was spent before"
            found[question.check].append(replace(question.item, not_counted=spent))
        else:
            found[question.check].append(_count(live, question))
    return [
        _check(
            ORPHANS, "Orphaned rows",
            "A row whose parent is gone is in no report of it, and in no backfill by it.", found[ORPHANS],
            "referring columns",
        ),
        _check(
            DUPLICATES, "Duplicate rows",
            "Two rows for one seat, slug or request: a unique index cannot be added until they are settled.",
            found[DUPLICATES], "business keys without unique index",
        ),
    ]  # fmt: skip


def _check(id: str, title: str, why: str, items: Sequence[Item], noun: str) -> Check:
    """What was counted and is in order is a number only."""
    shown = [item for item in items if item.not_counted or item.count]
    counted = [item for item in items if not item.not_counted]
    sound = sum(item.count == 0 for item in counted)
    left_out = [f"{sound} of {len(items)} {noun} were counted, and are in order."] if sound else []
    sql = next((item.sql for item in items), "")
    return Check(id, title, why, sql, len(items), tuple(shown), tuple(left_out))


def _count(live: Live, question: Question) -> Item:
    try:
        with live.transaction() as reading:
            ((number,),) = reading.rows_or_reason(question.item.sql)
    except NotReadError as error:
        return replace(question.item, not_counted=str(error))
    most = queries.MOST
    return replace(question.item, count=min(number, most), at_least=number > most)


# --------------------------------------------------------------------------------------------- references


def _foreign_keys(facts: Facts, observed: Observed) -> Iterator[Question]:
    """Foreign keys that were never validated, or that may have been validated over no rows.

    An owner who is bound by FORCE validates over what it sees, which without a tenant is nothing, and the key is
    marked as valid all the same.
    """
    catalog = facts.replayed.catalog
    for key in catalog.constraints.values():
        child = catalog.tables.get(key.table)
        parent = catalog.tables.get(key.references) if key.references else None
        if key.type != "f" or child is None or parent is None or child.partition_of is not None:
            continue
        if not key.validated:
            why = f"{key.name} is NOT VALID"
        elif child.rls_forced or parent.rls_forced:
            forced = child.name if child.rls_forced else parent.name
            why = f"{key.name} may have been validated while FORCE on {forced} hid the rows"
        else:
            continue
        sql = queries.orphans(child, key.columns, parent, key.referenced_columns)
        columns = [*((child.name, one) for one in key.columns), *((parent.name, one) for one in key.referenced_columns)]
        message = "the row is not there, though a foreign key says that it is"
        detail = f"no such row of {parent.name}; {why}"
        yield _question(ORPHANS, child, key.columns, "error", message, detail, sql, columns, observed)


def _soft_references(facts: Facts, observed: Observed) -> Iterator[Question]:
    catalog = facts.replayed.catalog
    for reference in references(catalog, facts.tenancy):
        step = reference.step
        child, parent = catalog.tables[step.child], catalog.tables[step.parent]
        if not step.soft or child.partition_of is not None:
            continue
        sql = queries.orphans(child, step.columns, parent, step.parent_columns)
        columns = [*((child.name, one) for one in step.columns), *((parent.name, one) for one in step.parent_columns)]
        message = "by the column's name there should be a row, which no foreign key keeps there"
        detail = f"no such row of {parent.name}"
        yield _question(ORPHANS, child, step.columns, "warning", message, detail, sql, columns, observed)


def _question(
    check: str,
    table: Table,
    columns: Sequence[str],
    severity: Severity,
    message: str,
    detail: str,
    sql: str,
    compared: Sequence[tuple[QName, str]],
    observed: Observed,
) -> Question:
    strange = [f"{name}.{column}" for name, column in compared if (name, column) in observed.strange]
    unreadable = [name for name, _ in compared if name in observed.unreadable]
    blocked = ""
    if strange:
        blocked = f"{strange[0]} is of a type with operators of its own, which are not run"
    elif unreadable:
        blocked = f"{unreadable[0]}: {observed.unreadable[unreadable[0]]}"
    service, place = origin_of(table)
    subject = f"{table.name}.{columns[0]}" if len(columns) == 1 else f"{table.name} ({', '.join(columns)})"
    return Question(
        check, Item(subject, table.name, severity, message, service, place, sql=sql, detail=detail), blocked
    )


# --------------------------------------------------------------------------------------------- business keys


def _business_keys(facts: Facts, observed: Observed) -> Iterator[Question]:
    """Columns that name one thing by their own name, per tenant, without a unique index that says so."""
    catalog = facts.replayed.catalog
    indexes: dict[QName, list[Index]] = {}
    for name, index in catalog.indexes.items():
        if index.unique and name not in observed.invalid_indexes:
            indexes.setdefault(index.table, []).append(index)
    for table in catalog.tables.values():
        if table.partition_of is not None:
            continue
        for key in _keys(table):
            tenant = (facts.tenancy.column,) if facts.tenancy.enabled and table.column(facts.tenancy.column) else ()
            columns = tuple(dict.fromkeys((*tenant, *key)))
            deleted = _DELETED if table.column(_DELETED) else None
            if any(_guards(index, columns, deleted) for index in indexes.get(table.name, ())):
                continue
            sql = queries.duplicates(table, columns, live_only=deleted)
            compared = [(table.name, column) for column in columns]
            message = "several rows have the same value, and no unique index keeps them from it"
            detail = f"among those whose {deleted} is empty" if deleted else ""
            yield _question(DUPLICATES, table, columns, "warning", message, detail, sql, compared, observed)


def _keys(table: Table) -> Iterator[tuple[str, ...]]:
    names = [column.name for column in table.columns]
    for name in names:
        stem = re.sub(r"_(number|code)$", "", name)
        own = stem != name and table.name.name in plurals(stem)
        if name in _KEYS or own or (name in _PERSONAL_KEYS and is_person(table.name)):
            yield (name,)
    seat = tuple(name for name in _SEAT if name in names)
    if "event_id" in names and {"seat", "seat_number"} & set(seat):
        yield ("event_id", *seat)


def _guards(index: Index, columns: Sequence[str], deleted: str | None) -> bool:
    """Whether a unique index makes duplicates of the key impossible, among the rows that are counted."""
    if not set(index.columns) <= set(columns):
        return False
    if index.predicate is None:
        return True
    if deleted is not None and index.predicate.strip("()") == f"{deleted} IS NULL":
        return True
    match = _NOT_NULL.match(index.predicate)
    return match is not None and match[1] in columns
