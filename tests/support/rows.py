"""Rows of two tenants as `prove` makes them, and a checksum that tells whether any was lost; without Knex's records."""

from __future__ import annotations

import re

from remediate.config.model import Config
from remediate.detect.facts import gather
from remediate.postgres.introspect import introspect
from remediate.postgres.wire import Wire
from remediate.prove import contents, rows
from remediate.prove.shapes import TableShape, read_shapes
from remediate.replay.catalog import QName, Replayed
from support.database import Database

_RECORDS = re.compile(r"_?knex_migrations")


def _shapes(wire: Wire) -> dict[QName, TableShape]:
    return {name: shape for name, shape in read_shapes(wire).items() if not _RECORDS.search(name.name)}


def fill(database: Database) -> dict[str, int]:
    """Puts rows of two tenants into every table that takes them; how many each has then, by its qualified name."""
    with database.connect() as connection:
        catalog = introspect(connection)
    facts = gather(Replayed(database.name, catalog), [], Config())
    with Wire(database.endpoint, database.name) as wire:
        filled = rows.fill(wire, _shapes(wire), facts)
    return {str(name): len(found) for name, found in filled.rows.items()}


def checksums(database: Database, columns: dict[str, list[str]] | None = None) -> dict[str, tuple[int, str]]:
    """Rows and a checksum of each table's content; where columns are given, of those tables and columns only."""
    wanted = columns if columns is not None else columns_of(database)
    listed = {QName(*name.split(".", 1)): tuple(names) for name, names in wanted.items()}
    with Wire(database.endpoint, database.name) as wire:
        found = contents.contents(wire, listed)
    assert not isinstance(found, str), found
    return {str(name): content for name, content in found.items()}


def columns_of(database: Database) -> dict[str, list[str]]:
    """The columns of every table, in order."""
    with Wire(database.endpoint, database.name) as wire:
        return {
            str(name): [column.name for column in shape.columns]
            for name, shape in _shapes(wire).items()
            if not shape.is_partition
        }
