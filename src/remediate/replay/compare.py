"""Where two replays of the same migrations differ, fact by fact, and which unresolved place explains it.

A fact is one property of one object that both engines have to agree on; the refused statements and the outcomes of the
files are facts, too. What only one engine can know (history, deparsed text that is not made canonical) is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from remediate.replay.catalog import Catalog, QName, Replayed, UnknownEffect
from remediate.source.place import Unresolved
from remediate.sql.functions import normal_body

Fact: TypeAlias = Mapping[str, object]
"""The properties of an object, as the report prints them."""

TextOf: TypeAlias = Callable[[str], str]
"""The text of the file at a path relative to the workspace; empty where there is none."""

KINDS = (
    "table", "column", "type of column", "nullability", "default", "rls flags", "policy", "constraint", "index",
    "function", "trigger", "view", "type", "sequence", "schema", "extension", "role", "grant", "refused statement",
    "outcome",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """`expected` is what PostgreSQL has, `found` what the static engine has; None where it has no such object.

    `explanation` is the place that could not be read and that may have caused it, if there is one.
    """

    kind: str
    subject: str
    expected: Fact | None
    found: Fact | None
    explanation: Unresolved | None = None

    @property
    def sort(self) -> Literal["missing", "extra", "different"]:
        if self.found is None:
            return "missing"
        return "extra" if self.expected is None else "different"


@dataclass(frozen=True, slots=True)
class Comparison:
    """By kind, how many facts there are in either catalog, and what differs."""

    database: str
    counts: Mapping[str, int]
    differences: tuple[Difference, ...]

    def of_kind(self, kind: str) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if one.kind == kind)


def compare(static: Replayed, real: Replayed, text_of: TextOf | None = None) -> Comparison:
    """Holds the static engine's replay against that of PostgreSQL.

    `text_of` gives the text of a file of the workspace. With it, a place that may have changed anything explains a
    difference only where its file names the object, or the schema or table that it is in.
    """
    return compare_facts(static.database, facts(static), facts(real), (static, real), text_of)


def compare_facts(
    database: str,
    found: Facts,
    expected: Facts,
    told: Iterable[Replayed],
    text_of: TextOf | None = None,
    kinds: Iterable[str] = KINDS,
) -> Comparison:
    """The same for facts from anywhere, of the kinds that there are: `found` are ours, and `told` the replays whose
    unresolved places may explain what differs."""
    explain = Explanations(told, text_of)
    counts = dict.fromkeys(kinds, 0)
    differences = []
    for key in dict.fromkeys((*expected, *found)):
        counts[key.kind] += 1
        if expected.get(key) != found.get(key):
            differences.append(Difference(key.kind, key.subject, expected.get(key), found.get(key), explain(key)))
    # A run that ended at another file for a reason that is known leaves other catalogs for that reason.
    ended = next((one.explanation for one in differences if one.kind == "outcome" and one.explanation), None)
    differences = [one if one.explanation else replace(one, explanation=ended) for one in differences]
    return Comparison(database, counts, tuple(differences))


@dataclass(frozen=True, slots=True)
class FactKey:
    """`relations` are what an unresolved place would have to be about to explain a difference here."""

    kind: str
    subject: str
    relations: tuple[QName, ...] = field(default=(), compare=False)


Facts: TypeAlias = Mapping[FactKey, Fact]


def facts(replayed: Replayed) -> dict[FactKey, Fact]:
    """Everything that both engines have to agree on; equal dictionaries are equal facts."""
    return {**catalog_facts(replayed.catalog), **dict(_told(replayed))}


def catalog_facts(catalog: Catalog) -> dict[FactKey, Fact]:
    """The facts of a catalog alone."""
    return {key: value for group in (_tables, _on_tables, _others) for key, value in group(catalog)}


_Found: TypeAlias = Iterator[tuple[FactKey, Fact]]


def _tables(catalog: Catalog) -> _Found:
    for table in catalog.tables.values():
        name, about = str(table.name), (table.name,)
        yield (
            FactKey("table", name, about),
            {
                "columns": [column.name for column in table.columns],
                "partitioned": table.partitioned,
                "partition of": _text(table.partition_of),
                "inherits": [str(parent) for parent in table.inherits],
                "owner": table.owner,
                "comment": table.comment,
            },
        )
        flags = {"enabled": table.rls_enabled, "forced": table.rls_forced}
        yield FactKey("rls flags", name, about), flags
        for column in table.columns:
            path = f"{name}.{column.name}"
            rest = {"identity": column.identity, "generated": column.generated, "comment": column.comment}
            yield FactKey("column", path, about), rest
            yield FactKey("type of column", path, about), {"type": column.type}
            yield FactKey("nullability", path, about), {"nullable": column.nullable}
            yield FactKey("default", path, about), {"default": column.default}
    for view in catalog.views.values():
        yield (
            FactKey("view", str(view.name), (view.name, *view.reads)),
            {
                "materialized": view.materialized,
                "security_invoker": view.security_invoker,
                "columns": [f"{column.name} {column.type}" for column in view.columns],
                "reads": sorted(map(str, view.reads)),
                "definition": view.definition,
            },
        )


def _on_tables(catalog: Catalog) -> _Found:
    for policy in catalog.policies.values():
        yield (
            FactKey("policy", f"{policy.name} on {policy.table}", (policy.table,)),
            {
                "command": policy.command,
                "permissive": policy.permissive,
                "roles": sorted(policy.roles),
                "using": policy.using,
                "check": policy.check,
            },
        )
    for constraint in catalog.constraints.values():
        # pg_constraint lists the columns of a check by number, and an exclusion's text is not made canonical.
        columns = sorted(constraint.columns) if constraint.type == "c" else list(constraint.columns)
        yield (
            FactKey("constraint", f"{constraint.name} on {constraint.table}", (constraint.table,)),
            {
                "type": constraint.type,
                "columns": columns,
                "definition": "" if constraint.type == "x" else constraint.definition,
                "references": _text(constraint.references),
                "referenced columns": list(constraint.referenced_columns),
                "on delete": constraint.on_delete,
                "on update": constraint.on_update,
                "validated": constraint.validated,
            },
        )
    for name, index in catalog.indexes.items():
        yield (
            FactKey("index", f"{name} on {index.table}", (index.table,)),
            {
                "unique": index.unique,
                "columns": list(index.columns),
                "predicate": index.predicate,
                "method": index.method,
                "constraint": index.constraint,
            },
        )
    for trigger in catalog.triggers.values():
        yield (
            FactKey("trigger", f"{trigger.name} on {trigger.table}", (trigger.table, trigger.function)),
            {
                "function": str(trigger.function),
                "timing": trigger.timing,
                "events": sorted(trigger.events),
                "row": trigger.row,
                "arguments": list(trigger.arguments),
            },
        )


def _others(catalog: Catalog) -> _Found:
    for function in catalog.functions.values():
        yield (
            FactKey("function", function.signature, (function.name,)),
            {
                "arguments": function.arguments,
                "returns": function.returns,
                "language": function.language,
                "body": normal_body(function.body, function.language),
                "kind": function.kind,
                "security definer": function.security_definer,
                "volatility": function.volatility,
                "settings": [" = ".join(setting) for setting in function.settings],
            },
        )
    for type_ in catalog.types.values():
        yield FactKey("type", str(type_.name), (type_.name,)), {"kind": type_.kind, "labels": list(type_.labels)}
    for sequence in catalog.sequences.values():
        owner = None if sequence.owned_by is None else ".".join(map(str, sequence.owned_by))
        about = (sequence.name, *([] if sequence.owned_by is None else [sequence.owned_by[0]]))
        yield FactKey("sequence", str(sequence.name), about), {"owned by": owner}
    for schema in catalog.schemas:
        yield FactKey("schema", schema), {}
    for extension in catalog.extensions:
        yield FactKey("extension", extension), {}
    for role in catalog.roles.values():
        rights = {"superuser": role.superuser, "bypassrls": role.bypassrls, "login": role.login}
        yield FactKey("role", role.name), rights
    for grant in catalog.grants:
        if grant.kind in ("table", "sequence"):  # the others are not read back
            about = (QName(*grant.subject.split(".", 1)),)
            table = catalog.tables.get(about[0])
            if table is not None and table.owner == grant.role:
                continue  # what an owner is granted of its own is not read back either
            yield FactKey("grant", f"{grant.subject} to {grant.role}", about), {"privileges": sorted(grant.privileges)}


def _told(replayed: Replayed) -> _Found:
    seen: dict[str, int] = {}
    for refusal in replayed.refusals:
        # One place can send many strings: they are told apart by the order in which they were refused.
        place = str(refusal.origin.place)
        seen[place] = seen.get(place, 0) + 1
        number = f" ({seen[place]})" if seen[place] > 1 else ""
        yield FactKey("refused statement", place + number), {"code": refusal.code}
    for outcome in replayed.outcomes:
        yield FactKey("outcome", outcome.migration), {"code": outcome.code}


def _text(name: QName | None) -> str | None:
    return None if name is None else str(name)


_ENDS = re.compile(r"^throws|stands in for it$")
"""What may end the run of a service: what a file throws, and what an extension that is not there would have brought."""


class Explanations:
    """Finds the unresolved place behind a difference: one about the object, else one in whose file it is named.

    For refused statements and outcomes, which are about a file, any place in that file.
    """

    def __init__(self, told: Iterable[Replayed], text_of: TextOf | None) -> None:
        self._effects: list[UnknownEffect] = []
        self._doubts: list[Unresolved] = []
        for replayed in told:
            self._effects += replayed.unknown_effects
            self._doubts += (*replayed.unresolved, *replayed.assumptions)
        self._text_of = text_of
        about = {(effect.service, effect.place) for effect in self._effects if effect.subjects}
        self._vague = [doubt for doubt in self._doubts if (doubt.service, doubt.place) not in about]

    def __call__(self, key: FactKey) -> Unresolved | None:
        for effect in self._effects:
            if any(subject in key.relations for subject in effect.subjects):
                return _as_unresolved(effect)
        if key.kind in ("refused statement", "outcome"):
            file = key.subject.rpartition(":")[0] if key.kind == "refused statement" else key.subject
            beside = next((doubt for doubt in self._doubts if doubt.place.file == file), None)
            if beside is None and key.kind == "outcome":
                # A run that is told of by the name of its service.
                causes = (one for one in self._doubts if one.service == key.subject and _ENDS.search(one.reason))
                beside = next(causes, None)
            if beside is not None or self._text_of is not None:
                return beside
        if self._text_of is None:
            return next((_as_unresolved(effect) for effect in self._effects if not effect.subjects), None)
        names = _names(key)
        found = (doubt for doubt in self._vague if names.search(self._text_of(doubt.place.file)))
        return next(found, None)


def _as_unresolved(effect: UnknownEffect) -> Unresolved:
    return Unresolved(effect.service, effect.place, effect.reason)


def _names(key: FactKey) -> re.Pattern[str]:
    """The words by which a migration would call the object; "public" is in every other file."""
    words = {word for name in key.relations for word in name if word != "public"} or {key.subject.partition(" ")[0]}
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, sorted(words))) + r")(?!\w)", re.IGNORECASE)


def changed(difference: Difference) -> Iterator[tuple[str, Any, Any]]:
    """The properties that differ, where both have the object: the name, PostgreSQL's and the static spelling."""
    if difference.expected is not None and difference.found is not None:
        for name, value in difference.expected.items():
            if value != difference.found.get(name):
                yield name, value, difference.found.get(name)
