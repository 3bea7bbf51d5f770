"""The audit as Markdown, for an issue or a wiki: the same sections, with the SQL that a DBA can run for himself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent

from remediate.audit.audit import Audit
from remediate.report.audit_sections import Entry, Group, beside, headline, sections, summary
from remediate.report.overview import tenancy_in_words
from remediate.report.wording import shown

_SPECIAL = re.compile(r"([\\`*_\[\]<>|])")


def audit_markdown(audit: Audit) -> str:
    """The whole report, every entry of it."""
    return "\n".join(_lines(audit)).rstrip() + "\n"


def _lines(audit: Audit) -> Iterator[str]:
    yield from ("# Audit of a live database", "")
    for line in (headline(audit), beside(audit), tenancy_in_words(audit.facts.tenancy)):
        yield from (_plain(line), "")
    for section in sections(audit):
        yield from (f"## {section.title}", "")
        if section.why:
            yield from (_plain(section.why), "")
        for group in section.groups:
            yield from _group(group)
    if audit.unresolved:
        yield from ("## Could not be read in the migrations", "")
        yield from (f"- `{place.place}` {_plain(place.reason)}" for place in audit.unresolved)
        yield ""
    yield f"**{_plain(summary(audit))}**"


def _group(group: Group) -> Iterator[str]:
    if group.title:
        yield from (f"### {_plain(group.title)}", "")
    if group.why:
        yield from (_plain(group.why), "")
    if group.entries:
        yield from map(_entry, group.entries)
        yield ""
    for note in group.notes:
        yield from (_plain(note), "")
    if group.sql:
        yield from ("```sql", dedent(group.sql).strip(), "```", "")


def _entry(entry: Entry) -> str:
    subject = f" `{entry.subject}`" if entry.subject else ""
    place = f" (`{entry.place}`)" if entry.place is not None else ""
    first, *rest = entry.sentences
    detail = [entry.detail + "."] if entry.detail else []
    text = " ".join([shown(first, several=False), *detail, *rest])
    return f"- **{entry.state}**{subject}: {_plain(text)}{place}"


def _plain(text: str) -> str:
    """Text of which nothing is taken for markup; names of the user stand in it."""
    return _SPECIAL.sub(r"\\\1", text)
