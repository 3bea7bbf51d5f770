"""What is worth saying of a whole plan rather than of one finding: what was not seen, what is configured in vain."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Sequence

from remediate.detect.baseline import Baseline
from remediate.detect.model import Facts, Finding
from remediate.detect.suppress import covers, ignored_lines
from remediate.detect.unseen import planned_alone
from remediate.source.model import IgnoreComment

FILE = "remediate.toml"


def warnings(databases: Sequence[Facts]) -> tuple[str, ...]:
    """Sentences for the top of a report: without them it would be taken for more than it is."""
    found = [*_tenancy(databases)]
    for facts in databases:
        found += planned_alone(facts)
    return tuple(dict.fromkeys(found))


def _tenancy(databases: Sequence[Facts]) -> Iterator[str]:
    """Names in `[tenancy]` that no migration makes: with them, tenant tables are not seen as such."""
    if not databases:
        return
    configured = databases[0].config.tenancy
    tables = [table for facts in databases for table in facts.replayed.catalog.tables.values()]
    if configured.column and not any(table.column(configured.column) for table in tables):
        near = _nearest(configured.column, {column.name for table in tables for column in table.columns})
        yield f"{FILE}, key tenancy.column: no table has a column {configured.column}{near}."
    names = {name for table in tables for name in (table.name.name, str(table.name))}
    for key, values in (("table", (configured.table,)), ("global-tables", configured.global_tables)):
        for value in values:
            if value and value not in names:
                yield f"{FILE}, key tenancy.{key}: no migration creates a table {value}{_nearest(value, names)}."


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1, 0.6)
    return f"; the nearest is {near[0]}" if near else ""


def unused_acceptances(
    databases: Sequence[Facts],
    findings: Sequence[Finding],
    ignores: Iterable[IgnoreComment],
    baseline: Baseline | None,
    rules: Collection[str],
) -> tuple[str, ...]:
    """A sentence for each acceptance that no finding needs any more. `findings` are all that there are.

    Where `rules` limits what was looked for, only acceptances of these can be told to be unused.
    """
    if not databases:
        return ()
    config = databases[0].config
    looked_for = [one for one in _known_rules(databases) if not rules or one in rules]
    found: list[str] = []
    for number, suppression in enumerate(config.suppress, 1):
        if suppression.rule in looked_for and not any(covers(suppression, finding) for finding in findings):
            what = f"{suppression.rule} of {suppression.subject}"
            found.append(f"{FILE}, key suppress[{number}]: there is no {what} to accept any more.")
    used = {(rule, line) for finding in findings for rule, line in _lines(finding)}
    for comment, file_line in ignored_lines(databases, ignores):
        for rule in comment.rules:
            if rule in looked_for and (rule, file_line) not in used:
                found.append(f"{comment.place}: there is no {rule} for remediate-ignore to accept.")
    if baseline is not None and not rules:
        present = {finding.id for finding in findings}
        if gone := sum(entry.id not in present for entry in baseline.entries.values()):
            entries = "1 finding that is" if gone == 1 else f"{gone:,} findings that are"
            found.append(f"The baseline accepts {entries} there no more: plan --write-baseline takes them out.")
    return tuple(found)


def _known_rules(databases: Sequence[Facts]) -> list[str]:
    """The rules that were looked for: those that are registered and not switched off."""
    from remediate.detect.registry import DETECTORS

    rules = databases[0].config.rules
    return [one.rule for one in DETECTORS if one.rule not in rules or rules[one.rule].enabled]


def _lines(finding: Finding) -> Iterator[tuple[str, tuple[str, int]]]:
    for place in finding.locations:
        yield finding.rule, (place.file, place.line)
