"""What may have touched a subject without our knowing: such a finding is at most unsafe, and says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from remediate.detect.model import Facts
from remediate.replay.catalog import Origin, QName
from remediate.source.place import Place

_LISTED = 3
_CONDITION = "a condition that nothing here can answer"


def taints(facts: Facts, service: str, tables: Iterable[QName], origins: Iterable[Origin] = ()) -> tuple[str, ...]:
    """A sentence for each conditional, refused or unresolved statement that may have touched what a finding is about.

    `tables` are the relations that it stands on, `origins` the statements that made it. An unresolved statement whose
    effect is wholly unknown taints everything of its service; a condition that nothing can answer, all tables that its
    file names behind it, since what a fresh database would not have done may have happened. At most a few are named,
    the rest counted.
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
        if assumed.reason.startswith(_CONDITION) and any(_names(facts, assumed.place, table) for table in tables):
            yield f"{assumed.place} may have led to a change of it: {assumed.reason}."
    refused = _refused(facts)
    for number in sorted({number for table in tables for number in refused.get(table, ())}):
        refusal = facts.replayed.refusals[number]
        if refusal.origin.direction == "up":
            yield f"PostgreSQL would refuse {refusal.origin.place} ({refusal.code}: {refusal.message})."


def _refused(facts: Facts) -> dict[QName, list[int]]:
    """The refusals that are about each relation, by their numbers."""
    found: dict[QName, list[int]] | None = facts.shared.get(_refused)
    if found is None:
        found = facts.shared[_refused] = {}
        for number, refusal in enumerate(facts.replayed.refusals):
            for subject in refusal.subjects:
                found.setdefault(subject, []).append(number)
    return found


def _names(facts: Facts, condition: Place, table: QName) -> bool:
    """Whether the file of a condition names a table behind it: in the branch, as far as text can tell, or later."""
    sources = (source for service in facts.services for source in service.migrations)
    data = next((source.data for source in sources if source.file == condition.file), b"")
    name = re.escape(table.name.encode())
    return re.search(rb"(?<![\w])" + name + rb"(?![\w])", data[condition.start :]) is not None
