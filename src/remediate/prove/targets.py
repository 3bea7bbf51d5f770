"""One table as something to attack: which of its rows belong to whom, and statements that reach for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from remediate.detect.model import Classification, Facts, Step
from remediate.postgres.wire import Wire
from remediate.prove.rows import Row, insertion
from remediate.prove.shapes import ColumnShape, TableShape
from remediate.prove.tenants import tenant_key
from remediate.replay.catalog import QName
from remediate.sql.quote import Identifier, Literal, QualifiedName

Id = tuple[str, str]
"""tableoid and ctid: a row's place, which stays the same until it is updated."""


@dataclass(frozen=True, slots=True)
class Target:
    """`rows` are the places of both tenants' rows, `samples` one row of each in full, `keys` the tenants' keys as text;
    the third key is nobody's."""

    shape: TableShape
    keys: tuple[str, str, str]
    rows: tuple[frozenset[Id], frozenset[Id]]
    samples: tuple[Row, Row]
    sample_ids: tuple[Id, Id]
    tenant_column: str | None
    parent_columns: tuple[str, ...]

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
        """Gives rows to that tenant: by the tenant column, or by the parent's row."""
        columns = (self.tenant_column,) if self.tenant_column else self.parent_columns
        if not columns:
            return None
        changes = ", ".join(
            f"{Identifier(name).sql()} = {Literal(self.samples[tenant].get(name)).sql()}" for name in columns
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


def find_target(wire: Wire, shape: TableShape, facts: Facts) -> Target | str:
    """The table as a target, or the reason why it is none. `wire` sees every row."""
    found = facts.classes.get(shape.name)
    if found is None or found.kind not in ("tenant", "scoped", "child"):
        return "its rows belong to no tenant" if found is None else f"its rows belong to no tenant: {found.reason}"
    owner = _owner(shape, found, facts)
    if owner is None:
        return "nothing tells the tenant of a row"
    column, query = owner
    keys = (tenant_key(column, 0), tenant_key(column, 1), tenant_key(column, 2))
    rows: tuple[set[Id], set[Id]] = (set(), set())
    for table, place, tenant in wire.query(query):
        if tenant in keys[:2]:
            rows[keys.index(tenant)].add((str(table), str(place)))
    if not rows[0] or not rows[1]:
        return "it has no rows of both tenants"
    ids = (min(rows[0]), min(rows[1]))
    tenant_column = shape.column(facts.tenancy.column)
    own = column.name if found.kind == "tenant" else tenant_column.name if tenant_column else None
    return Target(
        shape, keys, (frozenset(rows[0]), frozenset(rows[1])),
        (_sample(wire, shape, ids[0]), _sample(wire, shape, ids[1])), ids,
        None if found.kind == "tenant" else own,
        tuple(name for name in found.path[0].columns if shape.column(name)) if found.path else (),
    )  # fmt: skip


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
