"""Which role the application connects as: row level security binds it unless it owns the table or may pass."""

from __future__ import annotations

from remediate.detect.model import Application, Facts
from remediate.replay.catalog import Grant, Table

_DATA = frozenset(("select", "insert", "update", "delete", "all", "all privileges"))


def application_of(facts: Facts, table: Table) -> Application:
    """The configured role; else the only one that the table's service grants it to, as a guess that decides nothing.

    A role that may pass row level security, or is configured to, is none that it must bind.
    """
    configured = facts.config.roles
    if configured.application:
        return Application(configured.application, True, "configured")
    passing = {role.name for role in facts.replayed.catalog.roles.values() if role.superuser or role.bypassrls}
    granted = [
        grant
        for grant in grants_of_rows(facts, table)
        if grant.history[-1].service == table.service
        and grant.role not in {*passing, *configured.bypass, "public", table.owner}
    ]
    if len({grant.role for grant in granted}) != 1:
        return Application(None, False, "the table's service does not grant it to exactly one role")
    return Application(granted[-1].role, False, f"{granted[-1].history[-1].place} grants it the table")


def grants_of_rows(facts: Facts, table: Table) -> list[Grant]:
    """The grants by which migrations let roles read or write the rows of a table."""
    return [
        grant
        for grant in _grants_on_tables(facts).get(str(table.name), ())
        if grant.history and _DATA.intersection(privilege.lower() for privilege in grant.privileges)
    ]


def _grants_on_tables(facts: Facts) -> dict[str, list[Grant]]:
    found: dict[str, list[Grant]] | None = facts.memo.get(_grants_on_tables)
    if found is None:
        found = facts.memo[_grants_on_tables] = {}
        for grant in facts.replayed.catalog.grants:
            if grant.kind == "table":
                found.setdefault(grant.subject, []).append(grant)
    return found
