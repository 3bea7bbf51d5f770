"""missing-rls: a tenant-scoped table without row level security."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from remediate.detect.access import Access, access_to
from remediate.detect.found import found, listed, table_subject
from remediate.detect.missing_tenant_column import is_expanded, uses_rls
from remediate.detect.model import Facts, Finding, Subject
from remediate.detect.settings import policy_text, reads
from remediate.detect.taint import taints
from remediate.detect.unseen import unseen_accesses
from remediate.replay.catalog import Catalog, QName, Table

RULE = "missing-rls"
_DISABLES = re.compile(r"\bdisable\s+row\s+level\s+security\b|\bdrop\s+policy\b", re.IGNORECASE)


def detect(facts: Facts) -> Iterator[Finding]:
    """Scoped tables with neither RLS nor policies.

    A database without any RLS gives one finding as a whole, and so does a service that took it from all its tables.
    """
    catalog = facts.replayed.catalog
    scoped = [
        table
        for table in catalog.tables.values()
        if facts.classes[table.name].kind == "scoped" and table.partition_of is None and not is_expanded(facts, table)
    ]
    if not scoped:
        return
    if not uses_rls(catalog):
        message = (
            f"No table of this database uses row level security; tables with {facts.tenancy.column}: {len(scoped)}"
        )
        children = [str(name) for name, found_class in facts.classes.items() if found_class.kind == "child"]
        tables = catalog.tables.values()
        yield _as_a_whole(facts, scoped, facts.replayed.database, message, _taken_away(tables), children)
        return
    access = access_to(facts)
    unseen = unseen_accesses(facts)
    given_up = _given_up(facts)
    for service in sorted(given_up):
        mine = [table for table in scoped if table.service == service]
        message = f"{service} took row level security from its tables; those with {facts.tenancy.column}: {len(mine)}"
        if mine:
            yield _as_a_whole(facts, mine, service, message, _taken_away(mine), ())
    for table in scoped:
        if table.service in given_up:
            continue
        if not table.rls_enabled and not any(catalog.policies_of(table.name)):
            yield _table(facts, access, table, unseen.get(table.name, ()))


def _taken_away(tables: Iterable[Table]) -> dict[str, list[QName]]:
    """Where RLS or a policy was taken from tables, and from which."""
    found: dict[str, list[QName]] = {}
    for table in tables:
        for origin in table.history:
            if _DISABLES.search(origin.statement):
                found.setdefault(str(origin.place), []).append(table.name)
    return found


def _given_up(facts: Facts) -> frozenset[str]:
    """The services that protect no table, and whose migrations took RLS from several."""
    by_service: dict[str, list[Table]] = {}
    for table in facts.replayed.catalog.tables.values():
        by_service.setdefault(table.service, []).append(table)
    return frozenset(
        service
        for service, tables in by_service.items()
        if not any(table.rls_enabled for table in tables)
        and len({name for names in _taken_away(tables).values() for name in names}) > 1
    )


def _as_a_whole(
    facts: Facts, scoped: list[Table], name: str, message: str, dropped: Iterable[str], children: Sequence[str]
) -> Finding:
    dropped = list(dropped)
    evidence = [f"Tables with {facts.tenancy.column}: {listed([str(table.name) for table in scoped])}."]
    if children:
        evidence.append(f"Tables that reach a tenant through others only: {listed(children)}.")
    if dropped:
        evidence.append(f"It was taken away on purpose: {listed(dropped)}.")
    return found(
        facts,
        RULE,
        scoped[0].service,
        Subject("workspace", "", name),
        message,
        [scoped[0].history[0].place],
        reasons=["Whether tenants are kept apart in another way is for people to say."],
        evidence=evidence,
        level="manual",
    )


def _table(facts: Facts, access: Access, table: Table, unseen: Sequence[str]) -> Finding:
    settings = _accepted(facts, table.service)
    return found(
        facts,
        RULE,
        table.service,
        table_subject(table.name),
        f"{table.name} has the tenant column {facts.tenancy.column}, but no row level security",
        [table.history[0].place],
        reasons=[*access.obstacles(table, settings), *unseen, *_rows_out_of_reach(facts, table)],
        evidence=_evidence(facts, table),
        tainted_by=taints(facts, table.service, [table.name], table.history),
    )


def _accepted(facts: Facts, service: str) -> frozenset[str]:
    """The settings that a new policy of a service is written to read: the canonical one, and what the service uses.

    A legacy name counts where the service's own code writes it or its policies read it; another service's does not.
    """
    known = facts.service(service)
    used = {write.name for file in (known.code if known else ()) for write in file.writes}
    used |= _read_by_service(facts).get(service, set())
    return frozenset((facts.tenancy.setting, *used.intersection(facts.tenancy.legacy)))


def _read_by_service(facts: Facts) -> dict[str, set[str]]:
    """The settings that the policies on each service's tables read."""
    found: dict[str, set[str]] | None = facts.memo.get(_read_by_service)
    if found is None:
        found = facts.memo[_read_by_service] = {}
        tables = facts.replayed.catalog.tables
        for policy in facts.replayed.catalog.policies.values():
            own = found.setdefault(tables[policy.table].service, set())
            own |= {read.setting for read in reads(policy_text(policy))}
    return found


def _rows_out_of_reach(facts: Facts, table: Table) -> Iterator[str]:
    column = table.column(facts.tenancy.column)
    if column is None:
        return
    if column.nullable:
        yield f"{column.name} allows NULL, and rows without a tenant would be reached by nobody."
    if column.default is not None and "current_setting" not in column.default:
        yield f"{column.name} has the default {column.default}: an insert that relies on it would be refused."


def _evidence(facts: Facts, table: Table) -> Iterator[str]:
    catalog = facts.replayed.catalog
    protected = _protected(facts)
    siblings = protected.get(table.service)
    if siblings:
        names = listed([str(other.name) for other in siblings])
        yield f"{table.service} protects {names}: {_how(catalog, siblings[0])}."
    elif protected:
        other = next(iter(protected.values()))[0]
        yield f"{table.service} protects no table; {other.service} does: {_how(catalog, other)}."
    partitions = _partitions(facts).get(table.name)
    if partitions:
        yield f"Queries that name its partitions ({listed(partitions)}) would not go by its policies."


def _protected(facts: Facts) -> dict[str, list[Table]]:
    """The tables with RLS and policies by their services, that of the first one first."""
    found: dict[str, list[Table]] | None = facts.memo.get(_protected)
    if found is None:
        found = facts.memo[_protected] = {}
        catalog = facts.replayed.catalog
        for table in catalog.tables.values():
            if table.rls_enabled and any(catalog.policies_of(table.name)):
                found.setdefault(table.service, []).append(table)
    return found


def _partitions(facts: Facts) -> dict[QName, list[str]]:
    found: dict[QName, list[str]] | None = facts.memo.get(_partitions)
    if found is None:
        found = facts.memo[_partitions] = {}
        for table in facts.replayed.catalog.tables.values():
            if table.partition_of is not None:
                found.setdefault(table.partition_of, []).append(str(table.name))
    return found


def _how(catalog: Catalog, table: Table) -> str:
    policies = [f"{policy.name} (for {policy.command})" for policy in catalog.policies_of(table.name)]
    return f"{table.name} has {listed(policies)}"
