"""What may have touched a subject without our knowing: such a finding is at most unsafe, and says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from remediate.detect.model import Facts
from remediate.replay.catalog import Origin, QName
from remediate.source.branches import Decided, decided
from remediate.source.place import Unresolved

_LISTED = 3
_CONDITION = "a condition that nothing here can answer"
_LOOP = "a loop over query results"
# DDL, and DDL on a table whose name a row gave.
_DDL = re.compile(
    r"\b(?:alter|create|drop)\s+(?:or\s+replace\s+)?(?:table|policy|trigger|function|view|materialized|schema)\b"
    r"|\bschema\s*\.\s*(?!has)\w",
    re.IGNORECASE,
)
_COMPUTED = re.compile(
    r"\b(?:table|policy|trigger)\b[^;`'\"]{0,200}?(?:\$\{|\?\?)|\bschema\s*\.\s*(?!has)\w+\(\s*\w", re.IGNORECASE
)


def taints(facts: Facts, service: str, tables: Iterable[QName], origins: Iterable[Origin] = ()) -> tuple[str, ...]:
    """A sentence for each conditional, refused or unresolved statement that may have touched what a finding is about.

    `tables` are the relations that it stands on, `origins` the statements that made it. An unresolved statement whose
    effect is wholly unknown taints everything of its service; a condition that nothing can answer, the tables that its
    other branch names, itself or through what it uses, since what a fresh database would not have done may have
    happened. In a live database its drift counts alike: what is planned there meets another state elsewhere. At most a
    few are named, the rest counted.
    """
    found = list(dict.fromkeys(_taints(facts, service, frozenset(tables), origins)))
    if len(found) > _LISTED:
        return (*found[:_LISTED], f"{len(found) - _LISTED} more statements like these may have touched it.")
    return tuple(found)


def _taints(facts: Facts, service: str, tables: frozenset[QName], origins: Iterable[Origin]) -> Iterator[str]:
    for origin in origins:
        if origin.conditional and origin.direction == "up":
            yield f"Whether {origin.place} ran cannot be told: {origin.conditional}."
    for effect in facts.replayed.unknown_effects:
        if tables.intersection(effect.subjects) or (not effect.subjects and effect.service == service):
            yield f"{effect.place} could not be read, and may have changed it: {effect.reason}."
    for assumed in facts.replayed.assumptions:
        if _may_touch(facts, assumed, service, tables):
            yield f"{assumed.place} may have led to a change of it: {assumed.reason}."
    for table in sorted(tables & facts.replayed.drift.keys()):
        yield from facts.replayed.drift[table]
    refused = _refused(facts)
    for number in sorted({number for table in tables for number in refused.get(table, ())}):
        refusal = facts.replayed.refusals[number]
        if refusal.origin.direction == "up":
            yield f"PostgreSQL would refuse {refusal.origin.place} ({refusal.code}: {refusal.message})."


def _refused(facts: Facts) -> dict[QName, list[int]]:
    """The refusals that are about each relation, by their numbers."""
    found: dict[QName, list[int]] | None = facts.memo.get(_refused)
    if found is None:
        found = facts.memo[_refused] = {}
        for number, refusal in enumerate(facts.replayed.refusals):
            for subject in refusal.subjects:
                found.setdefault(subject, []).append(number)
    return found


def _may_touch(facts: Facts, assumed: Unresolved, service: str, tables: frozenset[QName]) -> bool:
    """Whether what was taken otherwise at this place may be about one of the tables."""
    loops = assumed.reason.startswith(_LOOP)
    if not tables or not (loops or assumed.reason.startswith(_CONDITION)):
        return False
    place = assumed.place
    sources = (source for one in facts.services for source in one.migrations)
    source = next((source for source in sources if source.file == place.file), None)
    if source is None:
        # A condition in a helper of another file: it may be about anything of the service that runs it.
        return assumed.service == service
    taken = assumed.reason.startswith(f"{_CONDITION}, taken")
    found = decided(source.name, source.data, place.start, taken=taken)
    if found is None:
        found = Decided(source.data[place.start :].decode("utf-8", "replace"), ())
    if loops and not _DDL.search(found.text):
        return False
    if assumed.service == service and (found.elsewhere or (loops and _COMPUTED.search(found.text))):
        return True
    return any(_names(found.text, table) for table in tables)


def _names(text: str, table: QName) -> bool:
    return re.search(rf"(?<!\w){re.escape(table.name)}(?!\w)", text) is not None
