"""The tables in which Knex keeps its records: they stand in the database before the first migration runs.

A migration may read them, protect them or come across them in a loop over all tables; they are no part of the schema
that a catalog tells of (knex/lib/migrations/migrate/table-creator.js).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from remediate.replay.catalog import Catalog, QName
from remediate.sql.quote import quote_identifier


def record_tables(schema: str, table: str) -> tuple[QName, QName]:
    """The table of records, and the one that keeps two runs apart."""
    return QName(schema, table), QName(schema, f"{table}_lock")


def creation_of(schema: str, table: str) -> str:
    """What Knex sends for them, guards included."""
    records, lock = (
        f"{quote_identifier(each.schema)}.{quote_identifier(each.name)}" for each in record_tables(schema, table)
    )
    return (
        f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)};\n"
        f"CREATE TABLE IF NOT EXISTS {records} "
        '("id" serial PRIMARY KEY, "name" varchar(255), "batch" integer, "migration_time" timestamptz);\n'
        f'CREATE TABLE IF NOT EXISTS {lock} ("index" serial PRIMARY KEY, "is_locked" integer);'
    )


def without_records(catalog: Catalog, tables: Collection[QName]) -> Catalog:
    """The catalog without these tables and what hangs on them."""
    if not tables:
        return catalog
    owned = {name for name, each in catalog.sequences.items() if each.owned_by and each.owned_by[0] in tables}
    subjects = {str(name) for name in (*tables, *owned)}
    return replace(
        catalog,
        tables={name: each for name, each in catalog.tables.items() if name not in tables},
        policies={key: each for key, each in catalog.policies.items() if key[0] not in tables},
        constraints={key: each for key, each in catalog.constraints.items() if key[0] not in tables},
        indexes={name: each for name, each in catalog.indexes.items() if each.table not in tables},
        triggers={key: each for key, each in catalog.triggers.items() if key[0] not in tables},
        sequences={name: each for name, each in catalog.sequences.items() if name not in owned},
        grants=tuple(each for each in catalog.grants if each.subject not in subjects),
    )
