"""The plan as text for a person: what was found, where, why it matters, what will change, what could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from remediate.catalogue.rules import load_rules
from remediate.pipeline import Plan
from remediate.plan.model import Change, Fix
from remediate.report.diff import unified_diff
from remediate.source.place import Unresolved


class Segment(NamedTuple):
    text: str
    style: str = ""


Line = list[Segment]
"""One line of output: pieces of text with the style of each, a name that rich knows or ""."""

SEVERITY_STYLE = {"error": "bold red", "warning": "yellow", "info": "cyan"}
LEVEL_STYLE = {"safe": "green", "unsafe": "yellow", "manual": "magenta"}
MOST_UNRESOLVED = 20


def plan_lines(plan: Plan, *, diffs: bool = True) -> Iterator[Line]:
    """The whole report; the last line sums up. `diffs` leaves out the texts of the changes."""
    yield from _services(plan)
    for service in plan.workspace.services:
        fixes = [fix for fix in plan.fixes if fix.finding.service == service.name]
        if fixes:
            yield from _service(service.name, fixes, plan)
    if plan.changes:
        yield from _changes(plan.changes, diffs)
    yield from _later(plan)
    yield from _unresolved(plan.unresolved)
    yield from _ignored(plan)
    yield from _sum(plan)


def _services(plan: Plan) -> Iterator[Line]:
    services = plan.workspace.services
    databases = {service.database for service in services}
    kind = "one database" if len(databases) == 1 else f"{len(databases)} databases"
    migrations = sum(len(service.migrations) for service in services)
    yield [
        Segment(_count(len(services), "service"), "bold"),
        Segment(f", {_count(migrations, 'migration')}, {kind}, in dependency order:"),
    ]
    width = max((len(service.name) for service in services), default=0)
    for service in services:
        needs = f"needs {', '.join(service.depends_on)}" if service.depends_on else ""
        text = f"  {service.name:{width}}  {_count(len(service.migrations), 'migration'):>14}  {needs}"
        yield [Segment(text.rstrip())]
    for facts in plan.databases:
        tenancy = facts.tenancy
        if tenancy.enabled:
            names = f" (also in use: {', '.join(tenancy.legacy)})" if tenancy.legacy else ""
            yield [Segment(f"Tenants are told apart by {tenancy.column} and the setting {tenancy.setting}{names}.")]
        else:
            yield [Segment(f"No tenancy found in {facts.replayed.database}: {tenancy.reasons.get('enabled', '')}.")]
    yield []


def _service(name: str, fixes: Sequence[Fix], plan: Plan) -> Iterator[Line]:
    yield [Segment(name, "bold underline")]
    rules = load_rules()
    order = list(dict.fromkeys(fix.finding.rule for fix in fixes))
    for rule in order:
        group = [fix for fix in fixes if fix.finding.rule == rule]
        title = rules[rule].title if rule in rules else rule
        yield [Segment("  "), Segment(rule, "bold"), Segment(f"  {title} ({len(group)})")]
        for fix in group:
            yield from _finding(fix, plan)
    yield []


def _finding(fix: Fix, plan: Plan) -> Iterator[Line]:
    finding = fix.finding
    severity = "info" if finding.waiting or finding.suppressed else finding.severity
    yield [
        Segment("    "),
        Segment(f"{severity:7}", SEVERITY_STYLE[severity]),
        Segment(f" {finding.subject}", "bold"),
        Segment(f"  {finding.locations[0]}" if finding.locations else "", "dim"),
        Segment(f"  {finding.id}", "dim"),
    ]
    yield [Segment(f"            {finding.message}")]
    for sentence in finding.evidence:
        yield [Segment(f"            {sentence}", "dim")]
    yield [Segment("            "), *_outcome(fix, plan)]
    if fix.level != "safe" and not finding.suppressed and not finding.waiting:
        for reason in fix.reasons:
            yield [Segment(f"              - {reason}", "dim")]


def _outcome(fix: Fix, plan: Plan) -> Line:
    """What becomes of it, in one line."""
    if fix.finding.suppressed:
        return [Segment(f"suppressed: {fix.finding.suppressed}", "dim")]
    if fix.finding.waiting:
        return [Segment(f"waiting: {fix.finding.waiting}", "cyan")]
    paths = [change.path for change in plan.changes_for(fix.finding)]
    level = Segment(fix.level, LEVEL_STYLE[fix.level])
    if paths:
        more = f"; more with {fix.withheld}" if fix.withheld else ""
        return [level, Segment(f": {', '.join(paths)}{more}")]
    if fix.level == "manual":
        return [level, Segment(f": {fix.suggestion or 'explained by remediate explain ' + fix.finding.rule}")]
    return [level, Segment(f": written with {fix.withheld}" if fix.withheld else ": nothing left to write")]


def _changes(changes: Sequence[Change], diffs: bool) -> Iterator[Line]:
    yield [Segment("Changes", "bold underline")]
    for change in changes:
        verb = "adds" if change.kind == "migration" else "edits"
        relations = len({lock.relation for lock in change.locks})
        locks = f", locks {_count(relations, 'table')}" if relations else ""
        yield [
            Segment(f"  {verb} "),
            Segment(change.path, "bold"),
            Segment(f"  {_count(len(change.findings), 'finding')}{locks}, "),
            Segment(change.level, LEVEL_STYLE[change.level]),
        ]
    yield []
    if diffs:
        for change in changes:
            yield from _diff(change)
            yield []


def _diff(change: Change) -> Iterator[Line]:
    for line in unified_diff(change).removesuffix("\n").split("\n"):
        if line.startswith(("diff ", "---", "+++", "new file")):
            yield [Segment(line, "bold")]
        elif line.startswith("@@"):
            yield [Segment(line, "cyan")]
        elif line.startswith(("+", "-")):
            yield [Segment(line, "green" if line[0] == "+" else "red")]
        else:
            yield [Segment(line)]


def _later(plan: Plan) -> Iterator[Line]:
    """The later phases, those that wait for the same thing together."""
    groups: dict[tuple[str, str, str], int] = {}
    for later in plan.next:
        key = (later.phase, later.does, later.waits_for)
        groups[key] = groups.get(key, 0) + 1
    if not groups:
        return
    yield [Segment("Next", "bold underline")]
    for (phase, does, waits_for), count in groups.items():
        yield [Segment(f"  {phase}", "bold"), Segment(f" for {_count(count, 'finding')}: {does}.")]
        yield [Segment(f"    waits until {waits_for}.", "dim")]
    yield []


def _unresolved(places: Sequence[Unresolved]) -> Iterator[Line]:
    if not places:
        return
    yield [Segment("Could not be read", "bold underline")]
    for place in places[:MOST_UNRESOLVED]:
        yield [Segment(f"  {place.place}", "yellow"), Segment(f"  {place.reason}")]
    if len(places) > MOST_UNRESOLVED:
        yield [Segment(f"  and {len(places) - MOST_UNRESOLVED} more: --format json lists them all")]
    yield []


def _ignored(plan: Plan) -> Iterator[Line]:
    reasons = Counter(finding.suppressed for finding in plan.findings if finding.suppressed)
    if reasons:
        total = sum(reasons.values())
        listed = "; ".join(f"{count} × {reason}" for reason, count in reasons.most_common(5))
        yield [Segment(f"{_count(total, 'finding')} suppressed: {listed}", "dim")]
        yield []


def _sum(plan: Plan) -> Iterator[Line]:
    open_findings = [finding for finding in plan.findings if not finding.suppressed]
    by_severity = Counter("waiting" if finding.waiting else finding.severity for finding in open_findings)
    parts = [f"{count} {name}" for name, count in sorted(by_severity.items(), key=lambda item: _RANK.index(item[0]))]
    found = f"{_count(len(open_findings), 'finding')} ({', '.join(parts)})" if parts else "No findings"
    added = sum(change.kind == "migration" for change in plan.changes)
    edited = len(plan.changes) - added
    files = [_count(added, "file") + " to add"] if added else []
    files += [_count(edited, "file") + " to edit"] if edited else []
    withheld = [option for option in ("--unsafe", "--rewrite") if any(option in fix.withheld for fix in plan.fixes)]
    sentences = [found, ", ".join(files) if files else "nothing to change"]
    if plan.unresolved:
        sentences.append(f"{_count(len(plan.unresolved), 'place')} could not be read")
    if withheld:
        sentences.append(f"more is written with {' or '.join(withheld)}")
    yield [Segment("; ".join(sentences) + ".", "bold")]


_RANK = ("error", "warning", "info", "waiting")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
