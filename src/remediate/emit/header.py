"""The leading comment of an emitted file: what was found where, why it matters, what a reviewer has to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from remediate.catalogue.rules import Rule
from remediate.detect.found import listed
from remediate.plan.model import MigrationPlan
from remediate.plan.operations import RequireTable, strongest
from remediate.plan.reasons import condensed

MOST = 40
"""Subjects of one rule that are listed; the rest is counted, so that the header stays one that is read."""


MOST_LOCKS = 6
"""Tables that are named again as locked."""


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
        reasons = {finding.id: condensed(plan.reasons.get(finding.id, ())) for finding in members}
        shared = _shared(list(reasons.values()))
        yield from (f"- {reason}" for reason in shared)
        for finding in members[:MOST]:
            place = finding.locations[0] if finding.locations else None
            yield f"- {finding.subject}" + (f" ({place})" if place else "")
            yield from (f"  - {reason}" for reason in reasons[finding.id] if reason not in shared)
        if len(members) > MOST:
            yield f"- and {len(members) - MOST} more"
        yield ""


def _shared(reasons: Sequence[Sequence[str]]) -> list[str]:
    """What all of several findings have in common; of a single one nothing, so that its reasons stand below it."""
    if len(reasons) < 2:
        return []
    return [reason for reason in reasons[0] if all(reason in other for other in reasons)]


def _notes(plan: MigrationPlan) -> Iterator[str]:
    guards = [str(one.table) for one in plan.operations if isinstance(one, RequireTable)]
    if guards:
        which = f"{listed(guards)} is as it was" if len(guards) == 1 else f"{listed(guards)} are as they were"
        yield (
            f"Checks first whether {which} planned for, and raises if not: then nothing of it has happened. Delete it "
            "in that case, and plan again."
        )
    elif plan.transactional:
        yield "Runs in one transaction: if it fails, nothing of it has happened."
    else:
        yield (
            "Runs step by step, each in a transaction of its own: if one fails, those before it stay, and the file can "
            "be run again."
        )
    yield from _locks(plan)
    if not plan.transactional:
        yield (
            "Because of transaction: false, Knex runs every pending file of its batch by itself, not all in one "
            "transaction: deploy it by itself where that matters."
        )


def _locks(plan: MigrationPlan) -> Iterator[str]:
    """What is out of reach, and for how long."""
    relations: dict[str, list[str]] = {}
    for lock in strongest(plan.locks):
        relations.setdefault(lock.mode, []).append(str(lock.relation))
    if not relations:
        return
    taken = "; ".join(f"{mode} on {listed(names, MOST_LOCKS)}" for mode, names in relations.items())
    if len(plan.steps) > 1:
        until = "each only until the end of its step"
    elif plan.transactional:
        until = "held until the end of the transaction, which Knex shares with all other pending files"
    else:
        until = "held until the end of the transaction"
    yield f"Locks {taken}: {until}. Waits at most {plan.lock_timeout} for each."
