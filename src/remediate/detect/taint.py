"""What may have touched a subject without our knowing: such a finding is at most unsafe, and says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from remediate.detect.model import Facts
from remediate.replay.catalog import Origin, QName
from remediate.source.branches import Decided, decided
from remediate.source.model import MigrationSource
from remediate.source.place import Unresolved

_LISTED = 3
_WORD = re.compile(r"\w+")
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
    if not tables:
        return False
    branches: dict[Unresolved, _Branch | None] = facts.memo.setdefault(_branch, {})
    if assumed not in branches:
        branches[assumed] = _branch(facts, assumed)
    branch = branches[assumed]
    if branch is None:
        return False
    if branch.anything and assumed.service == service:
        return True
    return any(branch.names(table.name) for table in tables)


@dataclass(frozen=True, slots=True)
class _Branch:
    """What was not run because of a condition or a loop that could not be followed.

    `anything`: it may be about any table of its service. `text` is all that it may have run.
    """

    anything: bool
    text: str = ""
    words: frozenset[str] = frozenset()

    def names(self, table: str) -> bool:
        if _WORD.fullmatch(table):
            return table in self.words
        return re.search(rf"(?<!\w){re.escape(table)}(?!\w)", self.text) is not None


def _branch(facts: Facts, assumed: Unresolved) -> _Branch | None:
    """What was taken otherwise at this place; None where that changes no schema."""
    loops = assumed.reason.startswith(_LOOP)
    if not loops and not assumed.reason.startswith(_CONDITION):
        return None
    place = assumed.place
    source = _migrations(facts).get(place.file)
    if source is None:
        # A condition in a helper of another file: it may be about anything of the service that runs it.
        return _Branch(anything=True)
    taken = assumed.reason.startswith(f"{_CONDITION}, taken")
    found = decided(source.name, source.data, place.start, taken=taken)
    if found is None:
        found = Decided(source.data[place.start :].decode("utf-8", "replace"), ())
    if loops and not _DDL.search(found.text):
        return None
    anything = bool(found.elsewhere or (loops and _COMPUTED.search(found.text)))
    return _Branch(anything, found.text, frozenset(_WORD.findall(found.text)))


def _migrations(facts: Facts) -> dict[str, MigrationSource]:
    """The migrations of the database by their files."""
    found: dict[str, MigrationSource] | None = facts.memo.get(_migrations)
    if found is None:
        sources = [source for service in facts.services for source in service.migrations]
        # A folder of two services is one file: the first of them decides.
        found = facts.memo[_migrations] = {source.file: source for source in reversed(sources)}
    return found
