"""Findings that a migration's author accepts: `// remediate-ignore rule[, rule] [until 2027-01-31]: reason`."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable

from remediate.source.model import IgnoreComment, MigrationSource
from remediate.source.place import Unresolved
from remediate.source.text import comments, place_of

_MARK = b"remediate-ignore"
_RULE = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
_COMMENT = re.compile(
    rf"remediate-ignore\s+(?P<rules>{_RULE}(?:\s*,\s*{_RULE})*)"
    r"(?:\s+until\s+(?P<until>[^\s:]+))?\s*(?::\s*(?P<reason>.*?))?\s*(?:\*/)?\s*$",
    re.DOTALL,
)


def ignores_in(migrations: Iterable[MigrationSource]) -> tuple[list[IgnoreComment], list[Unresolved]]:
    """The comments in reading order, and those that are written wrongly, which suppress nothing."""
    found: list[IgnoreComment] = []
    wrong: list[Unresolved] = []
    for migration in migrations:
        if _MARK not in migration.data:
            continue
        for start, end in comments(migration.data):
            text = migration.data[start:end].decode("utf-8", errors="replace")
            if _MARK.decode() not in text:
                continue
            place = place_of(migration.file, migration.data, start, end)
            match = _COMMENT.search(text)
            problem = _problem(match)
            if match is None or problem is not None:
                wrong.append(Unresolved(migration.service, place, f"remediate-ignore {problem}; it suppresses nothing"))
                continue
            rules = tuple(rule.strip() for rule in match["rules"].split(","))
            reason = " ".join(re.sub(r"\n\s*\*", "\n", match["reason"]).split())
            found.append(IgnoreComment(place, rules, reason, match["until"]))
    return found, wrong


def _problem(match: re.Match[str] | None) -> str | None:
    if match is None:
        return "names no rule"
    if not match["reason"]:
        return "gives no reason after a colon"
    if match["until"] is not None:
        try:
            datetime.date.fromisoformat(match["until"])
        except ValueError:
            return f"has {match['until']} where a date like 2027-01-31 belongs"
    return None
