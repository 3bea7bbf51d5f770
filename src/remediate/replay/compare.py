"""Where two replays of the same migrations differ, fact by fact, and which unresolved place explains it.

A fact is one property of one object that both engines have to agree on; the refused statements and the outcomes of the
files are facts, too. What only one engine can know (history, deparsed text that is not made canonical) is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from remediate.replay.catalog import Catalog, QName, Replayed, UnknownEffect
from remediate.source.place import Unresolved
from remediate.sql.functions import normal_body

Fact: TypeAlias = Mapping[str, object]
"""The properties of an object, as the report prints them."""

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


def compare(static: Replayed, real: Replayed) -> Comparison:
    """Holds the static engine's replay against that of PostgreSQL."""
    found, expected = facts(static), facts(real)
    counts = dict.fromkeys(KINDS, 0)
    differences = []
    effects = (*static.unknown_effects, *real.unknown_effects)
    doubts = (*static.unresolved, *real.unresolved, *static.assumptions, *real.assumptions)
    for key in dict.fromkeys((*expected, *found)):
        counts[key.kind] += 1
        if expected.get(key) != found.get(key):
            explanation = _explanation(key, effects, doubts)
            differences.append(Difference(key.kind, key.subject, expected.get(key), found.get(key), explanation))
    # A run that ended at another file for a reason that is known leaves other catalogs for that reason.
    ended = next((one.explanation for one in differences if one.kind == "outcome" and one.explanation), None)
    differences = [one if one.explanation else replace(one, explanation=ended) for one in differences]
    return Comparison(static.database, counts, tuple(differences))


@dataclass(frozen=True, slots=True)
class FactKey:
    """`relations` are what an unresolved place would have to be about to explain a difference here."""

    kind: str
    subject: str
    relations: tuple[QName, ...] = field(default=(), compare=False)


def facts(replayed: Replayed) -> dict[FactKey, Fact]:
    """Everything that both engines have to agree on; equal dictionaries are equal facts."""
    return {**catalog_facts(replayed.catalog), **dict(_told(replayed))}


def catalog_facts(catalog: Catalog) -> dict[FactKey, Fact]:
    """The facts of a catalog alone."""
    return {key: value for group in (_tables, _on_tables, _others) for key, value in group(catalog)}


Facts: TypeAlias = Iterator[tuple[FactKey, Fact]]


def _tables(catalog: Catalog) -> Facts:
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


def _on_tables(catalog: Catalog) -> Facts:
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


def _others(catalog: Catalog) -> Facts:
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


def _told(replayed: Replayed) -> Facts:
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


def _explanation(key: FactKey, effects: Iterable[UnknownEffect], doubts: Iterable[Unresolved]) -> Unresolved | None:
    """The unresolved place that is about the object; else one in the same file; else one that may be about anything."""
    vague: UnknownEffect | None = None
    for effect in effects:
        if any(subject in key.relations for subject in effect.subjects):
            return Unresolved(effect.service, effect.place, effect.reason)
        if not effect.subjects:
            vague = vague or effect
    file = key.subject.rpartition(":")[0] if key.kind == "refused statement" else key.subject
    if key.kind in ("refused statement", "outcome"):
        beside = next((doubt for doubt in doubts if doubt.place.file == file), None)
        if beside is not None:
            return beside
    return None if vague is None else Unresolved(vague.service, vague.place, vague.reason)


def changed(difference: Difference) -> Iterator[tuple[str, Any, Any]]:
    """The properties that differ, where both have the object: the name, PostgreSQL's and the static spelling."""
    if difference.expected is not None and difference.found is not None:
        for name, value in difference.expected.items():
            if value != difference.found.get(name):
                yield name, value, difference.found.get(name)
