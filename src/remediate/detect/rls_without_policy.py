"""rls-without-policy: row level security is on, and no policy says who may see what."""

from __future__ import annotations

from collections.abc import Iterator

from remediate.detect.classify import describe
from remediate.detect.found import found, rls_places, table_subject
from remediate.detect.model import Facts, Finding, Level
from remediate.detect.taint import taints
from remediate.replay.catalog import Table

RULE = "rls-without-policy"


def detect(facts: Facts) -> Iterator[Finding]:
    """Tables of any class whose RLS is enabled and that have no policy."""
    catalog = facts.replayed.catalog
    for table in catalog.tables.values():
        if table.rls_enabled and not any(catalog.policies_of(table.name)):
            yield _table(facts, table)


def _table(facts: Facts, table: Table) -> Finding:
    bound = "everybody, its owner included," if table.rls_forced else "everybody but its owner"
    classification = facts.classes[table.name]
    level: Level | None = None if classification.kind in ("scoped", "child") else "manual"
    why = f"What a policy should compare is not known: the table is {classification.kind} ({classification.reason})."
    evidence = [describe(classification.path) + "."] if classification.path else []
    return found(
        facts,
        RULE,
        table.service,
        table_subject(table.name),
        f"{table.name} has row level security, but no policy: {bound} finds it empty",
        rls_places(table),
        reasons=[why] if level == "manual" else [],
        evidence=evidence,
        tainted_by=taints(facts, table.service, [table.name], table.history),
        level=level,
    )
