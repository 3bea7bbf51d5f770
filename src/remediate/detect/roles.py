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
    granted = {
        grant.role: grant.history[-1].place
        for grant in _grants_on_tables(facts).get(str(table.name), ())
        if grant.history
        and grant.history[-1].service == table.service
        and _DATA.intersection(privilege.lower() for privilege in grant.privileges)
        and grant.role not in passing
        and grant.role not in configured.bypass
        and grant.role not in ("public", table.owner)
    }
    if len(granted) != 1:
        return Application(None, False, "the table's service does not grant it to exactly one role")
    ((role, place),) = granted.items()
    return Application(role, False, f"{place} grants it the table")


def _grants_on_tables(facts: Facts) -> dict[str, list[Grant]]:
    found: dict[str, list[Grant]] | None = facts.memo.get(_grants_on_tables)
    if found is None:
        found = facts.memo[_grants_on_tables] = {}
        for grant in facts.replayed.catalog.grants:
            if grant.kind == "table":
                found.setdefault(grant.subject, []).append(grant)
    return found
