"""Drift: where the live database is not what its migrations say, object by object, with what made it so there.

The facts are those in which two replays have to agree (`replay/compare.py`). What hangs on a table that only one side
has is not told apart from it; what bears on isolation comes first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from remediate.audit.evidence import version_of
from remediate.audit.judge import Judge
from remediate.audit.model import Change, Drift, Sort
from remediate.detect.found import enabling
from remediate.detect.model import Facts
from remediate.postgres.observe import Observed
from remediate.replay.catalog import Catalog, History, Origin, QName, Replayed, Table
from remediate.replay.compare import Explanations, FactKey, catalog_facts

_OF_COLUMN = {"type of column": "column", "nullability": "column", "default": "column"}
_ON_TABLE = ("rls flags", "column", "policy", "constraint", "index", "trigger", "sequence", "grant")
_WHOLE = ("table", "view")
_RANK = {"error": 0, "warning": 1, "info": 2}
_READING = (
    "rls flags", "policy", "role", "function", "table", "column", "constraint", "trigger", "index", "view", "type",
    "sequence", "schema", "extension", "grant",
)  # fmt: skip

Objects = dict[FactKey, dict[str, object]]


def find_drift(
    expected: Replayed, live: Catalog, observed: Observed, facts: Facts, later: Catalog | None = None
) -> tuple[Drift, ...]:
    """The drift of `live` (the observed catalog without Knex's own tables) from the replay of what is on record.

    `facts` are those of the replay: how tenants are told apart there, and how the tables are related. `later` is the
    catalog after the files that wait, where there are some: what is there before them is told as that.
    """
    ours, theirs = _objects(expected.catalog), _objects(live)
    _add_states(ours, theirs, observed)
    only_one = ours.keys() ^ theirs.keys()
    whole = {key.subject for key in only_one if key.kind in _WHOLE}
    columns = {key.subject for key in only_one if key.kind == "column"}
    origins = _origins(expected.catalog)
    judge = Judge(expected.catalog, live, facts)
    explain = Explanations((expected,), _texts(facts))
    found: list[Drift] = []
    for key in dict.fromkeys((*ours, *theirs)):
        one, other = theirs.get(key), ours.get(key)
        if one == other or not _is_ours(key, expected.catalog):
            continue
        if _goes_with(key, one or other or {}, whole, columns, ours, theirs):
            continue
        made = _maker(key, origins.get(key, ()), expected.catalog)
        drift = replace(_difference(key, one, other, made, expected.catalog), explanation=explain(key))
        found.append(_of_another_order(judge.judge(drift, one, other), expected, live))
    if later is not None:
        found = _waited_for(found, later)
    found += _elsewhere(expected.catalog, live)
    return tuple(sorted(_by_schema(found, expected.catalog, live), key=_order))


def _difference(
    key: FactKey,
    live: Mapping[str, object] | None,
    ours: Mapping[str, object] | None,
    made: Origin | None,
    expected: Catalog,
) -> Drift:
    """What is different, before it is judged; `made` is the statement of the migrations that is to be shown."""
    about = key.relations[0] if key.relations else None
    changes: tuple[Change, ...] = ()
    sort: Sort = "missing" if live is None else "extra"
    if live is not None and ours is not None:
        sort = "different"
        changes = tuple(Change(name, live[name], ours[name]) for name in ours if live[name] != ours[name])
    service = made.service if made else _service(about, expected)
    place = made.place if made else None
    return Drift(sort, key.kind, key.subject, about, "info", False, "", changes, service, place)


def _texts(facts: Facts) -> Callable[[str], str]:
    """The text of a migration file; of a helper, which is no migration, nothing."""
    files = {source.file: source.data for service in facts.services for source in service.migrations}
    return cache(lambda file: files.get(file, b"").decode("utf-8", "replace"))


def _of_another_order(drift: Drift, expected: Replayed, live: Catalog) -> Drift:
    """A function that several files make, and another of them made last here: the services ran in another order."""
    if drift.kind != "function" or drift.sort != "different":
        return drift
    found = next(one for one in live.functions.values() if one.signature == drift.subject)
    made = version_of(found, [one.function for one in expected.functions])
    if made is None:
        return drift
    message = (
        f"Function {drift.subject} is that of {made.history[-1].place}, though in the order of the services that of "
        f"{drift.place} comes last"
    )
    return replace(drift, severity="warning", message=message)


def _waited_for(found: Sequence[Drift], later: Catalog) -> list[Drift]:
    """What a file makes that is not on record: it has run all the same, or its run will meet what is there."""
    origins = _origins(later)
    told = []
    for drift in found:
        history = origins.get(FactKey(drift.kind, drift.subject)) if drift.sort == "extra" else None
        if history:
            message = (
                drift.message.removesuffix("no migration makes it") + "only a migration that is not on record makes it"
            )
            drift = replace(drift, message=message, service=history[0].service, place=history[0].place)
        told.append(drift)
    return told


def _order(drift: Drift) -> tuple[Any, ...]:
    # What is looked for in another schema is why everything is missing; an extension or a schema that is, why much is.
    elsewhere = drift.sort == "different" and drift.kind == "schema"
    cause = drift.sort == "missing" and drift.kind in ("extension", "schema")
    place = (str(drift.about), _READING.index(drift.kind), drift.subject)
    return (not elsewhere, not drift.isolation, not cause, _RANK[drift.severity], *place)


def _objects(catalog: Catalog) -> Objects:
    """One entry an object: the facts of a column together, and no order of columns, which is of no consequence."""
    objects: Objects = {}
    for key, fact in catalog_facts(catalog).items():
        merged = FactKey(_OF_COLUMN.get(key.kind, key.kind), key.subject, key.relations)
        properties = {name: value for name, value in fact.items() if not (key.kind == "table" and name == "columns")}
        objects.setdefault(merged, {}).update(properties)
    return objects


def _add_states(ours: Objects, theirs: Objects, observed: Observed) -> None:
    """What only a live database can have: indexes that a failed CONCURRENTLY left, triggers that are switched off."""
    for key in theirs:
        if key.kind == "index":
            name = QName(*key.subject.partition(" on ")[0].split(".", 1))
            theirs[key]["valid"] = name not in observed.invalid_indexes
        elif key.kind == "trigger":
            trigger, _, table = key.subject.partition(" on ")
            theirs[key]["fires"] = observed.disabled_triggers.get((QName(*table.split(".", 1)), trigger), "always")
    for key in ours:
        if key.kind == "index":
            ours[key]["valid"] = True
        elif key.kind == "trigger":
            ours[key]["fires"] = "always"


def _goes_with(
    key: FactKey,
    fact: Mapping[str, object],
    whole: Collection[str],
    columns: Collection[str],
    ours: Objects,
    theirs: Objects,
) -> bool:
    """Whether it is told already by a table, column or constraint that only one side has."""
    above = key.relations[-1:] if key.kind == "sequence" else key.relations[:1]
    if key.kind in _ON_TABLE and any(str(name) in whole for name in above):
        return True
    if key.kind == "sequence" and fact.get("owned by") in columns:
        return True
    if key.kind == "index" and fact.get("constraint"):
        name, _, table = key.subject.partition(" on ")
        constraint = FactKey("constraint", f"{QName(*name.split('.', 1)).name} on {table}")
        return (constraint in ours) != (constraint in theirs)
    return False


def _is_ours(key: FactKey, expected: Catalog) -> bool:
    """Roles belong to the whole server: only those that migrations make are looked for."""
    if key.kind != "role":
        return True
    role = expected.roles.get(key.subject)
    return role is not None and bool(role.history)


def _service(about: QName | None, catalog: Catalog) -> str:
    table = catalog.tables.get(about) if about is not None else None
    return table.service if table is not None and table.history else ""


# --------------------------------------------------------------------------------------------- where it was made


def _origins(catalog: Catalog) -> dict[FactKey, History]:
    """The statements that made each object."""
    found: dict[FactKey, History] = {}
    for table in catalog.tables.values():
        found[FactKey("table", str(table.name))] = found[FactKey("rls flags", str(table.name))] = table.history
        for column in table.columns:
            found[FactKey("column", f"{table.name}.{column.name}")] = table.history
    for kind, objects in (
        ("policy", catalog.policies),
        ("constraint", catalog.constraints),
        ("trigger", catalog.triggers),
    ):
        found |= {FactKey(kind, f"{name} on {table}"): one.history for (table, name), one in objects.items()}
    found |= {FactKey("index", f"{name} on {one.table}"): one.history for name, one in catalog.indexes.items()}
    found |= {FactKey("function", one.signature): one.history for one in catalog.functions.values()}
    for kind, named in (("view", catalog.views), ("type", catalog.types), ("sequence", catalog.sequences)):
        found |= {FactKey(kind, str(name)): one.history for name, one in named.items()}
    found |= {FactKey("schema", name): history for name, history in catalog.schemas.items()}
    found |= {FactKey("extension", name): history for name, history in catalog.extensions.items()}
    found |= {FactKey("role", name): role.history for name, role in catalog.roles.items()}
    found |= {FactKey("grant", f"{one.subject} to {one.role}"): one.history for one in catalog.grants}
    return found


def _maker(key: FactKey, history: History, catalog: Catalog) -> Origin | None:
    """The statement to show: of a column the last that names it, of RLS the one that enabled it."""
    if not history:
        return None
    if key.kind == "rls flags":
        table: Table = catalog.tables[key.relations[0]]
        return enabling(table) or history[0]
    if key.kind == "column":
        name = re.escape(key.subject.rpartition(".")[2])
        naming = [one for one in history if re.search(rf"(?<!\w){name}(?!\w)", one.statement)]
        return naming[-1] if naming else history[0]
    return history[0] if key.kind == "table" else history[-1]


# --------------------------------------------------------------------------------------------- schemas


def _elsewhere(ours: Catalog, live: Catalog) -> list[Drift]:
    """Most tables of `public` are in another schema: the role that migrates has another search_path."""
    wanted = [name for name in ours.tables if name.schema == "public"]
    missing = [name for name in wanted if name not in live.tables]
    homes = Counter(name.schema for one in missing for name in live.tables if name.name == one.name)
    if not homes or len(missing) < len(wanted) * _MOST:
        return []
    schema, number = min(homes.items(), key=lambda item: (-item[1], item[0]))
    if number < len(missing) * _MOST:
        return []
    message = (
        f"{number} of {len(wanted)} tables that the migrations make without naming a schema are in {schema} here, and "
        "were looked for in public: the search_path of the role that migrates is not known to remediate"
    )
    change = Change("schema", schema, "public")
    return [Drift("different", "schema", schema, None, "warning", True, message, (change,))]


_MOST = 0.6


def _by_schema(found: Sequence[Drift], ours: Catalog, live: Catalog) -> list[Drift]:
    """A schema in which no migration makes anything belongs to something else, and is told as a whole."""
    known = {name.schema for names in (ours.tables, ours.views, ours.types, ours.sequences) for name in names}
    known |= {key[0].schema for key in ours.functions} | set(ours.schemas) | {"public"}
    strange = {name.schema for name in (*live.tables, *live.views)} - known
    strange |= {key[0].schema for key in live.functions} - known
    kept: list[Drift] = []
    for drift in found:
        if drift.kind == "schema" and drift.sort == "extra" and drift.subject in strange:
            kept.append(replace(drift, message=_contents(drift.subject, live)))
        elif drift.about is None or drift.about.schema not in strange or drift.kind == "schema":
            kept.append(drift)
    return kept


def _contents(schema: str, live: Catalog) -> str:
    inside = {
        "tables": sum(name.schema == schema for name in live.tables),
        "views": sum(name.schema == schema for name in live.views),
        "functions": sum(key[0].schema == schema for key in live.functions),
    }
    told = ", ".join(f"{kind}: {number}" for kind, number in inside.items() if number)
    return f"Schema {schema} ({told}) is made by no migration, nor what is in it"


def by_table(drifts: Sequence[Drift]) -> dict[str, list[Drift]]:
    """The drift of each table together, in the order in which it comes; whole objects beside what the migrations make
    by their kind."""
    groups: dict[str, list[Drift]] = {}
    for drift in drifts:
        on_table = drift.about is not None and drift.kind in (*_ON_TABLE, *_WHOLE)
        whole = drift.sort == "extra" and drift.kind in (*_WHOLE, "grant", "sequence")
        title = str(drift.about) if on_table and not whole else _PLURALS.get(drift.kind, f"{drift.kind.capitalize()}s")
        groups.setdefault(title, []).append(drift)
    return groups


_PLURALS = {"policy": "Policies", "index": "Indexes", "rls flags": "Row level security"}
