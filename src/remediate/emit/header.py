"""The leading comment of an emitted file: what was found where, why it matters, what a reviewer has to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from remediate.catalogue.rules import Rule
from remediate.detect.model import Finding
from remediate.plan.model import MigrationPlan

MOST = 40
"""Subjects of one rule that are listed; the rest is counted, so that the header stays one that is read."""


def header(plan: MigrationPlan, rules: Mapping[str, Rule]) -> list[str]:
    """Its paragraphs. `rules` holds the catalogue's words for each rule."""
    return [*_opening(plan), *_findings(plan.findings, rules), *_notes(plan)]


def _opening(plan: MigrationPlan) -> Iterator[str]:
    tables = len({operation.subject() for operation in plan.operations})
    objects = "1 object" if tables == 1 else f"{tables} objects"
    yield f"Follow-up migration for {plan.service}, planned by remediate: changes {objects}."
    yield ""


def _findings(findings: Sequence[Finding], rules: Mapping[str, Rule]) -> Iterator[str]:
    ordered = sorted(findings, key=lambda finding: (finding.rule, str(finding.subject)))
    for rule, group in groupby(ordered, key=lambda finding: finding.rule):
        members = list(group)
        known = rules.get(rule)
        yield f"{known.title} ({rule}). {known.why}" if known else f"{rule}:"
        for finding in members[:MOST]:
            place = finding.locations[0] if finding.locations else None
            yield f"- {finding.subject}" + (f" ({place})" if place else "")
        if len(members) > MOST:
            yield f"- and {len(members) - MOST} more"
        yield ""


def _notes(plan: MigrationPlan) -> Iterator[str]:
    if plan.level == "unsafe":
        yield "Review before running; this is not known to be safe:"
        for reason in plan.reasons:
            yield f"- {reason}"
        yield ""
    if plan.transactional:
        yield f"Takes short locks, waits at most {plan.lock_timeout} for each; if it fails, nothing of it has happened."
    else:
        yield (
            "Runs step by step, each step in a transaction of its own, and can be started again after a failure. "
            "Because of it Knex runs every pending file of its batch in a transaction of its own: deploy it by itself."
        )
