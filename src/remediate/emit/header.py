"""The leading comment of an emitted file: what was found where, why it matters, what a reviewer has to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from remediate.catalogue.rules import Rule
from remediate.plan.model import MigrationPlan

MOST = 40
"""Subjects of one rule that are listed; the rest is counted, so that the header stays one that is read."""


def header(plan: MigrationPlan, rules: Mapping[str, Rule]) -> list[str]:
    """Its paragraphs. `rules` holds the catalogue's words for each rule."""
    return [*_opening(plan), *_findings(plan, rules), *_notes(plan)]


def _opening(plan: MigrationPlan) -> Iterator[str]:
    number = len({operation.subject() for operation in plan.operations})
    objects = "1 object" if number == 1 else f"{number} objects"
    yield f"Follow-up migration for {plan.service}, planned by remediate: changes {objects}."
    if plan.level == "unsafe":
        yield "Review before running: it is not known to be safe, for the reasons given below."
    yield ""


def _findings(plan: MigrationPlan, rules: Mapping[str, Rule]) -> Iterator[str]:
    """What was found, by rule; a reason that all findings of a rule share stands once, above them."""
    ordered = sorted(plan.findings, key=lambda finding: (finding.rule, str(finding.subject)))
    for rule, group in groupby(ordered, key=lambda finding: finding.rule):
        members = list(group)
        known = rules.get(rule)
        yield f"{known.title} ({rule}). {known.why}" if known else f"{rule}:"
        shared = _shared([plan.reasons.get(finding.id, ()) for finding in members])
        yield from (f"- {reason}" for reason in shared)
        for finding in members[:MOST]:
            place = finding.locations[0] if finding.locations else None
            yield f"- {finding.subject}" + (f" ({place})" if place else "")
            yield from (f"  - {reason}" for reason in plan.reasons.get(finding.id, ()) if reason not in shared)
        if len(members) > MOST:
            yield f"- and {len(members) - MOST} more"
        yield ""


def _shared(reasons: Sequence[Sequence[str]]) -> list[str]:
    """What all of several findings have in common; of a single one nothing, so that its reasons stand below it."""
    if len(reasons) < 2:
        return []
    return [reason for reason in reasons[0] if all(reason in other for other in reasons)]


def _notes(plan: MigrationPlan) -> Iterator[str]:
    if plan.transactional:
        yield f"Takes short locks, waits at most {plan.lock_timeout} for each; if it fails, nothing of it has happened."
    else:
        yield (
            "Runs step by step, each step in a transaction of its own, and can be started again after a failure. "
            "Because of it Knex runs every pending file of its batch in a transaction of its own: deploy it by itself."
        )
