"""Makes findings: what the catalogue knows of a rule, and the level that is left after all reasons against it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from remediate.catalogue.rules import get_rule
from remediate.config.model import Severity
from remediate.detect.model import Facts, Finding, Level, Subject
from remediate.replay.catalog import Function, History, Origin, Policy, QName, Table
from remediate.source.place import Place

_DISABLES = re.compile(r"\bdisable\s+row\s+level\s+security\b", re.IGNORECASE)
_ENABLES = re.compile(r"\benable\s+row\s+level\s+security\b", re.IGNORECASE)


def found(
    facts: Facts,
    rule: str,
    service: str,
    subject: Subject,
    message: str,
    locations: Iterable[Place],
    *,
    reasons: Iterable[str] = (),
    evidence: Iterable[str] = (),
    tainted_by: Sequence[str] = (),
    level: Level | None = None,
    waiting: str | None = None,
    severity: Severity | None = None,
) -> Finding:
    """A finding at the best level that its rule, `reasons` and taints leave.

    `severity` is for what matters less than its rule does, `level` for what only people can repair. A rule that is
    never safe gives its own argument as the first reason.
    """
    known = get_rule(rule)
    because = tuple(dict.fromkeys([*reasons, *tainted_by]))
    best: Level = level or known.level
    if best == "safe" and because:
        best = "unsafe"
    elif best == known.level != "safe":
        because = (known.level_reason, *because)
    return Finding(
        rule=rule,
        severity="info" if waiting else severity or known.severity,
        service=service,
        subject=subject,
        message=message,
        locations=tuple(dict.fromkeys(locations)),
        database=facts.replayed.database,
        level=best,
        reasons=because,
        evidence=tuple(dict.fromkeys(evidence)),
        waiting=waiting,
        tainted_by=tuple(tainted_by),
    )


def table_subject(table: QName) -> Subject:
    return Subject("table", table.schema, table.name)


def policy_subject(policy: Policy) -> Subject:
    return Subject("policy", policy.table.schema, policy.name, policy.table.name)


def function_subject(function: Function) -> Subject:
    return Subject("function", function.name.schema, f"{function.name.name}({', '.join(function.argument_types)})")


def enabling(table: Table) -> Origin | None:
    """The statement that enabled RLS on a table: the first one after which it was never disabled again."""
    found_origin: Origin | None = None
    for origin in table.history:
        if "security" not in origin.statement.lower():
            continue
        if _DISABLES.search(origin.statement):
            found_origin = None
        elif found_origin is None and _ENABLES.search(origin.statement):
            found_origin = origin
    return found_origin


def rls_places(table: Table) -> tuple[Place, ...]:
    """Where RLS was enabled, then where the table was created."""
    origin = enabling(table)
    return (*((origin.place,) if origin else ()), table.history[0].place)


def last_change(history: History) -> Origin:
    """The statement that made an object what it is: its last creation or alteration."""
    return next((origin for origin in reversed(history) if origin.verb in ("create", "alter", "replace")), history[-1])


def listed(items: Sequence[str], most: int = 4) -> str:
    """`a, b and c`, or `a, b, c, d and 3 more`."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))
