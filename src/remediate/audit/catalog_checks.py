"""The checks that the catalog answers alone: keys, indexes, tenant columns, row level security, check constraints."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from remediate.audit import queries
from remediate.audit.model import OUTSIDE, Check, Item
from remediate.config.model import Severity
from remediate.detect.found import listed
from remediate.detect.model import Classification, Facts
from remediate.replay.catalog import Constraint, QName, Table
from remediate.source.place import Place

PRIMARY_KEYS = "tables-without-primary-key"
FOREIGN_KEYS = "foreign-keys-without-index"
TENANT_COLUMNS = "tables-without-tenant-column"
RLS = "tables-without-rls"
CHECKS = "check-constraints"

_KINDS = {
    "scoped": "though it has the tenant column",
    "child": "though its rows belong to those of tenants",
    "tenant": "the table of tenants itself",
    "global": "a table of global data",
}
_AMOUNT = re.compile(r"(^|_)(price|amount|quantity|qty|percentage|percent|fee|cost)(_|$)|(^|_)(sub)?total(_cents)?$")
_NUMERIC = re.compile(r"^(numeric|integer|bigint|smallint|real|double precision|money)\b")
_LIST = re.compile(r"= ANY \(ARRAY\[(.*?)\]|\bIN \((.*?)\)", re.DOTALL)
_LITERAL = re.compile(r"'((?:[^']|'')*)'")


def questions(column: str) -> dict[str, str]:
    """The query of each check here, by its id."""
    return {
        PRIMARY_KEYS: queries.WITHOUT_PRIMARY_KEY,
        FOREIGN_KEYS: queries.WITHOUT_INDEX,
        TENANT_COLUMNS: queries.without_column(column),
        RLS: queries.WITHOUT_RLS,
        CHECKS: queries.CHECKS,
    }


class CatalogChecks:
    """What the answers mean. `facts` are of the live database; `own` are Knex's own tables, which are left out."""

    def __init__(self, facts: Facts, answers: Mapping[str, list[Any]], own: Collection[QName]) -> None:
        self._facts = facts
        self._catalog = facts.replayed.catalog
        self._answers = answers
        self._own = own
        self._sql = questions(facts.tenancy.column)

    def run(self) -> Iterator[Check]:
        """In the guide's order, without those that look at rows."""
        yield self._primary_keys()
        yield self._foreign_keys()
        yield self._tenant_columns()
        yield self._rls()
        yield self._checks()

    def _item(self, table: QName, severity: Severity, message: str, detail: str = "", subject: str = "") -> Item:
        service, place = origin_of(self._catalog.tables.get(table))
        return Item(subject or str(table), table, severity, message, service, place, detail=detail)

    def _rows(self, check: str) -> list[tuple[QName, tuple[Any, ...]]]:
        rows = [(QName(row[0], row[1]), tuple(row[2:])) for row in self._answers[self._sql[check]]]
        return [(name, rest) for name, rest in rows if name not in self._own and name in self._catalog.tables]

    def _primary_keys(self) -> Check:
        items = [
            self._item(name, "warning", "no primary key: its rows cannot be told apart")
            for name, _ in self._rows(PRIMARY_KEYS)
        ]
        why = "Without one, replication, upserts and foreign keys have nothing to hold on to."
        return self._check(PRIMARY_KEYS, "Tables without primary key", why, len(self._catalog.tables), items)

    def _foreign_keys(self) -> Check:
        items = []
        for name, (key, columns, parent) in self._rows(FOREIGN_KEYS):
            subject = f"{name}.{columns[0]}" if len(columns) == 1 else f"{name} ({', '.join(columns)})"
            message = "no index begins with it: each delete of a parent reads all of the table"
            items.append(self._item(name, "warning", message, f"{key}, to {parent}", subject))
        number = sum(key.type == "f" for key in self._catalog.constraints.values())
        why = "Deletes and key updates of the parent search the child row by row, and hold their locks as long."
        return self._check(FOREIGN_KEYS, "Foreign keys without index", why, number, items)

    def _tenant_columns(self) -> Check:
        facts, column = self._facts, self._facts.tenancy.column
        items = []
        globals_ = 0
        for name, _ in self._rows(TENANT_COLUMNS):
            found = facts.classes[name]
            if found.kind in ("global", "tenant"):
                globals_ += 1
                continue
            severity: Severity = "warning" if found.kind == "child" else "info"
            items.append(self._item(name, severity, *_said(f"no {column}", found)))
        left_out = (
            [f"{globals_} that need none: reference data, bookkeeping, the tenants themselves."] if globals_ else []
        )
        if not facts.tenancy.enabled:
            items, left_out = [], [f"Nothing tells tenants apart here: {facts.tenancy.reasons['enabled']}."]
        why = f"A row that does not say whose it is cannot be kept from the others; the column is {column} here."
        return self._check(
            TENANT_COLUMNS, "Tables without the tenant column", why, len(self._catalog.tables), items, left_out
        )

    def _rls(self) -> Check:
        items = []
        globals_ = 0
        for name, (policies, parent) in self._rows(RLS):
            found = self._facts.classes[name]
            if found.kind == "global" and not policies:
                globals_ += 1
                continue
            severity: Severity = {"scoped": "error", "child": "warning"}.get(found.kind, "info")  # type: ignore[assignment]
            if parent is not None:
                message = "a partition: its parent's policies do not hold for who names it itself"
                items.append(self._item(name, "warning", message, f"of {parent}"))
                continue
            message, detail = _said("no row level security", found)
            if policies:
                detail = "; ".join(filter(None, (detail, f"it has {policies} policies, which do nothing")))
            items.append(self._item(name, severity, message, detail))
        left_out = [f"{globals_} with global data."] if globals_ else []
        why = "Every role that may read such a table reads the rows of all tenants."
        return self._check(RLS, "Tables without row level security", why, len(self._catalog.tables), items, left_out)

    def _checks(self) -> Check:
        items = [*self._conflicts(), *self._amounts()]
        for name, (key, valid, definition) in self._rows(CHECKS):
            if not valid:
                message = "a check that is NOT VALID: rows from before it were never looked at"
                items.append(self._item(name, "info", message, f"{key}: {definition}"))
        number = sum(key.type == "c" for key in self._catalog.constraints.values())
        why = "What the application alone checks, the next script or race does not."
        return self._check(CHECKS, "Check constraints", why, number, items)

    def _conflicts(self) -> Iterator[Item]:
        """Lists of values that two checks of one column do not share: only what both allow can be stored."""
        lists: dict[tuple[QName, str], list[tuple[Constraint, frozenset[str]]]] = {}
        for key in self._catalog.constraints.values():
            if key.type == "c" and len(key.columns) == 1 and (match := _LIST.search(key.definition)):
                values = frozenset(_LITERAL.findall(match[1] or match[2] or ""))
                if values:
                    lists.setdefault((key.table, key.columns[0]), []).append((key, values))
        for (table, column), found in lists.items():
            if len({values for _, values in found}) < 2:
                continue
            names = listed([key.name for key, _ in found])
            shared = sorted(frozenset.intersection(*(values for _, values in found)))
            left = f"only {listed(shared)} pass all of them" if shared else "no value passes all of them"
            yield self._item(table, "warning", "checks that disagree", f"{names}: {left}", f"{table}.{column}")

    def _amounts(self) -> Iterator[Item]:
        checked = {
            (key.table, column)
            for key in self._catalog.constraints.values()
            if key.type == "c"
            for column in key.columns
        }
        for table in self._catalog.tables.values():
            bare = [
                column.name
                for column in table.columns
                if _AMOUNT.search(column.name.lower())
                and _NUMERIC.match(column.type)
                and (table.name, column.name) not in checked
                and column.generated is None
            ]
            if bare and table.partition_of is None:
                message = "amounts without a check: a negative one is stored as readily as any"
                yield self._item(table.name, "info", message, listed(bare, 8))

    def _check(
        self, id: str, title: str, why: str, number: int, items: Iterable[Item], left_out: Iterable[str] = ()
    ) -> Check:
        return Check(id, title, why, self._sql[id], number, tuple(items), tuple(left_out))


def _said(what: str, found: Classification) -> tuple[str, str]:
    """What holds of every table of that kind, and what is special to this one."""
    if found.kind == "unknown":
        return f"{what}: {found.reason}", ""
    return f"{what}, {_KINDS[found.kind]}", found.reason


def origin_of(table: Table | None) -> tuple[str, Place | None]:
    """The service of a table and the place that creates it; neither where no migration does."""
    if table is None or not table.history or table.history[0].place == OUTSIDE:
        return "", None
    return table.service, table.history[0].place
