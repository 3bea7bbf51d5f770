"""Findings that somebody has accepted: by a comment in the migration, in the configuration, by the baseline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from remediate.catalogue.rules import load_rules, nearest_rule
from remediate.config.model import Suppression
from remediate.detect.baseline import Baseline
from remediate.detect.model import Facts, Finding
from remediate.errors import RemediateError
from remediate.replay.catalog import History, Replayed
from remediate.source.model import IgnoreComment, Service
from remediate.source.place import Unresolved


def suppress(
    findings: Iterable[Finding],
    facts: Facts,
    today: date,
    ignores: Sequence[IgnoreComment] = (),
    baseline: Baseline | None = None,
) -> Iterator[Finding]:
    """The same findings, the accepted ones with the reason; an acceptance that has run out is named as evidence."""
    reach = _reach(ignores, facts.replayed)
    for finding in findings:
        accepted: str | None = None
        expired: list[str] = []
        for reason, until in _acceptances(finding, reach, facts.config.suppress):
            if until is not None and _day(until) < today:
                expired.append(f"It was accepted until {until} ({reason}), which has passed.")
            else:
                accepted = accepted or reason
        if accepted is None and baseline is not None:
            accepted = baseline.reason(finding)
        notes = () if accepted else tuple(expired)
        yield replace(finding, suppressed=accepted, evidence=(*finding.evidence, *notes))


def misnamed(ignores: Iterable[IgnoreComment], services: Iterable[Service]) -> Iterator[Unresolved]:
    """The comments that name a rule that does not exist: what they were meant to accept is reported all the same."""
    known = load_rules()
    owners = {migration.file: service.name for service in services for migration in service.migrations}
    for comment in ignores:
        for rule in comment.rules:
            if rule not in known:
                nearest = nearest_rule(rule)
                hint = f"; did you mean {nearest}?" if nearest else ""
                reason = f"remediate-ignore names the rule {rule}, which does not exist{hint}"
                yield Unresolved(owners.get(comment.place.file, ""), comment.place, reason)


def _acceptances(
    finding: Finding, reach: Sequence[tuple[IgnoreComment, int]], suppressions: Sequence[Suppression]
) -> Iterator[tuple[str, str | None]]:
    for comment, line in reach:
        here = any(place.file == comment.place.file and place.line == line for place in finding.locations)
        if finding.rule in comment.rules and here:
            yield comment.reason, comment.until
    for suppression in suppressions:
        if covers(suppression, finding):
            yield suppression.reason, suppression.until


def covers(suppression: Suppression, finding: Finding) -> bool:
    """Whether an entry of the configuration is about a finding, be it run out or not."""
    return suppression.rule == finding.rule and _matches(suppression.subject, str(finding.subject))


def ignored_lines(
    databases: Iterable[Facts], ignores: Iterable[IgnoreComment]
) -> Iterator[tuple[IgnoreComment, tuple[str, int]]]:
    """Each comment with the file and line of the statement that it holds for; its own where none follows."""
    ignores = tuple(ignores)
    lines = {comment: line for facts in databases for comment, line in _reach(ignores, facts.replayed)}
    for comment in ignores:
        yield comment, (comment.place.file, lines.get(comment, comment.place.line))


def _matches(pattern: str, subject: str) -> bool:
    """`*` stands for any run of characters; everything else, parentheses of functions included, for itself."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), subject) is not None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RemediateError(f"{text!r} is no date", place="until", hint="write it as 2027-01-31") from None


def _reach(ignores: Sequence[IgnoreComment], replayed: Replayed) -> list[tuple[IgnoreComment, int]]:
    """Each comment with the line that it holds for: its own if a statement begins there, else the next one's."""
    if not ignores:
        return []
    lines: dict[str, set[int]] = {}
    for history in _histories(replayed):
        for origin in history:
            lines.setdefault(origin.place.file, set()).add(origin.place.line)
    found = []
    for comment in ignores:
        below = [line for line in lines.get(comment.place.file, ()) if line >= comment.place.line]
        if below:
            found.append((comment, min(below)))
    return found


def _histories(replayed: Replayed) -> Iterator[History]:
    """The statements that left something behind: where findings are located, and what comments stand above."""
    catalog = replayed.catalog
    for objects in (
        catalog.tables,
        catalog.policies,
        catalog.constraints,
        catalog.indexes,
        catalog.functions,
        catalog.triggers,
        catalog.views,
        catalog.types,
        catalog.sequences,
        catalog.roles,
    ):
        yield from (item.history for item in objects.values())
    yield from catalog.schemas.values()
    yield from catalog.extensions.values()
    yield from (version.function.history for version in replayed.functions)
    yield from ((change.origin,) for change in replayed.data_changes)
    yield from ((refusal.origin,) for refusal in replayed.refusals)
