"""The findings of a service for a reader: those that say the same are said once, each subject with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from remediate.catalogue.rules import load_rules
from remediate.detect.model import Finding
from remediate.model import Plan
from remediate.plan.model import Fix
from remediate.plan.reasons import condensed
from remediate.prove.summary import server_of
from remediate.report.lines import LEVEL_STYLE, SEVERITY_STYLE, Line, Segment, heading, prose
from remediate.report.overview import state_of
from remediate.report.proof_text import VERDICT
from remediate.report.wording import about_it, of_any, shown

_INDENT = 13


@dataclass(frozen=True, slots=True)
class _Said:
    """All that is said of a finding beside its name, place and evidence; where it is the same, it is said once."""

    state: str
    message: str
    outcome: tuple[Segment, ...]
    reasons: tuple[str, ...]


def findings_of(service: str, plan: Plan, width: int | None) -> Iterator[Line]:
    """The findings of one service, rule by rule; nothing if it has none."""
    fixes = [fix for fix in plan.fixes if fix.finding.service == service]
    if not fixes:
        return
    rules = load_rules()
    yield heading(service or "Made outside of the migrations")
    for rule in dict.fromkeys(fix.finding.rule for fix in fixes):
        group = [fix for fix in fixes if fix.finding.rule == rule]
        title = f"  {rules[rule].title} ({len(group)})"
        yield from prose(title, indent=4, width=width, first=[Segment("  "), Segment(rule, "bold")])
        yield from _rule(group, plan, width)
    yield []


def _rule(fixes: Sequence[Fix], plan: Plan, width: int | None) -> Iterator[Line]:
    """What all findings of a rule share, then the groups of those that say the same."""
    reasons = _shared([_reasons(fix) for fix in fixes if _has_reasons(fix)])
    known = _shared([_facts(fix.finding) for fix in fixes])
    for sentence in known:
        yield from prose(shown(sentence, several=True), indent=4, width=width, style="dim")
    for sentence in reasons:
        yield from _reason(shown(sentence, several=True), 4, width)
    said: dict[_Said, list[Fix]] = {}
    for fix in fixes:
        own = tuple(reason for reason in _reasons(fix) if reason not in reasons) if _has_reasons(fix) else ()
        about = _Said(state_of(fix.finding), _facts(fix.finding)[0], _outcome(fix, plan), own)
        said.setdefault(about, []).append(fix)
    # What changes now comes first: it is what the diffs below do.
    for about, together in sorted(said.items(), key=lambda item: not _is_written(item[1], plan)):
        yield from _group(about, together, known, width)


def _is_written(fixes: Sequence[Fix], plan: Plan) -> bool:
    return any(plan.changes_for(fix.finding) for fix in fixes)


def _facts(finding: Finding) -> list[str]:
    """The message, then the evidence."""
    return [of_any(sentence, finding) for sentence in (finding.message, *finding.evidence)]


def _shared(texts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The sentences that each of several findings has."""
    if len(texts) < 2:
        return ()
    return tuple(one for one in texts[0] if all(one in others for others in texts))


def _has_reasons(fix: Fix) -> bool:
    return fix.level != "safe" and not fix.finding.suppressed and not fix.finding.waiting


def _reasons(fix: Fix) -> tuple[str, ...]:
    return tuple(of_any(reason, fix.finding) for reason in condensed(fix.reasons))


def _group(about: _Said, fixes: Sequence[Fix], known: Sequence[str], width: int | None) -> Iterator[Line]:
    """Findings that say the same: each with its place, what they say, what becomes of them and why."""
    label = "accepted" if about.state == "suppressed" else about.state
    severity = Segment(f"    {label:<{_INDENT - 4}}", SEVERITY_STYLE[about.state])
    several = len(fixes) > 1
    blocks: dict[tuple[str, ...], list[Finding]] = {}
    for fix in fixes:
        blocks.setdefault(tuple(one for one in _facts(fix.finding) if one not in known), []).append(fix.finding)
    longest = max(len(str(fix.finding.subject)) for fix in fixes)
    for number, (facts, findings) in enumerate(blocks.items()):
        for position, finding in enumerate(findings):
            start = severity if number == position == 0 else Segment(" " * _INDENT)
            yield [start, Segment(f"{finding.subject!s:{longest}}", "bold"), *_place(finding)]
        indent = _INDENT if len(blocks) == 1 else _INDENT + 2
        for sentence in _sentences(facts, findings):
            yield from prose(sentence, indent=indent, width=width, style="dim")
    level, *rest = about.outcome
    text = "".join(segment.text for segment in rest) + (":" if about.reasons else "")
    yield from prose(text, indent=_INDENT, width=width, first=[Segment(" " * (_INDENT - 2)), Segment("→ "), level])
    first = fixes[0]
    raw = [reason for reason in condensed(first.reasons) if of_any(reason, first.finding) in about.reasons]
    for reason in about.reasons if several else raw:
        yield from _reason(shown(reason, several=several), _INDENT, width)


def _sentences(facts: Sequence[str], findings: Sequence[Finding]) -> Iterator[str]:
    """The facts for a reader: of a single finding with all its names, of several with what differs left out."""
    if len(findings) > 1:
        yield from (shown(sentence, several=True) for sentence in facts)
        return
    finding = findings[0]
    for sentence in (finding.message, *finding.evidence):
        if of_any(sentence, finding) in facts:
            yield about_it(sentence, finding)


def _reason(text: str, indent: int, width: int | None) -> Iterator[Line]:
    start = [Segment(" " * indent), Segment("- ", "dim")]
    return prose(text, indent=indent + 2, width=width, first=start, style="dim")


def _place(finding: Finding) -> Line:
    return [Segment(f"  {finding.locations[0]}")] if finding.locations else []


def _outcome(fix: Fix, plan: Plan) -> tuple[Segment, ...]:
    """What becomes of it; the first piece is the word that matters."""
    finding = fix.finding
    if finding.suppressed:
        return Segment("accepted", "dim"), Segment(f": {finding.suppressed}")
    if finding.waiting:
        return Segment("waits", "cyan"), Segment(f": {finding.waiting}")
    paths = [change.path for change in plan.changes_for(finding)]
    level = Segment(fix.level, LEVEL_STYLE[fix.level])
    if paths:
        more = f"; more with {fix.withheld}" if fix.withheld else ""
        return level, Segment(f", in {', '.join(paths)}{more}{_proven(plan, finding)}")
    if fix.level == "manual":
        return level, Segment(f": {fix.suggestion or 'see remediate explain ' + finding.rule}".rstrip("."))
    return level, Segment(f", written with {fix.withheld}" if fix.withheld else ", nothing left to write")


def _proven(plan: Plan, finding: Finding) -> str:
    """What a real PostgreSQL said of the changes for a finding; nothing where it was not asked."""
    if plan.proofs is None:
        return ""
    proofs = plan.proofs_for(finding)
    said = " and ".join(dict.fromkeys(VERDICT[proof.verdict] for proof in proofs)) or "not tried"
    return f"; {said} on {server_of(plan.proofs)}"
