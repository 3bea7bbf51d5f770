"""The plan as text for a person: what was found, where, why it matters, what will change, what could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from remediate.model import Plan
from remediate.plan.model import Change
from remediate.prove.summary import summary as proof_summary
from remediate.replay.catalog import Outcome, Replayed
from remediate.replay.outside import TAKEN_FOR_PRESENT
from remediate.report.diff import unified_diff
from remediate.report.findings import findings_of
from remediate.report.lines import LEVEL_STYLE, Line, Segment, count, heading, prose
from remediate.report.overview import overview, summary
from remediate.report.patch import locks
from remediate.source.place import Unresolved

PLACES_SHOWN = 5
"""Places where the same could not be read; how many more there are is said."""


def plan_lines(plan: Plan, *, width: int | None = None) -> Iterator[Line]:
    """The whole report; the last line sums up. Prose is broken to fit `width` columns, if one is given."""
    yield from overview(plan, width)
    # The last are of no service: what a live database has and no migration makes.
    for name in (*(service.name for service in plan.workspace.services), ""):
        yield from findings_of(name, plan, width)
    yield from _changes(plan.changes)
    yield from _later(plan, width)
    yield from _refused(plan, width)
    yield from _notes(plan.notes, width)
    yield from _assumed(plan, width)
    yield from _unresolved(plan.unresolved, width)
    yield from _accepted(plan, width)
    if plan.changes:
        yield from prose(
            "To put the changes on a branch: remediate apply --branch NAME, with the same options.",
            indent=0,
            width=width,
        )
    if plan.proofs is not None:
        yield from prose(proof_summary(plan.proofs), indent=0, width=None, style="bold")
    yield from prose(summary(plan), indent=0, width=None, style="bold")


def _changes(changes: Sequence[Change]) -> Iterator[Line]:
    if not changes:
        return
    yield heading("Changes")
    for change in changes:
        mode = "" if change.transaction or change.kind == "rewrite" else ", a transaction per step"
        yield [
            Segment("  adds " if change.kind == "migration" else "  edits "),
            Segment(change.path, "bold"),
            Segment("  "),
            Segment(change.level, LEVEL_STYLE[change.level]),
            Segment(f", repairs {count(len(change.findings), 'finding')}{locks(change)}{mode}"),
        ]
    yield []
    for change in changes:
        yield from _diff(change)
        yield []


def _diff(change: Change) -> Iterator[Line]:
    for line in unified_diff(change).removesuffix("\n").split("\n"):
        if line.startswith(("diff ", "--- ", "+++ ", "new file")):
            yield [Segment(line, "bold")]
        elif line.startswith("@@"):
            yield [Segment(line, "cyan")]
        elif line.startswith(("+", "-")):
            yield [Segment(line, "green" if line[0] == "+" else "red")]
        else:
            yield [Segment(line)]


def _later(plan: Plan, width: int | None) -> Iterator[Line]:
    """The later phases, those that wait for the same thing together."""
    groups = Counter((later.phase, later.does, later.waits_for) for later in plan.next)
    if not groups:
        return
    yield heading("Next")
    for (phase, does, waits_for), number in groups.items():
        text = f" of {count(number, 'finding')}: {does.rstrip('.')}."
        yield from prose(text, indent=4, width=width, first=[Segment("  "), Segment(phase, "bold")])
        yield from prose(f"waits until {waits_for.rstrip('.')}.", indent=4, width=width, style="dim")
    yield []


def _refused(plan: Plan, width: int | None) -> Iterator[Line]:
    """What PostgreSQL would refuse; on an empty database, where that ends a run of migrate:latest."""
    replayed = [facts.replayed for facts in plan.databases]
    stopped = [(one, outcome) for one in replayed for outcome in one.outcomes if outcome.code]
    for one, outcome in stopped:
        text = (
            f"On an empty database, migrate:latest of {outcome.service} stops in {outcome.migration} ({outcome.code}: "
            f"{refusal_of(one, outcome)}). What it had not committed, and what would have come after it, is not there."
        )
        yield from prose(text, indent=2, width=width, first=[], style="yellow")
    number = sum(len(one.refusals) for one in replayed)
    if number and not stopped:
        text = (
            f"PostgreSQL would refuse {count(number, 'statement')} of the migrations; what it refuses was taken to "
            "have no effect. remediate catalog lists them."
        )
        yield from prose(text, indent=0, width=width)
    if number or stopped:
        yield []


def refusal_of(replayed: Replayed, outcome: Outcome) -> str:
    """PostgreSQL's words for what ended a migration: Knex's own message has the whole statement before them."""
    said = (
        one.message
        for one in replayed.refusals
        if (one.origin.place.file, one.code) == (outcome.migration, outcome.code)
    )
    return next(said, outcome.message.rpartition(" - ")[2])


def _notes(notes: Sequence[str], width: int | None) -> Iterator[Line]:
    if notes:
        yield heading(f"Notes ({len(notes):,})")
        for note in notes:
            yield from prose(note, indent=4, width=width, first=[Segment("  ")])
        yield []


def _unresolved(places: Sequence[Unresolved], width: int | None) -> Iterator[Line]:
    if places:
        yield heading(f"Could not be read ({len(places):,})")
        yield from _places(places, width, "yellow")


def _assumed(plan: Plan, width: int | None) -> Iterator[Line]:
    """What nothing in the workspace can answer, and how it was taken."""
    places = [place for facts in plan.databases for place in facts.replayed.assumptions]
    present = [place for place in places if place.reason.endswith(TAKEN_FOR_PRESENT)]
    if present:
        yield heading(f"Made by no migration here ({len(present):,})")
        yield from _places(present, width, "")
    others = [place for place in places if place not in present]
    if others:
        yield heading(f"Taken as on a fresh database, since nothing here can tell ({len(others):,})")
        yield from _places(others, width, "")


def _places(places: Sequence[Unresolved], width: int | None, style: str) -> Iterator[Line]:
    """Places by what is said of them. Of many for one reason the first are shown, and the rest counted."""
    groups: dict[str, list[Unresolved]] = {}
    for place in places:
        groups.setdefault(place.reason, []).append(place)
    for reason, group in groups.items():
        listed = ", ".join(str(one.place) for one in group[:PLACES_SHOWN])
        more = f" and {len(group) - PLACES_SHOWN:,} more" if len(group) > PLACES_SHOWN else ""
        yield from prose(reason, indent=4, width=width, first=[Segment("  ")], style=style)
        yield from prose(listed + more, indent=6, width=width, first=[Segment("    ")])
    if any(len(group) > PLACES_SHOWN for group in groups.values()):
        yield [Segment("  --format json lists every place.", "dim")]
    yield []


def _accepted(plan: Plan, width: int | None) -> Iterator[Line]:
    reasons = Counter(finding.suppressed for finding in plan.findings if finding.suppressed)
    if not reasons:
        return
    yield heading(f"Suppressed ({sum(reasons.values()):,})")
    for reason, number in reasons.most_common():
        yield from prose(f"{number:,} × {reason}", indent=4, width=width, first=[Segment("  ")], style="dim")
    yield []
