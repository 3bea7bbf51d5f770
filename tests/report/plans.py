"""Plans made by hand, so that a report can be tried on exactly what it is to show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from remediate.config.model import Config
from remediate.detect.model import Facts, Finding, Subject, Tenancy
from remediate.model import Plan
from remediate.plan.model import Change, Fix, Next
from remediate.replay.catalog import Catalog, Replayed
from remediate.source.model import MigrationSource, Service, Workspace
from remediate.source.place import Place, Unresolved

FILE = "services/shop/migrations/001.ts"
SAYS = "has row level security, but it does not bind its owner"


def finding(name: str = "orders", **changed: Any) -> Finding:
    made = Finding(
        rule="rls-not-forced",
        severity="error",
        service="shop",
        subject=Subject("table", "public", name),
        message=f"public.{name} {SAYS}",
        locations=(Place(FILE, 7, 3),),
        database="shop",
    )
    return replace(made, **changed)


def fix(name: str = "orders", *, reasons: tuple[str, ...] = (), **changed: Any) -> Fix:
    """A fix: safe, or unsafe for reasons; `changed` is of the finding."""
    one = finding(name, **changed)
    if not reasons:
        return Fix(one, "safe")
    return Fix(one, "unsafe", reasons=reasons, withheld="--unsafe")


def service(name: str = "shop", **changed: Any) -> Service:
    folder = f"services/{name}"
    source = MigrationSource(name, f"{folder}/migrations/001.ts", f"{folder}/migrations", "001.ts", b"")
    return replace(Service(name, folder, (f"{folder}/migrations",), (source,), "shop"), **changed)


def change(*fixes: Fix, **changed: Any) -> Change:
    """A migration that repairs these."""
    ids = tuple(one.finding.id for one in fixes)
    path = "services/shop/migrations/002_force.ts"
    return replace(Change("shop", path, "migration", "text\n", None, ("rls-not-forced",), ids), **changed)


def plan(
    *fixes: Fix,
    changes: tuple[Change, ...] = (),
    unresolved: tuple[Unresolved, ...] = (),
    services: tuple[Service, ...] | None = None,
    tenancy: Tenancy | None = None,
    **replayed: Any,
) -> Plan:
    found = services or (service(),)
    told = tenancy or Tenancy(None, "tenant_id", "uuid", "app.current_tenant_id", (), True)
    facts = [
        Facts(Replayed(database, Catalog(), **replayed), found, Config(), told, {})
        for database in dict.fromkeys(one.database for one in found)
    ]
    return Plan(Workspace("/work", found), tuple(facts), fixes, changes, unresolved)


def later(one: Fix, phase: str = "contract") -> Fix:
    return replace(one, next=(Next(one.finding.id, phase, "drops the old name", "no code uses it"),))  # type: ignore[arg-type]
