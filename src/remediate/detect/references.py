"""Which table refers to which: by foreign keys, and by the names of columns where there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from remediate.detect.model import Step, Tenancy
from remediate.detect.tokens import words
from remediate.replay.catalog import Catalog, Column, Constraint, QName, Table

# What a way to the tenant costs, per step. Shorter is better; a foreign key whose rows all have a parent is best; a
# name is only a hint; the user who did something says least about whose row it is.
_FOREIGN_KEY = 10
_NULLABLE = 3
_COMPOSITE = 1
_SOFT = 25
_SOFT_PREFIXED = 30
_PERSON = 40

_IRREGULAR = {"person": "people", "child": "children"}
_PEOPLE = words("user users person people member members")
# created_by, reviewed_by, assigned_to: who did it, not whose it is.
_ATTRIBUTION = re.compile(r"(_by|^assigned_to|_by_(user_)?id)$")
# Words that name no table of their own: together with a type column beside them they may refer to any table.
_POLYMORPHIC = words("entity owner subject target object resource reference record item related source parent actor")
_FOREIGN_WORLD = words("external remote provider third stripe paypal")


@dataclass(frozen=True, slots=True)
class Reference:
    step: Step
    cost: int


def references(catalog: Catalog, tenancy: Tenancy) -> Iterator[Reference]:
    """Every reference between two tables that may lead to a tenant, in catalog order."""
    names = _Names.of(catalog)
    for table in catalog.tables.values():
        hard = [key for key in catalog.constraints_of(table.name) if key.references in catalog.tables]
        for key in hard:
            if reference := _hard(table, key):
                yield reference
        taken = {key.columns[0] for key in hard if len(key.columns) == 1}
        for column in table.columns:
            if column.name not in taken and column.name != tenancy.column:
                yield from _soft(catalog, names, table, column)


def _hard(table: Table, key: Constraint) -> Reference | None:
    if key.references is None or any(_ATTRIBUTION.search(column) for column in key.columns):
        return None
    nullable = any(column is None or column.nullable for column in map(table.column, key.columns))
    cost = _FOREIGN_KEY + _NULLABLE * nullable + _COMPOSITE * (len(key.columns) > 1) + _person(key.references)
    return Reference(Step(table.name, key.columns, key.references, key.referenced_columns, soft=False), cost)


@dataclass(frozen=True, slots=True)
class _Names:
    """Tables by bare name, and primary keys by table: asked for once per column of the whole database."""

    tables: dict[str, list[QName]]
    keys: dict[QName, Constraint]

    @classmethod
    def of(cls, catalog: Catalog) -> _Names:
        tables: dict[str, list[QName]] = {}
        for name in catalog.tables:
            tables.setdefault(name.name, []).append(name)
        keys = {constraint.table: constraint for constraint in catalog.constraints.values() if constraint.type == "p"}
        return cls(tables, keys)

    def find(self, schema: str, name: str) -> QName | None:
        """The table of that name in the same schema, else the only one of that name anywhere."""
        named = self.tables.get(name, [])
        if QName(schema, name) in named:
            return QName(schema, name)
        return named[0] if len(named) == 1 else None


def _soft(catalog: Catalog, names: _Names, table: Table, column: Column) -> Iterator[Reference]:
    for skipped, name in _names_meant(table, column.name):
        parent = names.find(table.name.schema, name)
        key = names.keys.get(parent) if parent else None
        if parent is None or key is None or len(key.columns) != 1:
            continue
        if column.type != _type(catalog, parent, key.columns[0]):
            continue
        cost = (_SOFT_PREFIXED if skipped else _SOFT) + _NULLABLE * column.nullable + _person(parent)
        yield Reference(Step(table.name, (column.name,), parent, key.columns, soft=True), cost)
        return


def _names_meant(table: Table, column: str) -> Iterator[tuple[int, str]]:
    """Table names that `<singular>_id` may mean, with the number of leading words left out, the fullest first.

    `order_item_id` means order_items rather than items; `original_ticket_id` means tickets.
    """
    if not column.endswith(("_id", "Id")) or _ATTRIBUTION.search(column):
        return
    parts = re.sub(r"_?[iI]d$", "", column).split("_")
    if _FOREIGN_WORLD.intersection(parts):
        return
    for skipped in range(len(parts)):
        stem = "_".join(parts[skipped:])
        if stem in _POLYMORPHIC and any(table.column(f"{column[:-3]}_{kind}") for kind in ("type", "table", "kind")):
            continue
        for name in plurals(stem):
            yield skipped, name


def plurals(stem: str) -> tuple[str, ...]:
    """What a table of `stem`s may be called: its plurals, then the stem itself."""
    head, _, last = stem.rpartition("_")
    prefix = f"{head}_" if head else ""
    if last in _IRREGULAR:
        return (prefix + _IRREGULAR[last], stem)
    if re.search(r"[^aeiou]y$", stem):
        return (f"{stem[:-1]}ies", stem)
    if re.search(r"(s|x|z|ch|sh)$", stem):
        return (f"{stem}es", stem)
    return (f"{stem}s", stem)


def _type(catalog: Catalog, table: QName, column: str) -> str | None:
    found = catalog.tables[table].column(column)
    return found.type if found else None


def is_person(table: QName) -> bool:
    """Whether a table holds people, by its name."""
    return table.name.lower() in _PEOPLE


def _person(table: QName) -> int:
    return _PERSON if is_person(table) else 0
