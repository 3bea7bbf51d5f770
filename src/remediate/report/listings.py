"""The short listings: services with the reasons for what was derived, rules, objects of the catalog."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from remediate.catalogue.rules import Rule
from remediate.replay.catalog import Replayed
from remediate.report.lines import LEVEL_STYLE, SEVERITY_STYLE, Line, Segment
from remediate.source.model import Workspace


def service_lines(workspace: Workspace) -> Iterator[Line]:
    """Each service with its folders, its database and why."""
    for service in workspace.services:
        yield [Segment(service.name, "bold"), Segment(f"  {service.path or '.'}")]
        yield [Segment(f"  migrations  {len(service.migrations)} in {', '.join(service.directories)}")]
        yield [Segment(f"  database    {service.database}")]
        if service.depends_on:
            yield [Segment(f"  needs       {', '.join(service.depends_on)}")]
        for fact, reason in service.reasons.items():
            yield [Segment(f"  {fact + ':':11} {reason}", "dim")]
        yield []
    for place in workspace.unresolved:
        yield [Segment(f"could not be read: {place.place}  {place.reason}", "yellow")]
    count = len(workspace.services)
    yield [Segment(f"{count} {'service' if count == 1 else 'services'}.", "bold")]


def rule_lines(rules: Sequence[Rule]) -> Iterator[Line]:
    """Each rule with its severity and the best level of its repair."""
    width = max(len(rule.id) for rule in rules)
    for rule in rules:
        yield [
            Segment(f"{rule.id:{width}}", "bold"),
            Segment("  "),
            Segment(f"{rule.severity:7}", SEVERITY_STYLE[rule.severity]),
            Segment("  "),
            Segment(f"{rule.level:6}", LEVEL_STYLE[rule.level]),
            Segment(f"  {rule.title}"),
        ]


def catalog_lines(databases: Sequence[Replayed]) -> Iterator[Line]:
    """Every table with its protection and policies; the rest counted. JSON has all of it."""
    for replayed in databases:
        catalog = replayed.catalog
        yield [Segment(replayed.database, "bold underline")]
        for name, table in sorted(catalog.tables.items()):
            flags = "RLS forced" if table.rls_forced else "RLS" if table.rls_enabled else ""
            style = "green" if table.rls_forced else "yellow"
            yield [
                Segment(f"  {name}", "bold"),
                Segment(f"  {len(table.columns)} columns  {table.service}  ", "dim"),
                Segment(flags, style),
            ]
            for policy in catalog.policies_of(name):
                kind = policy.command if policy.permissive else f"{policy.command}, restrictive"
                yield [Segment(f"      {policy.name} ({kind}): {policy.using or policy.check}")]
        kinds = ("policies", "constraints", "indexes", "functions", "triggers", "views", "types")
        counts = ", ".join(f"{len(getattr(catalog, kind))} {kind}" for kind in kinds)
        yield [Segment(f"  {len(catalog.tables)} tables, {counts}.")]
        yield []
        for refusal in replayed.refusals:
            yield [
                Segment(f"  refused: {refusal.origin.place}  ", "yellow"),
                Segment(f"{refusal.code} {refusal.message}"),
            ]
        for place in replayed.unresolved:
            yield [Segment(f"  could not be read: {place.place}  ", "yellow"), Segment(place.reason)]
