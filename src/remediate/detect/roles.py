"""Which role the application connects as: row level security binds it unless it owns the table or may pass."""

from __future__ import annotations

from collections import Counter

from remediate.config.model import Config
from remediate.detect.model import Application
from remediate.replay.catalog import Catalog

_DATA = frozenset(("select", "insert", "update", "delete", "all", "all privileges"))


def find_application(catalog: Catalog, config: Config) -> Application:
    """The configured role; else the one that most tables are granted to, as a guess that decides nothing.

    A role that may pass row level security, or is configured to, is none that it must bind.
    """
    if config.roles.application:
        return Application(config.roles.application, True, "configured")
    passing = {role.name for role in catalog.roles.values() if role.superuser or role.bypassrls}
    passing.update(config.roles.bypass)
    granted = Counter(
        grant.role
        for grant in catalog.grants
        if grant.kind == "table"
        and grant.role not in passing
        and grant.role != "public"
        and _DATA.intersection(privilege.lower() for privilege in grant.privileges)
    )
    ranked = granted.most_common(2)
    if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]):
        name, count = ranked[0]
        return Application(name, False, f"migrations grant it {count} {'table' if count == 1 else 'tables'}")
    return Application(None, False, "no role is granted more tables than every other")
