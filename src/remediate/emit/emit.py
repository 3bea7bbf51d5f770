"""From migration plans to the files that are added: names, places and texts, in each service's style."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from remediate.catalogue.rules import load_rules
from remediate.emit.header import header
from remediate.emit.house_style import HouseStyle, house_style
from remediate.emit.migration import emit_migration
from remediate.emit.naming import next_names
from remediate.plan.model import Change, MigrationPlan
from remediate.source.model import Service


def writable(service: Service) -> bool:
    """Whether a migration can be written for the service at all: not where all of them take a pg Pool."""
    return house_style(service) is not None


def emit(
    services: Sequence[Service],
    plans: Sequence[MigrationPlan],
    today: date,
) -> tuple[Change, ...]:
    """A change for each plan, in the order of the plans; each file of a service sorts after the one before it.

    `today` is the date of the commit that is planned from: it names timestamped files.
    """
    rules = load_rules() if plans else {}
    changes: list[Change] = []
    for service in services:
        own = [plan for plan in plans if plan.service == service.name]
        style = house_style(service) if own else None
        if style is None:
            continue
        existing = [source.name for source in service.migrations]
        names = next_names(existing, _slugs(own), style.extension, today)
        before: tuple[str, ...] = ()
        for plan, name in zip(own, names, strict=True):
            change = _change(plan, name, style, before, header(plan, rules))
            changes.append(change)
            before = (change.path,)
    return tuple(changes)


def _slugs(plans: Sequence[MigrationPlan]) -> list[str]:
    """The plans' slugs, numbered where an earlier file of the service has the same."""
    seen: Counter[str] = Counter()
    slugs = []
    for plan in plans:
        seen[plan.slug] += 1
        slugs.append(plan.slug if seen[plan.slug] == 1 else f"{plan.slug}_part_{seen[plan.slug]}")
    return slugs


def _change(plan: MigrationPlan, name: str, style: HouseStyle, after: tuple[str, ...], lines: list[str]) -> Change:
    return Change(
        service=plan.service,
        path=f"{style.directory}/{name}",
        kind="migration",
        text=emit_migration(plan, style, lines),
        rules=tuple(sorted({finding.rule for finding in plan.findings})),
        findings=tuple(sorted({finding.id for finding in plan.findings})),
        phase=plan.phase,
        level=plan.level,
        transaction=plan.transactional,
        after=after,
        locks=plan.locks,
        sql=tuple(statement for operation in plan.operations for statement in operation.up()),
    )
