"""What a history refers to and nobody makes: tables of other services, stubbed from what is referenced.

PostgreSQL says what it misses (`mending.py`). What was made so comes before the history as a migration of its own
(`stub_service`), and the history runs once more, so that it finds there what other services would have made, guards
included. The static engine replays that migration as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from remediate.prove.model import Stub, StubKind
from remediate.replay.catalog import Catalog, QName
from remediate.source.model import MigrationSource, Service
from remediate.source.place import Place
from remediate.sql.parse import SqlSyntaxError, Statement, UnreadableSqlError, parse
from remediate.sql.quote import Identifier, Literal, QualifiedName
from remediate.sql.references import made

STUBS: Final = "(stubs)"
"""The name of the service that makes them, and of its file: no service can be called so."""
_PLACES = 3
_ORDER: Final[dict[StubKind, int]] = {"schema": 0, "extension": 1, "type": 2, "table": 3, "function": 4}


@dataclass(slots=True)
class StubTable:
    """A table so far: `columns` with their types, keys (the first is primary), rows that are referred to."""

    columns: dict[str, str] = field(default_factory=dict)
    keys: list[tuple[str, ...]] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)

    def key_sql(self, columns: tuple[str, ...]) -> str:
        listed = ", ".join(Identifier(column).sql() for column in columns)
        return f"{'PRIMARY KEY' if self.keys[0] == columns else 'UNIQUE'} ({listed})"


class Stubs:
    """What was stubbed so far. `of_history` are the names that the history makes itself: these never are."""

    def __init__(self, of_history: frozenset[tuple[str, str]]) -> None:
        self._of_history = of_history
        self._others: dict[tuple[StubKind, str], Stub] = {}
        self.tables: dict[QName, StubTable] = {}
        self.made = 0
        """How many things were made, columns and keys counted by themselves."""

    def is_of_history(self, kind: str, name: str) -> bool:
        return (kind, name) in self._of_history

    def add_other(self, stub: Stub) -> bool:
        """Notes what is no table; False where it is known."""
        if (stub.kind, stub.name) in self._others:
            return False
        self._others[stub.kind, stub.name] = stub
        return True

    def listed(self) -> tuple[Stub, ...]:
        """All of them, in the order in which they have to be made."""
        tables = [
            Stub("table", str(name), tuple(table.places[:_PLACES]), tuple(table.columns.items()), _create(name, table))
            for name, table in self.tables.items()
        ]
        return tuple(sorted((*self._others.values(), *tables), key=lambda stub: _ORDER[stub.kind]))


def _create(name: QName, table: StubTable) -> str:
    parts = [f"{Identifier(column).sql()} {kind}" for column, kind in table.columns.items()]
    parts += [table.key_sql(columns) for columns in table.keys]
    create = f"CREATE TABLE {QualifiedName(*name).sql()} ({', '.join(parts)})"
    return "; ".join([create, *(insert_sql(name, row) for row in table.rows)])


def insert_sql(table: QName, row: dict[str, str]) -> str:
    columns = ", ".join(Identifier(column).sql() for column in row)
    values = ", ".join(Literal(value).sql() for value in row.values())
    return f"INSERT INTO {QualifiedName(*table).sql()} ({columns}) VALUES ({values})"


def statements_of(sql: str) -> list[Statement]:
    """The statements of a string; none where it cannot be read."""
    try:
        return parse(sql)
    except (SqlSyntaxError, UnreadableSqlError):
        return []


def names_of_history(sent: Iterable[str], catalog: Catalog) -> frozenset[tuple[str, str]]:
    """What a history makes, refused or not: ("relation" | "function" | "type" | "schema", name without its schema)."""
    names = {(kind, name) for text in sent for one in statements_of(text) for kind, (_, name) in made(one)}
    names |= {("relation", name.name) for those in (catalog.tables, catalog.views, catalog.sequences) for name in those}
    names |= {("function", key[0].name) for key in catalog.functions}
    names |= {("type", name.name) for name in catalog.types}
    names |= {("schema", name) for name in catalog.schemas}
    return frozenset(names)


def stub_service(stubs: Sequence[Stub], database: str) -> Service:
    """A service whose one migration makes the stubs."""
    # A question mark would be a binding.
    raws = "".join(f"  await knex.raw({json.dumps(stub.statement.replace('?', chr(92) + '?'))});\n" for stub in stubs)
    text = f"exports.up = async function (knex) {{\n{raws}}};\nexports.down = async function () {{}};\n"
    source = MigrationSource(STUBS, STUBS, "", f"{STUBS}.js", text.encode())
    return Service(STUBS, "", (), (source,), database)
