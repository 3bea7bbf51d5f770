"""The short listings: services with the reasons for what was derived, rules, objects of the catalog."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from remediate.catalogue.rules import Rule
from remediate.report.lines import LEVEL_STYLE, SEVERITY_STYLE, Line, Segment, count, heading
from remediate.source.model import Workspace

if TYPE_CHECKING:
    from remediate.replay.catalog import Policy, Replayed

_FACTS = {"directories": "migrations", "depends_on": "needs"}
"""The facts that reasons are given for, as they are called here."""


def service_lines(workspace: Workspace) -> Iterator[Line]:
    """Each service with its folders, its database and why."""
    for service in workspace.services:
        yield [Segment(service.name, "bold"), Segment(f"  {service.path or '.'}")]
        facts = {
            "migrations": f"{len(service.migrations)} in {', '.join(service.directories)}",
            "database": service.database,
            "needs": ", ".join(service.depends_on) or "no other service",
        }
        if service.search_path is not None:
            facts["names"] = f"looked for in {', '.join(service.search_path.schemas)} ({service.search_path.place})"
        reasons = {_FACTS.get(fact, fact): reason for fact, reason in service.reasons.items()}
        for fact, value in facts.items():
            yield [Segment(f"  {fact:10}  {value}")]
            if fact in reasons:
                yield [Segment(f"{'':14}{reasons.pop(fact)}", "dim")]
        for fact, reason in reasons.items():
            yield [Segment(f"  {fact:10}  {reason}", "dim")]
        yield []
    for note in workspace.notes:
        yield [Segment(f"Note: {note}", "yellow")]
    for place in workspace.unresolved:
        yield [Segment(f"Could not be read: {place.place}", "yellow"), Segment(f"  {place.reason}")]
    yield [Segment(f"{count(len(workspace.services), 'service')}.", "bold")]


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


def catalog_lines(workspace: Workspace, databases: Sequence[Replayed]) -> Iterator[Line]:
    """Every table with its protection and policies; the rest counted. JSON has all of it."""
    for replayed in databases:
        catalog = replayed.catalog
        yield heading(replayed.database)
        for name, table in sorted(catalog.tables.items()):
            flags = "RLS forced" if table.rls_forced else "RLS not forced" if table.rls_enabled else "no RLS"
            style = "green" if table.rls_forced else "yellow" if table.rls_enabled else "dim"
            yield [
                Segment(f"  {name}", "bold"),
                Segment(f"  {count(len(table.columns), 'column')}, "),
                Segment(flags, style),
                Segment(f"  {table.history[0].place}", "dim"),
            ]
            for policy in catalog.policies_of(name):
                yield [Segment(f"      {_policy(policy)}")]
        counts = [count(len(getattr(catalog, kind)), one, kind) for one, kind in _KINDS]
        yield [Segment(f"  {', '.join(counts)}.", "bold")]
        yield []
        for title, lines in _told(replayed):
            yield heading(f"{title} ({len(lines):,})")
            yield from lines
            yield []
    for place in workspace.unresolved:
        yield [Segment(f"Could not be read: {place.place}", "yellow"), Segment(f"  {place.reason}")]


_KINDS = (
    ("table", "tables"),
    ("policy", "policies"),
    ("constraint", "constraints"),
    ("index", "indexes"),
    ("function", "functions"),
    ("trigger", "triggers"),
    ("view", "views"),
    ("type", "types"),
    ("extension", "extensions"),
)


def _policy(policy: Policy) -> str:
    kind = policy.command if policy.permissive else f"{policy.command}, restrictive"
    roles = "" if policy.roles == ("public",) else f" to {', '.join(policy.roles)}"
    using = f" using {policy.using}" if policy.using is not None else ""
    check = f" with check {policy.check}" if policy.check is not None and policy.check != policy.using else ""
    return f"{policy.name} ({kind}){roles}{using}{check}"


def _told(replayed: Replayed) -> Iterator[tuple[str, list[Line]]]:
    """What was left out of the catalog, and what was taken for granted; only what there is."""
    refused = []
    for refusal in replayed.refusals:
        hint = f"; the nearest name is {refusal.nearest}" if refusal.nearest else ""
        text = f"  {refusal.code} {refusal.message}{hint}"
        refused.append([Segment(f"  {refusal.origin.place}", "yellow"), Segment(text)])
    told = [("PostgreSQL would refuse", refused)]
    for title, places in (
        ("Could not be read", replayed.unresolved),
        ("Taken for granted", replayed.assumptions),
    ):
        told.append((title, [[Segment(f"  {one.place}", "yellow"), Segment(f"  {one.reason}")] for one in places]))
    return ((title, lines) for title, lines in told if lines)
