"""An audit in sections, as text and Markdown both show them: what matters most comes first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from remediate.audit import catalog_checks
from remediate.audit.audit import RECORDS, Audit
from remediate.audit.drift import by_table
from remediate.audit.model import Check, Drift, Item
from remediate.catalogue.rules import load_rules
from remediate.detect.found import listed
from remediate.detect.model import Finding
from remediate.detect.registry import DETECTORS
from remediate.report.lines import count
from remediate.report.overview import state_of
from remediate.report.wording import of_any
from remediate.source.place import Place

_RANK = ("error", "warning", "info", "waiting", "suppressed")
_NAMED_BY = {
    catalog_checks.RLS: ("missing-rls", "missing-tenant-column"),
    catalog_checks.TENANT_COLUMNS: ("missing-tenant-column",),
}
"""Checks that ask what a rule asks too: what the rule has found is said once, with all that the rule knows of it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing: its weight, what it is about, where that is made, and what there is to say, the first thing first.

    Entries of one state and the same sentences are told together, each with its `detail`; a sentence of theirs may
    begin with `wording.EACH`.
    """

    state: str
    subject: str
    place: Place | None
    sentences: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Entries under a title; `why` says why they matter, `notes` what else there is to know, `sql` what was asked."""

    title: str
    why: str
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
    sql: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Groups under a heading; `why` says why they matter as a whole, and what to do."""

    title: str
    why: str
    groups: tuple[Group, ...]


def sections(audit: Audit) -> Iterator[Section]:
    """Only those with something in them."""
    isolation = [drift for drift in audit.drift if drift.isolation]
    others = [drift for drift in audit.drift if not drift.isolation]
    for title, why, groups in (
        ("Drift that bears on isolation", _WHY_DRIFT, _drift(isolation)),
        ("What the rules find in the live schema", _way_out(audit), list(_findings(audit.findings))),
        ("Roles that no policy binds", "The application has to connect as none of them.", _roles(audit)),
        ("Records of migrations", "", list(_records(audit)) if audit.wants(RECORDS) else []),
        ("Other drift", "", _drift(others)),
        ("Checks", "", [group for check in audit.checks if (group := _check(check, audit))]),
    ):
        if groups:
            yield Section(title, why, tuple(groups))


_WHY_DRIFT = (
    "A database that the migrations make from scratch keeps tenants apart otherwise than this one, so that what is "
    "tested on it may not hold here. Bring what is right into a migration: then both agree."
)


def _way_out(audit: Audit) -> str:
    return (
        "" if audit.workspace is None else "What would repair it: remediate plan --database-url …, with --rule for one."
    )


def headline(audit: Audit) -> str:
    """Which database was looked at, and by whom."""
    seen = audit.observed.seen
    how = "is superuser" if seen.superuser else "passes row level security" if seen.passes else "is bound by policies"
    where = audit.observed.label.removeprefix("database ")
    standby = ", a standby" if seen.standby else ""
    return f"Database {where}, PostgreSQL {seen.version}{standby}, looked at as {seen.user}, who {how}."


def beside(audit: Audit) -> str:
    """What it was held against."""
    if audit.workspace is None:
        return "No migrations were given: the database was looked at alone."
    known = [standing for standing in audit.records.standings if standing.known]
    recorded = sum(len(standing.on_record) for standing in known)
    waiting = sum(len(standing.pending) for standing in known)
    text = f"{count(len(audit.services), 'service')}; {count(recorded, 'migration')} on record"
    text += f", {waiting} on disk and not yet on record" if waiting else ""
    unknown = len(audit.records.standings) - len(known)
    return text + (f"; of {count(unknown, 'service')} the record is not known" if unknown else "") + "."


def summary(audit: Audit) -> str:
    """Everything that was found, counted, in one line."""
    states: Counter[str] = Counter(audit.severities())
    parts = [
        count(states[state], state) if state != "info" else f"{states[state]:,} info"
        for state in _RANK[:3]
        if states[state]
    ]
    found = ", ".join(parts) or "Nothing found"
    bearing = sum(drift.isolation for drift in audit.drift)
    drift = f"{count(len(audit.drift), 'object')} in drift ({bearing} bear on isolation)" if audit.drift else "no drift"
    if audit.workspace is None:
        drift = "no migrations to compare with"
    tail = [drift]
    if not_counted := sum(bool(item.not_counted) for check in audit.checks for item in check.items):
        tail.append(f"{not_counted:,} not counted")
    if audit.unresolved:
        tail.append(f"{count(len(audit.unresolved), 'place')} in the migrations could not be read")
    if suppressed := sum(bool(finding.suppressed) for finding in audit.findings):
        tail.append(f"{suppressed:,} suppressed")
    return f"{found}; {'; '.join(tail)}. Nothing was written."


# --------------------------------------------------------------------------------------------- drift


def _drift(drifts: Sequence[Drift]) -> list[Group]:
    groups = []
    for title, together in by_table(drifts).items():
        grants = [drift for drift in together if drift.kind == "grant" and drift.sort == "extra"]
        entries = [*_grants(grants), *(_one_drift(drift) for drift in together if drift not in grants)]
        groups.append(Group(title, "", tuple(entries)))
    return groups


def _one_drift(drift: Drift) -> Entry:
    """What is beside the migrations is named; of what differs from them, or is missing, the sentence says all."""
    if (
        drift.sort == "extra"
        and not drift.isolation
        and drift.kind in ("table", "view", "function", "type", "sequence")
    ):
        first, *rest = _of_drift(drift)
        said = first.removeprefix(f"{drift.kind.capitalize()} {drift.subject} ")
        return Entry(drift.severity, drift.subject, drift.place, (said[:1].upper() + said[1:], *rest))
    return Entry(drift.severity, "", drift.place, tuple(_of_drift(drift)))


def _grants(grants: Sequence[Drift]) -> Iterator[Entry]:
    """By role: who is granted something by hand mostly is granted it on everything."""
    by_role: dict[tuple[str, str], list[Drift]] = {}
    for drift in grants:
        by_role.setdefault((drift.subject.rpartition(" to ")[2], drift.severity), []).append(drift)
    for (role, severity), those in by_role.items():
        objects = listed([drift.subject.rpartition(" to ")[0] for drift in those], 3)
        yield Entry(severity, role, None, ("Is granted what no migration grants",), f"on {objects}")


def _of_drift(drift: Drift) -> Iterator[str]:
    yield f"{drift.message}."
    if drift.explanation is not None:
        yield f"That may be because {drift.explanation.place} could not be read: {drift.explanation.reason}."


# --------------------------------------------------------------------------------------------- findings and roles


def _findings(findings: Sequence[Finding]) -> Iterator[Group]:
    rules = load_rules()
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    for rule in (detector.rule for detector in DETECTORS if detector.rule in by_rule):
        entries = tuple(_finding(finding) for finding in by_rule[rule])
        title = f"{rule}  {rules[rule].title.rstrip('.')} ({len(entries)})"
        yield Group(title, rules[rule].why, entries)


def _finding(finding: Finding) -> Entry:
    sentences = [of_any(finding.message, finding)]
    outside = [one for one in finding.evidence if one.startswith("No migration makes it")]
    if finding.suppressed:
        outside = [f"Accepted: {finding.suppressed}."]
    elif finding.waiting:
        outside.append(f"Waits until {finding.waiting}.")
    place = finding.locations[0] if finding.locations else None
    return Entry(state_of(finding), str(finding.subject), place, (*sentences, *outside))


def _roles(audit: Audit) -> list[Group]:
    if not audit.roles:
        return []
    entries = tuple(Entry(role.severity, role.name, None, (role.message,)) for role in audit.roles)
    return [Group("", "", entries)]


# --------------------------------------------------------------------------------------------- records


def _records(audit: Audit) -> Iterator[Group]:
    problems: dict[str, list[Entry]] = {}
    for problem in audit.records.problems:
        title = str(problem.table) if problem.table is not None else "No record"
        sentences = (f"{problem.message}.", *([problem.advice] if problem.advice else []))
        problems.setdefault(title, []).append(Entry(problem.severity, "", None, sentences))
    for title, entries in problems.items():
        yield Group(title, "", tuple(entries))
    waiting = audit.records.pending
    if waiting:
        said = ("Left out of what is expected; the next migrate:latest of the service runs it",)
        waiting_entries = [Entry("waiting", source.file, None, said) for source in waiting]
        yield Group(f"On disk and not on record ({len(waiting)})", "", tuple(waiting_entries))


# --------------------------------------------------------------------------------------------- checks


def _check(check: Check, audit: Audit) -> Group | None:
    rules = _NAMED_BY.get(check.id, ())
    notes = list(check.left_out)
    items = list(check.items)
    for rule in rules:
        told = {str(finding.subject) for finding in audit.findings if finding.rule == rule}
        left = [item for item in items if item.subject not in told]
        if len(left) < len(items):
            notes.append(f"{len(items) - len(left)} that {rule} names above.")
        items = left
    uncounted: dict[str, list[Item]] = {}
    for item in items:
        if item.not_counted:
            uncounted.setdefault(item.not_counted, []).append(item)
    entries = [_item(item) for item in sorted(items, key=_weight) if not item.not_counted]
    for reason, those in uncounted.items():
        names = ", ".join(item.subject for item in those[:5])
        more = f" and {len(those) - 5} more" if len(those) > 5 else ""
        notes.append(f"Not counted: {names}{more}: {reason}.")
    if not entries and not notes:
        return None
    return Group(
        f"{check.title} ({len(items) - sum(map(len, uncounted.values()))})",
        check.why,
        tuple(entries),
        tuple(notes),
        check.sql,
    )


def _weight(item: Item) -> tuple[int, int, str]:
    return _RANK.index(item.severity), -(item.count or 0), item.subject


def _item(item: Item) -> Entry:
    detail = item.detail
    if item.count is not None:
        number = f"{'more than ' if item.at_least else ''}{count(item.count, 'row')}"
        detail = f"{number}; {detail}" if detail else number
    return Entry(item.severity, item.subject, item.place, (item.message[:1].upper() + item.message[1:],), detail)
