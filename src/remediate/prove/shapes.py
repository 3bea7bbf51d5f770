"""What has to be known of a table to put rows into it: columns, keys, checks, partitions, as pg_catalog has them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from remediate.postgres.wire import Wire
from remediate.replay.catalog import QName


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """`type` as format_type spells it, of a domain its base type; `labels` are those of an enum.

    `automatic`: PostgreSQL computes it. `identity`: GENERATED ALWAYS AS IDENTITY, which cannot be updated.
    """

    name: str
    type: str
    required: bool
    has_default: bool
    automatic: bool
    identity: bool
    labels: tuple[str, ...]
    domain: str | None
    category: str


@dataclass(frozen=True, slots=True)
class CheckShape:
    """A CHECK, of the table or of a column's domain (then its expression calls the value VALUE)."""

    name: str
    columns: tuple[str, ...]
    expression: str


@dataclass(frozen=True, slots=True)
class KeyShape:
    """A foreign key to the table with the oid `parent`."""

    columns: tuple[str, ...]
    parent: int
    parent_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UniqueShape:
    """A unique index. `columns` are all that it depends on, `plain` the key columns, where it is no more than those."""

    name: str
    columns: tuple[str, ...]
    plain: tuple[str, ...]
    primary: bool


@dataclass(frozen=True, slots=True)
class TableShape:
    oid: int
    name: QName
    kind: str
    is_partition: bool
    columns: tuple[ColumnShape, ...]
    checks: tuple[CheckShape, ...] = ()
    keys: tuple[KeyShape, ...] = ()
    uniques: tuple[UniqueShape, ...] = ()
    partitioned_by: tuple[str, ...] = ()
    bounds: tuple[str, ...] = field(default=(), repr=False)

    def column(self, name: str) -> ColumnShape | None:
        return next((column for column in self.columns if column.name == name), None)

    @property
    def writable(self) -> tuple[ColumnShape, ...]:
        return tuple(column for column in self.columns if not column.automatic)


_USER = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_NAMES = """(SELECT coalesce(json_agg(attname ORDER BY place), '[]')
    FROM unnest({numbers}) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute ON attrelid = {table} AND attnum = number)"""


def _names(numbers: str, table: str) -> str:
    return _NAMES.format(numbers=numbers, table=table)


_QUERY = f"""
SELECT json_build_object(
  'oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'is_partition', c.relispartition,
  'columns', (SELECT coalesce(json_agg(json_build_object(
      'name', attname, 'required', attnotnull OR t.typnotnull, 'has_default', atthasdef OR attidentity <> '',
      'automatic', attgenerated <> '', 'identity', attidentity = 'a', 'category', b.typcategory,
      'type', CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod)
                   ELSE format_type(atttypid, atttypmod) END,
      'domain', CASE WHEN t.typtype = 'd' THEN format_type(atttypid, NULL) END,
      'labels', (SELECT coalesce(json_agg(enumlabel ORDER BY enumsortorder), '[]') FROM pg_enum
                 WHERE enumtypid = b.oid)) ORDER BY attnum), '[]')
    FROM pg_attribute JOIN pg_type AS t ON t.oid = atttypid
      JOIN pg_type AS b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
  'checks', (SELECT coalesce(json_agg(json_build_object('name', conname, 'columns', {_names("conkey", "conrelid")},
      'expression', pg_get_expr(conbin, conrelid)) ORDER BY conname), '[]')
    FROM pg_constraint WHERE conrelid = c.oid AND contype = 'c'),
  'domain_checks', (SELECT coalesce(json_agg(json_build_object('name', conname, 'columns', json_build_array(attname),
      'expression', pg_get_expr(conbin, 0)) ORDER BY conname, attnum), '[]')
    FROM pg_constraint JOIN pg_attribute ON atttypid = contypid
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND contype = 'c'),
  'keys', (SELECT coalesce(json_agg(json_build_object('columns', {_names("conkey", "conrelid")},
      'parent', confrelid::int8, 'parent_columns', {_names("confkey", "confrelid")}) ORDER BY conname), '[]')
    FROM pg_constraint WHERE conrelid = c.oid AND contype = 'f'),
  'uniques', (SELECT coalesce(json_agg(json_build_object('name', i.relname, 'primary', indisprimary,
      'plain', CASE WHEN indexprs IS NULL AND indpred IS NULL AND indimmediate
                    THEN {_names("indkey[0:indnkeyatts - 1]", "indrelid")} ELSE '[]' END,
      'columns', (SELECT coalesce(json_agg(attname ORDER BY attnum), '[]') FROM pg_attribute
        WHERE attrelid = indrelid AND attnum > 0 AND (attnum = ANY (indkey) OR EXISTS (SELECT FROM pg_depend
          WHERE classid = 'pg_class'::regclass AND objid = indexrelid AND refobjid = indrelid
            AND refobjsubid = attnum)))) ORDER BY NOT indisprimary, i.relname), '[]')
    FROM pg_index JOIN pg_class AS i ON i.oid = indexrelid WHERE indrelid = c.oid AND (indisunique OR indisexclusion)),
  'partitioned_by', (SELECT {_names("partattrs", "partrelid")} FROM pg_partitioned_table WHERE partrelid = c.oid),
  'bounds', (SELECT coalesce(json_agg(pg_get_expr(relpartbound, p.oid) ORDER BY p.oid), '[]')
    FROM pg_inherits JOIN pg_class AS p ON p.oid = inhrelid WHERE inhparent = c.oid AND p.relispartition)
)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p') AND {_USER} ORDER BY c.oid"""


def read_shapes(wire: Wire) -> dict[QName, TableShape]:
    """Every table of the users, in creation order; partitions, too."""
    wire.query("SELECT set_config('search_path', 'pg_catalog', false)")
    rows = wire.query(_QUERY)
    wire.query("RESET search_path")
    shapes = (_shape(json.loads(text)) for (text,) in rows if text)
    return {shape.name: shape for shape in shapes}


def _shape(raw: dict[str, Any]) -> TableShape:
    return TableShape(
        raw["oid"],
        QName(raw["schema"], raw["name"]),
        raw["kind"],
        raw["is_partition"],
        tuple(ColumnShape(**{**column, "labels": tuple(column["labels"])}) for column in raw["columns"]),
        tuple(
            CheckShape(check["name"], tuple(check["columns"]), check["expression"])
            for check in (*raw["checks"], *raw["domain_checks"])
        ),
        tuple(KeyShape(tuple(key["columns"]), key["parent"], tuple(key["parent_columns"])) for key in raw["keys"]),
        tuple(
            UniqueShape(one["name"], tuple(one["columns"]), tuple(one["plain"]), one["primary"])
            for one in raw["uniques"]
        ),
        tuple(raw["partitioned_by"] or ()),
        tuple(raw["bounds"]),
    )
