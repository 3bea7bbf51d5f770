"""One table as something to attack: which of its rows belong to whom, and statements that reach for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from remediate.detect.model import Classification, Facts, Step
from remediate.detect.settings import comparisons, policy_text, reads
from remediate.postgres.wire import Wire
from remediate.prove.rows import Row, insertion
from remediate.prove.shapes import ColumnShape, TableShape
from remediate.prove.tenants import tenant_key
from remediate.replay.catalog import QName
from remediate.sql.quote import Identifier, Literal, QualifiedName

Returned = Mapping[str, frozenset[str]]
Id = tuple[str, str]
"""tableoid and ctid: a row's place, which stays the same until it is updated."""


@dataclass(frozen=True, slots=True)
class Target:
    """`rows` are the places of both tenants' rows, `samples` one row of each in full, `keys` the tenants' keys as text;
    the third key is nobody's.

    A table that holds one row at all has none of the second tenant. `conditions` are the settings beside the tenant's
    that policies compare with other columns, each with the values that go with the two samples; `rows` are then those
    that share these values. `strangers` are further rows of other tenants, `unowned` those of none. `tenants` is the
    query for the place and the tenant of every row; `watched`: it has triggers that may write in other tables.
    """

    shape: TableShape
    keys: tuple[str, str, str]
    rows: tuple[frozenset[Id], frozenset[Id]]
    samples: tuple[Row, Row]
    sample_ids: tuple[Id, Id]
    tenant_column: str | None
    moving: tuple[str, ...]
    conditions: tuple[tuple[str, str, str], ...] = ()
    legacy: tuple[str, ...] = ()
    forced: bool = False
    strangers: frozenset[Id] = frozenset()
    unowned: frozenset[Id] = frozenset()
    tenants: str = ""
    watched: bool = False

    @property
    def sql(self) -> str:
        return QualifiedName(*self.shape.name).sql()

    # Statements.

    def select(self) -> str:
        return f"SELECT tableoid::pg_catalog.oid::text AS t, ctid::text AS c FROM {self.sql}"

    def count(self, ids: Iterable[Id]) -> str:
        return f"SELECT count(*)::text AS n FROM {self.sql} WHERE {among(ids)}"

    def touch(self, ids: Iterable[Id]) -> str | None:
        """Updates rows to what they are."""
        column = self._harmless()
        if column is None:
            return None
        name = Identifier(column.name).sql()
        return f"UPDATE {self.sql} SET {name} = {name} WHERE {among(ids)}"

    def touch_blindly(self) -> str | None:
        """Updates every row that it may without reading any column, so that policies for SELECT do not count."""
        held = {name for unique in self.shape.uniques for name in unique.columns}
        held |= {name for check in self.shape.checks for name in check.columns} | {self.tenant_column or ""}
        held |= set(self.shape.partitioned_by)
        for column in self.shape.writable:
            if column.name not in held and not column.identity and self.samples[0].get(column.name) is not None:
                text = Literal(self.samples[0][column.name]).sql()
                return f"UPDATE {self.sql} SET {Identifier(column.name).sql()} = {text}"
        return None

    def delete(self, ids: Iterable[Id]) -> str:
        return f"DELETE FROM {self.sql} WHERE {among(ids)}"

    def delete_blindly(self) -> str:
        return f"DELETE FROM {self.sql}"

    def insert(self, tenant: int) -> str:
        return insertion(self.shape, self.samples[tenant])

    def upsert(self, tenant: int, owner: str | None) -> str | None:
        """INSERT onto the key of that tenant's row, the new row saying that it belongs to `owner`."""
        key = next((unique.plain for unique in self.shape.uniques if unique.plain), None)
        column = self._harmless()
        if key is None or column is None:
            return None
        row = dict(self.samples[tenant])
        if self.tenant_column is not None and owner is not None:
            row[self.tenant_column] = owner
        conflict = ", ".join(Identifier(name).sql() for name in key)
        name = Identifier(column.name).sql()
        return f"{insertion(self.shape, row)} ON CONFLICT ({conflict}) DO UPDATE SET {name} = excluded.{name}"

    def move(self, ids: Iterable[Id], tenant: int) -> str | None:
        """Gives rows to that tenant, by the columns that say whose they are."""
        if not self.moving:
            return None
        changes = ", ".join(
            f"{Identifier(name).sql()} = {Literal(self.samples[tenant].get(name)).sql()}" for name in self.moving
        )
        return f"UPDATE {self.sql} SET {changes} WHERE {among(ids)}"

    def _harmless(self) -> ColumnShape | None:
        if self.tenant_column is not None:
            return self.shape.column(self.tenant_column)
        keys = {name for unique in self.shape.uniques for name in unique.columns}
        writable = [column for column in self.shape.writable if not column.identity]
        return next((column for column in writable if column.name not in keys), writable[0] if writable else None)


def among(ids: Iterable[Id]) -> str:
    """The condition that a row is one of these. Rows are named by place: no column has to be read for it."""
    listed = ", ".join(
        f"({Literal(table).sql()}::pg_catalog.oid, {Literal(place).sql()}::tid)" for table, place in sorted(ids)
    )
    return f"(tableoid, ctid) IN ({listed})" if listed else "false"


def find_target(
    wire: Wire, shape: TableShape, facts: Facts, returned: Returned, *, forced: bool, watched: bool = False
) -> Target | str:
    """The table as a target, or the reason why it is none. `wire` sees every row.

    `returned` are the settings that functions read, by function name; `forced`: FORCE ROW LEVEL SECURITY is on.
    """
    found = facts.classes.get(shape.name)
    if found is None or found.kind not in ("tenant", "scoped", "child"):
        return "its rows belong to no tenant" if found is None else f"its rows belong to no tenant: {found.reason}"
    owner = _owner(shape, found, facts)
    if owner is None:
        return "nothing tells the tenant of a row"
    column, query = owner
    keys = (tenant_key(column, 0), tenant_key(column, 1), tenant_key(column, 2))
    rows: tuple[set[Id], set[Id]] = (set(), set())
    strangers: dict[Id, str | None] = {}
    for table, place, tenant in wire.query(query):
        if tenant in keys[:2]:
            rows[keys.index(tenant)].add((str(table), str(place)))
        else:
            strangers[str(table), str(place)] = tenant
    if not rows[0]:
        return "it has no rows of a tenant"
    first = min(rows[0])
    second = min(rows[1]) if rows[1] else first
    samples = (_sample(wire, shape, first), _sample(wire, shape, second))
    by_column = found.kind != "tenant" and shape.column(facts.tenancy.column) is not None
    if not rows[1] and by_column:
        samples[1][facts.tenancy.column] = keys[1]
    compared = _compared(shape, facts, returned)
    whole = rows[1].copy()
    for own, sample in zip(rows, samples, strict=True):
        own.intersection_update(_alike(wire, shape, compared, sample))
    strangers |= dict.fromkeys(whole - rows[1], keys[1])
    conditions = tuple(
        (setting, str(samples[0].get(name) or ""), str(samples[1].get(name) or "")) for setting, name in compared
    )
    return Target(
        shape, keys, (frozenset(rows[0]), frozenset(rows[1])), samples, (first, second),
        facts.tenancy.column if by_column else None,
        _moving(shape, found, facts),
        conditions, _legacy(shape.name, facts, returned), forced,
        frozenset(place for place, tenant in strangers.items() if tenant is not None),
        frozenset(place for place, tenant in strangers.items() if tenant is None),
        query, watched,
    )  # fmt: skip


def _moving(shape: TableShape, found: Classification, facts: Facts) -> tuple[str, ...]:
    """What says whose a row is: the tenant column, or what leads to the parent.

    That stays so where a tenant column has just come: no policy goes by a column that was added for a later phase.
    """
    columns = (facts.tenancy.column,) if found.kind == "scoped" else found.path[0].columns if found.path else ()
    return tuple(name for name in columns if shape.column(name))


def _compared(shape: TableShape, facts: Facts, returned: Returned) -> tuple[tuple[str, str], ...]:
    """Settings beside the tenant's that policies of the table compare with a column, and that column."""
    names = {facts.tenancy.setting, *facts.tenancy.legacy}
    found: dict[str, str] = {}
    for policy in facts.replayed.catalog.policies_of(shape.name):
        for one in comparisons(policy_text(policy), returned):
            for setting in sorted(one.settings - names):
                for column in sorted(name for name in one.columns if shape.column(name)):
                    if one.operator == "=":
                        found.setdefault(setting, column)
    return tuple(found.items())


def _alike(wire: Wire, shape: TableShape, compared: Sequence[tuple[str, str]], sample: Row) -> set[Id]:
    """The rows that have the sample's values in the columns that settings are compared with."""
    alike = " AND ".join(
        f"{Identifier(name).sql()}::text IS NOT DISTINCT FROM {Literal(sample.get(name)).sql()}" for _, name in compared
    )
    query = f"SELECT tableoid::pg_catalog.oid::text, ctid::text FROM {QualifiedName(*shape.name).sql()}"
    return {(str(table), str(place)) for table, place in wire.query(f"{query} WHERE {alike or 'true'}")}


def _legacy(table: QName, facts: Facts, returned: Returned) -> tuple[str, ...]:
    """The old names of the tenant setting that policies of the table read, by themselves or through a function."""
    catalog = facts.replayed.catalog
    named: set[str] = set()
    for policy in catalog.policies_of(table):
        text = policy_text(policy)
        named |= {read.setting for read in reads(text)}
        named |= {setting for name, settings in returned.items() if name in text for setting in settings}
    return tuple(name for name in facts.tenancy.legacy if name in named)


def _owner(shape: TableShape, found: Classification, facts: Facts) -> tuple[ColumnShape, str] | None:
    """The column that a row's tenant stands in, and the query for the tenant of every row."""
    table = QualifiedName(*shape.name).sql()
    row = "{0}.tableoid::pg_catalog.oid::text, {0}.ctid::text"
    if found.kind in ("tenant", "scoped") or shape.column(facts.tenancy.column):
        name = facts.tenancy.column
        if found.kind == "tenant":
            name = next((one.plain[0] for one in shape.uniques if one.primary and len(one.plain) == 1), "")
        column = shape.column(name)
        if column is None:
            return None
        return column, f"SELECT {row.format('own')}, own.{Identifier(name).sql()}::text FROM {table} AS own"
    return None if not found.path else _owner_by_path(shape, found, facts, row)


def _owner_by_path(shape: TableShape, found: Classification, facts: Facts, row: str) -> tuple[ColumnShape, str] | None:
    last = found.path[-1]
    tenant = facts.replayed.catalog.tables.get(last.parent)
    if tenant is None:
        return None
    name = facts.tenancy.column if tenant.column(facts.tenancy.column) else last.parent_columns[0]
    described = tenant.column(name)
    if described is None:
        return None
    column = ColumnShape(name, described.type, False, False, False, False, (), None, "")
    select = f"SELECT {row.format('parent_0')}, parent_{len(found.path)}.{Identifier(name).sql()}::text"
    return column, f"{select} {joins(shape.name, found.path)}"


def joins(table: QName, path: Sequence[Step]) -> str:
    """FROM the table as `parent_0`, joined along a path with `parent_1`, `parent_2`, …"""
    parts = [f"FROM {QualifiedName(*table).sql()} AS parent_0"]
    for number, step in enumerate(path, 1):
        # Soft references need not have the type of what they refer to.
        pairs = " AND ".join(
            f"parent_{number}.{Identifier(theirs).sql()}::text = parent_{number - 1}.{Identifier(own).sql()}::text"
            for own, theirs in zip(step.columns, step.parent_columns, strict=True)
        )
        parts.append(f"JOIN {QualifiedName(*step.parent).sql()} AS parent_{number} ON {pairs}")
    return " ".join(parts)


def _sample(wire: Wire, shape: TableShape, place: Id) -> Row:
    names = [column.name for column in shape.writable]
    columns = ", ".join(f"{Identifier(name).sql()}::text" for name in names)
    ((values),) = wire.query(f"SELECT {columns} FROM {QualifiedName(*shape.name).sql()} WHERE {among([place])}")
    return dict(zip(names, values, strict=True))


def tables_in_order(names: Iterable[QName], shapes: Sequence[QName]) -> list[QName]:
    """Names in the order in which the tables were made."""
    order = {name: number for number, name in enumerate(shapes)}
    return sorted(set(names) & order.keys(), key=lambda name: order[name])
