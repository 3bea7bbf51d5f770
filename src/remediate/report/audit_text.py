"""The audit as text for a person: what, where, why it matters, what to do; isolation first, the counts last."""

from __future__ import annotations

from collections.abc import Iterator

from remediate.audit.audit import Audit
from remediate.report.audit_sections import Entry, Group, beside, headline, sections, summary
from remediate.report.lines import SEVERITY_STYLE, Line, Segment, heading, prose
from remediate.report.overview import tenancy_in_words
from remediate.report.wording import shown

SHOWN = 6
"""Entries of which the same is said that are shown; how many more there are is said."""
_PLACES = 20
_INDENT = 13


def audit_lines(audit: Audit, *, width: int | None = None, show_sql: bool = False) -> Iterator[Line]:
    """The whole report. Prose is broken to fit `width` columns, if one is given."""
    yield from prose(headline(audit), indent=0, width=width, style="bold")
    yield from prose(beside(audit), indent=2, width=width)
    yield from prose(tenancy_in_words(audit.facts.tenancy), indent=2, width=width)
    yield []
    for section in sections(audit):
        yield heading(section.title)
        if section.why:
            yield from prose(section.why, indent=2, width=width, style="dim")
        for group in section.groups:
            yield from _group(group, width, show_sql)
        yield []
    if audit.unresolved:
        yield heading(f"Could not be read in the migrations ({len(audit.unresolved):,})")
        for place in audit.unresolved[:_PLACES]:
            yield from prose(place.reason, indent=4, width=width, first=[Segment(f"  {place.place}  ", "yellow")])
        yield from _more(len(audit.unresolved), _PLACES, 4)
        yield []
    yield from prose(summary(audit), indent=0, width=None, style="bold")


def _group(group: Group, width: int | None, show_sql: bool) -> Iterator[Line]:
    if group.title:
        yield [Segment("  "), Segment(group.title, "bold")]
    if group.why:
        yield from prose(group.why, indent=4, width=width, style="dim")
    alike: dict[tuple[str, tuple[str, ...]], list[Entry]] = {}
    for entry in group.entries:
        alike.setdefault((entry.state, entry.sentences), []).append(entry)
    for (state, sentences), entries in alike.items():
        yield from _entries(state, sentences, entries, width)
    for note in group.notes:
        yield from prose(note, indent=6, width=width, first=[Segment("    ")], style="dim")
    if show_sql and group.sql:
        yield from ([Segment(f"      {line}", "cyan")] for line in _lines(group.sql))


def _entries(state: str, sentences: tuple[str, ...], entries: list[Entry], width: int | None) -> Iterator[Line]:
    """Entries of which the same is said: that once, then each by its name."""
    start = [Segment(f"    {state:<{_INDENT - 4}}", SEVERITY_STYLE[state])]
    several = len(entries) > 1
    if not several and entries[0].subject:
        yield [*start, *_name(entries[0])]
        start = [Segment(" " * _INDENT)]
    first, *rest = sentences
    said = shown(first, several=several)
    if several:
        said = f"{said.rstrip('.')} ({len(entries):,}):"
    style = "" if several or not entries[0].subject else "dim"
    yield from prose(said, indent=_INDENT, width=width, first=start, style=style)
    for one in rest:
        yield from prose(one, indent=_INDENT, width=width, style="dim")
    if several or not entries[0].subject:
        for entry in entries[:SHOWN]:
            if line := _name(entry):
                yield [Segment(" " * (_INDENT + 2 * several)), *line]
        yield from _more(len(entries), SHOWN, _INDENT + 2)


def _name(entry: Entry) -> Line:
    """What it is about, what there is to say of it alone, and where it is made; nothing if none of these is known."""
    parts = [Segment(entry.subject, "bold")] if entry.subject else []
    for text in (entry.detail, str(entry.place) if entry.place is not None else ""):
        if text:
            parts.append(Segment(f"{'  ' if parts else ''}{text}", "dim"))
    return parts


def _more(number: int, most: int, indent: int) -> Iterator[Line]:
    if number > most:
        yield [Segment(f"{' ' * indent}and {number - most:,} more (--format json lists all of them)", "dim")]


def _lines(sql: str) -> list[str]:
    """Without the indentation that it has in its module."""
    from textwrap import dedent

    return dedent(sql).strip().splitlines()
