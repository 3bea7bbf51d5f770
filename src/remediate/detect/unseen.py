"""Accesses to a table that the catalog does not show, because what makes them is not here.

A statement that names a relation, type or function which no migration of the workspace makes is refused in replay. If
that belongs to a service that is not planned along, the statement has run in production all the same: the view, the
trigger or the policy that it made is there, and reaches the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediate.detect.found import listed
from remediate.detect.model import Facts
from remediate.detect.tokens import tokens
from remediate.replay.catalog import QName, Refusal

_MAKES = re.compile(
    r"\s*create\s+(?:or\s+replace\s+)?(?:(?:temp|temporary|recursive|constraint)\s+)*"
    r"(?P<kind>materialized\s+view|view|trigger|policy|function|procedure|rule)\b",
    re.IGNORECASE,
)
_CREATES_RELATION = re.compile(
    r"\s*create\s+(?:or\s+replace\s+)?(?:(?:temp|temporary|unlogged|recursive|foreign|materialized)\s+)*"
    r'(?:table|view)\s+(?:if\s+not\s+exists\s+)?(?P<name>[\w.$"]+)',
    re.IGNORECASE,
)
# undefined_table, undefined_object (a type), undefined_function, invalid_schema_name
_MISSING = ("42P01", "42704", "42883", "3F000")
_RELATION = re.compile(r'^relation "(?P<name>[^"]+)" does not exist')


def unseen_accesses(facts: Facts) -> dict[QName, tuple[str, ...]]:
    """By table, a sentence for each statement that would reach it where what it lacks here is there."""
    found: dict[QName, dict[str, None]] = {}
    for refusal in facts.replayed.refusals:
        made = _MAKES.match(refusal.origin.statement)
        if refusal.code not in _MISSING or refusal.origin.direction != "up" or made is None:
            continue
        kind = " ".join(made["kind"].lower().split())
        place = refusal.origin.place
        sentence = f"The {kind} of {place} reaches it, if it was made: what it needs is not here ({refusal.message})."
        for table in _reached(facts, refusal, kind):
            found.setdefault(table, {})[sentence] = None
    for neighbour in facts.neighbours:
        for table in facts.replayed.catalog.tables:
            if table.name in neighbour.words:
                sentence = f"{neighbour.name} names it, and is not planned along: what it does with it is not seen."
                found.setdefault(table, {})[sentence] = None
    return {table: tuple(sentences) for table, sentences in found.items()}


def missing_relations(facts: Facts) -> tuple[str, ...]:
    """The relations that refused statements name and that no migration here makes, sorted.

    One whose making is itself refused lacks something else, which is named.
    """
    made = {name.name for name in (*facts.replayed.catalog.tables, *facts.replayed.catalog.views)}
    # Knex makes these itself.
    for record in ("knex_migrations", *(service.table_name for service in facts.services)):
        made |= {record, f"{record}_lock"}
    for refusal in facts.replayed.refusals:
        if created := _CREATES_RELATION.match(refusal.origin.statement):
            made.add(created["name"].rpartition(".")[2].strip('"'))
    found = {
        match["name"]
        for refusal in facts.replayed.refusals
        if refusal.origin.direction == "up" and (match := _RELATION.match(refusal.message))
    }
    return tuple(sorted(name for name in found if name.rpartition(".")[2] not in made))


def planned_alone(facts: Facts) -> Iterator[str]:
    """Sentences for the top of a report: the database is used by more than what was planned.

    Nothing where no tenancy was found: then nothing is said of its tables either.
    """
    if not facts.tenancy.enabled:
        return
    names = [service.name for service in facts.services]
    missing = missing_relations(facts)
    if facts.neighbours:
        beside = listed([one.name for one in facts.neighbours])
        lie = "lies" if len(facts.neighbours) == 1 else "lie"
        yield (
            f"Planned without {beside}, which {lie} beside it: where they share the database, what is done there with "
            f"these tables is not seen. Plan the folder that holds them all, with --service {names[0]}."
        )
    elif missing and len(names) == 1:
        yield (
            f"{names[0]} is planned alone, but uses what no migration here makes ({listed(missing)}): what other "
            "services do with its tables is not seen."
        )


def _reached(facts: Facts, refusal: Refusal, kind: str) -> list[QName]:
    """The tables that the statement names, itself or through the functions that it calls.

    A trigger reaches what its function does; the table that it is on is no other one's affair.
    """
    sequence = tokens(refusal.origin.statement)
    named = {token.name for token in sequence}
    if kind in ("function", "procedure"):
        named.update(inner.name for token in sequence if token.kind == "string" for inner in tokens(token.text))
    catalog = facts.replayed.catalog
    called = [function for function in catalog.functions.values() if function.name.name in named]
    reached = {token.name for function in called for token in tokens(function.body)}
    if kind != "trigger":
        reached |= named
    return [name for name in catalog.tables if name.name in reached]
