"""What kind of table each is: the tenants themselves, scoped to one, a child of a scoped one, global, or unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from remediate.config.model import Config
from remediate.detect.model import Classification, Step, Tenancy
from remediate.detect.references import references
from remediate.replay.catalog import Catalog, DataChange, QName, Replayed, Table
from remediate.source.model import Service


def classify(
    replayed: Replayed, services: Sequence[Service], tenancy: Tenancy, config: Config
) -> dict[QName, Classification]:
    """A classification for every table, in creation order. What cannot be told is "unknown", never guessed."""
    catalog = replayed.catalog
    classes: dict[QName, Classification] = {}
    for table in catalog.tables.values():
        if found := _declared(table, config) or _by_itself(table, tenancy) or _bookkeeping(table, services):
            classes[table.name] = found
    classes |= _children(catalog, tenancy, classes)
    for table in catalog.tables.values():
        if table.name not in classes:
            classes[table.name] = _rest(table, replayed.data_changes, catalog)
    return {name: _of_parent(catalog, name, classes) for name in catalog.tables}


def _declared(table: Table, config: Config) -> Classification | None:
    if {table.name.name, str(table.name)} & set(config.tenancy.global_tables):
        return Classification("global", "declared global in the configuration")
    return None


def _by_itself(table: Table, tenancy: Tenancy) -> Classification | None:
    if table.name == tenancy.root:
        return Classification("tenant", f"the table of tenants: {tenancy.reasons.get('root', 'configured')}")
    if tenancy.enabled and table.column(tenancy.column):
        return Classification("scoped", f"has the tenant column {tenancy.column}")
    return None


def _bookkeeping(table: Table, services: Sequence[Service]) -> Classification | None:
    """Knex's own tables: the one that a knexfile names, and its lock."""
    names = {"knex_migrations", *(service.table_name for service in services)}
    if table.name.name in names or table.name.name.removesuffix("_lock") in names:
        return Classification("global", "keeps the record of migrations")
    return None


# --------------------------------------------------------------------------------------------- children


def _children(catalog: Catalog, tenancy: Tenancy, known: Mapping[QName, Classification]) -> dict[QName, Classification]:
    """Each remaining table from which references lead to a scoped table or the root, by the cheapest way.

    Dijkstra backwards from all scoped tables at once. A tie goes to the table and column that sort first, so that
    the same catalog always gives the same path.
    """
    best: dict[QName, tuple[int, tuple[Step, ...]]] = {
        name: (0, ()) for name, found in known.items() if found.kind in ("scoped", "tenant")
    }
    open_references = [
        reference
        for reference in references(catalog, tenancy)
        if reference.step.child not in known and reference.step.parent != reference.step.child
    ]
    while True:
        candidates = [
            (best[reference.step.parent][0] + reference.cost, reference)
            for reference in open_references
            if reference.step.parent in best and reference.step.child not in best
        ]
        if not candidates:
            break
        cost, nearest = min(candidates, key=lambda item: (item[0], item[1].step.child, item[1].step.columns))
        best[nearest.step.child] = (cost, (nearest.step, *best[nearest.step.parent][1]))
    return {name: _child(path) for name, (_, path) in best.items() if path}


def _child(path: tuple[Step, ...]) -> Classification:
    return Classification("child", f"has no tenant column, but {describe(path)}", path)


def describe(path: Sequence[Step]) -> str:
    """A path in words: `venue_id refers to public.venues by name (no foreign key)`, joined where it is longer."""
    parts = []
    for step in path:
        how = "refers by its name (no foreign key)" if step.soft else "is a foreign key"
        parts.append(f"{step.child}.{', '.join(step.columns)} {how} to {step.parent}")
    return ", and ".join(parts)


# --------------------------------------------------------------------------------------------- the rest


def _rest(table: Table, changes: Sequence[DataChange], catalog: Catalog) -> Classification:
    fills = (
        change for change in changes if change.relation == table.name and change.verb.lower() in ("insert", "copy")
    )
    seed = next(fills, None)
    if seed:
        return Classification(
            "global", f"reference data: {seed.origin.place} fills it, and nothing in it refers to a tenant's table"
        )
    to = sorted({str(key.references) for key in catalog.constraints_of(table.name) if key.references})
    if to:
        return Classification("unknown", f"refers to {', '.join(to)} only, which leads to no tenant")
    return Classification("unknown", "has no tenant column, and nothing in it leads to a tenant's table")


def _of_parent(catalog: Catalog, name: QName, classes: Mapping[QName, Classification]) -> Classification:
    """A partition is what its parent is: it has the same columns and holds the parent's rows."""
    seen = {name}
    current = catalog.tables[name]
    while (parent_name := current.partition_of) and parent_name in classes and parent_name not in seen:
        seen.add(parent_name)
        current = catalog.tables[parent_name]
    if current.name == name:
        return classes[name]
    parent = classes[current.name]
    reason = f"a partition of {current.name}, which is {parent.kind}: {parent.reason}"
    return Classification(parent.kind, reason, parent.path)
