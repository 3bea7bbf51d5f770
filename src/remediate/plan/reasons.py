"""Reasons as people read them: what is said of many files is said once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from remediate.detect.found import listed

MOST = 3
"""Files that are named; how many more there are is said. JSON has them all."""

_OF_A_FILE = re.compile(r"(?P<file>\S*/\S*\.\w+) (?P<says>.+)", re.DOTALL)


def condensed(reasons: Sequence[str]) -> tuple[str, ...]:
    """The same sentences in the same order, those that say the same of more than `MOST` files as one."""
    groups: dict[str, list[str]] = {}
    for reason in reasons:
        if match := _OF_A_FILE.fullmatch(reason):
            groups.setdefault(match["says"], []).append(match["file"])
    found: dict[str, None] = {}
    for reason in reasons:
        match = _OF_A_FILE.fullmatch(reason)
        files = groups[match["says"]] if match else []
        found[f"{listed(files, MOST)}: each {match['says']}" if match and len(files) > MOST else reason] = None
    return tuple(found)
