"""Reasons as people read them: what is said of many places is said once, and of many accesses the most telling ones."""

from __future__ import annotations

import re
from collections.abc import Sequence

from remediate.detect.found import listed

MOST = 3
"""Places that are named in one sentence; how many more there are is said. JSON has them all."""

MOST_ACCESSES = 5
"""Sentences about accesses by code; how many more places there are is said. JSON has them all."""

_OF_A_FILE = re.compile(r"(?P<place>\S*/\S*\.\w+) (?P<says>.+)", re.DOTALL)
_OF_AN_ACCESS = re.compile(
    r"(?P<place>\S+\.\w+:\d+) (?P<verb>reaches it|names it|maps it)(?:, in (?P<there>\S+:\d+),)?(?P<says> .+)",
    re.DOTALL,
)
# What is known to go wrong tells more than what could not be followed.
_UNKNOWN = re.compile(r"(?:not followed|not known|not in the workspace|not declared in this file|to be followed)\.$")


def condensed(reasons: Sequence[str]) -> tuple[str, ...]:
    """The same sentences in the same order: those that say the same of several places as one; of accesses by code the
    most telling ones, what goes wrong at most places first, with the number of the others.
    """
    accesses = [reason for reason in reasons if _OF_AN_ACCESS.fullmatch(reason)]
    files: dict[str, list[str]] = {}
    for reason in reasons:
        if match := _OF_A_FILE.fullmatch(reason):
            files.setdefault(match["says"], []).append(match["place"])
    found: dict[str, None] = {}
    for reason in reasons:
        match = _OF_A_FILE.fullmatch(reason)
        if accesses and reason == accesses[0]:
            found.update(dict.fromkeys(_told(accesses)))
        elif match and len(places := files[match["says"]]) > MOST:
            found[f"{listed(places, MOST)}: each {match['says']}"] = None
        elif not _OF_AN_ACCESS.fullmatch(reason):
            found[reason] = None
    return tuple(found)


def _told(accesses: Sequence[str]) -> list[str]:
    """The sentences about accesses, in their order where they are few."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for sentence in accesses:
        match = _OF_AN_ACCESS.fullmatch(sentence)
        if match is not None:
            place = match["there"] or match["place"]
            groups.setdefault(f"{match['verb']}{match['says']}", []).append((place, sentence))
    shown = list(groups)
    if len(groups) > MOST_ACCESSES:
        ranked = sorted(groups, key=lambda says: (_UNKNOWN.search(says) is not None, -len(groups[says])))
        shown = ranked[:MOST_ACCESSES]
    sentences = []
    for says in shown:
        places = list(dict.fromkeys(place for place, _ in groups[says]))
        sentences.append(f"{listed(places, MOST)}: each {says}" if len(places) > 1 else groups[says][0][1])
    rest = sum(len(groups[says]) for says in groups if says not in shown)
    if rest == 1:
        sentences.append("One more place reaches it that is not proven to set a tenant.")
    elif rest:
        sentences.append(f"{rest} more places reach it that are not proven to set a tenant.")
    return sentences
