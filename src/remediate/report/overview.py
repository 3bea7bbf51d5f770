"""The first screen of a plan: what was read, what was found in total, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from remediate.catalogue.rules import load_rules
from remediate.detect.model import Finding, Level, Tenancy
from remediate.detect.registry import DETECTORS
from remediate.model import Plan
from remediate.plan.model import Fix
from remediate.report.lines import LEVEL_STYLE, SEVERITY_STYLE, Line, Segment, count, heading, prose

_RANK = ("error", "warning", "info", "waiting", "suppressed")
_READING = [detector.rule for detector in DETECTORS]
_LEVELS: tuple[Level, ...] = ("safe", "unsafe", "manual")


def overview(plan: Plan, width: int | None) -> Iterator[Line]:
    """What was read, the totals, the findings by rule and by service."""
    services = plan.workspace.services
    databases = {service.database for service in services}
    kind = "one database" if len(databases) == 1 else f"{len(databases)} databases"
    migrations = sum(len(service.migrations) for service in services)
    head = f"{count(len(services), 'service')}, {count(migrations, 'migration')}, {kind}."
    yield [Segment(head, "bold")]
    tenancies: dict[str, list[str]] = {}
    for facts in plan.databases:
        tenancies.setdefault(tenancy_in_words(facts.tenancy), []).append(facts.replayed.database)
    for text, names in tenancies.items():
        where = f"In {', '.join(names)}: " if len(tenancies) > 1 else ""
        yield from prose(where + text, indent=2, width=width, first=[])
    for warning in plan.warnings:
        yield from prose(warning, indent=2, width=width, first=[], style="yellow")
    if plan.fixes:
        yield from prose(summary(plan), indent=0, width=width, style="bold")
        yield []
        yield from _by_rule(plan.fixes, width)
    yield []
    yield from _by_service(plan, width)
    yield []


def state_of(finding: Finding) -> str:
    """Its severity, or why it does not count: "waiting" or "suppressed"."""
    return "suppressed" if finding.suppressed else "waiting" if finding.waiting else finding.severity


def summary(plan: Plan) -> str:
    """The plan in one sentence: how many findings, what will change, what is not known."""
    states = Counter(state_of(finding) for finding in plan.findings)
    shown = [_states(states[state], state) for state in _RANK[:-1] if states[state]]
    total = sum(states.values()) - states["suppressed"]
    parts = [f"{count(total, 'finding')} ({', '.join(shown)})" if shown else "No findings"]
    added = sum(change.kind == "migration" for change in plan.changes)
    edited = len(plan.changes) - added
    files = [f"{count(added, 'file')} to add"] if added else []
    files += [f"{count(edited, 'file')} to edit"] if edited else []
    parts.append(" and ".join(files) or "nothing to change")
    more = " more" if plan.changes else ""
    parts += [f"{number:,}{more} repaired with {option}" for option, number in withheld(plan).items()]
    if plan.unresolved:
        parts.append(f"{count(len(plan.unresolved), 'place')} could not be read")
    if states["suppressed"]:
        parts.append(f"{states['suppressed']:,} suppressed")
    return "; ".join(parts) + "."


def withheld(plan: Plan) -> dict[str, int]:
    """How many findings each option would repair that was not asked for."""
    numbers = {option: sum(option in fix.withheld for fix in plan.fixes) for option in ("--unsafe", "--rewrite")}
    return {option: number for option, number in numbers.items() if number}


def _states(number: int, state: str) -> str:
    return count(number, state) if state in ("error", "warning") else f"{number:,} {state}"


def tenancy_in_words(tenancy: Tenancy) -> str:
    """How tenants are told apart, in a sentence."""
    if tenancy.enabled:
        others = f" (also in use: {', '.join(tenancy.legacy)})" if tenancy.legacy else ""
        if not tenancy.setting_is_used:
            return f"Tenants are told apart by {tenancy.column}; nothing here sets or reads a setting for the tenant."
        return f"Tenants are told apart by {tenancy.column} and the setting {tenancy.setting}{others}."
    why = tenancy.reasons.get("enabled", "nothing names tenants").rstrip(".")
    return f"No tenancy found: {why}. If there are tenants, name their column: [tenancy] column in remediate.toml."


def _by_rule(fixes: Sequence[Fix], width: int | None) -> Iterator[Line]:
    rules = load_rules()
    groups: dict[str, list[Fix]] = {}
    for fix in sorted(fixes, key=lambda fix: _READING.index(fix.finding.rule)):
        groups.setdefault(fix.finding.rule, []).append(fix)
    name_width = max(map(len, groups))
    for rule, group in groups.items():
        states = Counter(state_of(fix.finding) for fix in group)
        line = [Segment(f"  {rule:{name_width}}", "bold"), Segment("  ")]
        number = sum(states[state] for state in _RANK[:-1])
        worst = next(state for state in _RANK if states[state])
        line.append(Segment(f"{number:>5,} ", SEVERITY_STYLE[worst]))
        levels = Counter(fix.level for fix in group if state_of(fix.finding) in _RANK[:3])
        shown = [Segment(f"{levels[level]:,} {level}", LEVEL_STYLE[level]) for level in _LEVELS if levels[level]]
        shown += [
            Segment(f"{states[state]:,} {state}", SEVERITY_STYLE[state])
            for state in ("waiting", "suppressed")
            if states[state]
        ]
        line.append(Segment(f" {rules[rule].title.rstrip('.')}: "))
        for position, segment in enumerate(shown):
            line += [Segment(", " if position else ""), segment]
        yield line
        yield from prose(rules[rule].why, indent=6, width=width, style="dim")


def _by_service(plan: Plan, width: int | None) -> Iterator[Line]:
    services = plan.workspace.services
    found = Counter(fix.finding.service for fix in plan.fixes if state_of(fix.finding) != "suppressed")
    changed = Counter(change.service for change in plan.changes)
    longest = max(len(service.name) for service in services)
    yield heading("Services, in the order in which they are replayed" if len(services) > 1 else "Service")
    for service in services:
        columns = [
            f"{count(len(service.migrations), 'migration'):>15}",
            f"{count(found[service.name], 'finding'):>13}",
            f"{count(changed[service.name], 'change'):>11}" if plan.changes else "",
        ]
        start = [Segment(f"  {service.name:{longest}}", "bold"), Segment("".join(columns).rstrip())]
        needs = f"  needs {', '.join(service.depends_on)}" if service.depends_on else ""
        yield from prose(needs, indent=longest + 6, width=width, first=start)
