"""The names that PostgreSQL itself brings: system relations with their columns, functions and types.

The text files beside this module are lists of names read off a real server; a test holds them against one.
`relations.txt`: schema.name, relkind, then column:type.
`types.txt`: schema.name, typtype and typcategory, then the name as `format_type` spells it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from remediate.replay.catalog import QName
from remediate.sql.builtins import builtins

SYSTEM_SCHEMAS: Final = ("pg_catalog", "information_schema", "pg_toast")

PREDEFINED_ROLES: Final = (
    "pg_checkpoint",
    "pg_create_subscription",
    "pg_database_owner",
    "pg_execute_server_program",
    "pg_maintain",
    "pg_monitor",
    "pg_read_all_data",
    "pg_read_all_settings",
    "pg_read_all_stats",
    "pg_read_server_files",
    "pg_signal_autovacuum_worker",
    "pg_signal_backend",
    "pg_stat_scan_tables",
    "pg_use_reserved_connections",
    "pg_write_all_data",
    "pg_write_server_files",
)


@dataclass(frozen=True, slots=True)
class SystemRelation:
    """A relation of the system catalogs; `columns` are pairs of name and base type (as typname)."""

    name: QName
    kind: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SystemType:
    """A built-in type: `spelling` is what format_type says, `type_type` and `category` as in pg_type."""

    name: QName
    type_type: str
    category: str
    spelling: str


def _lines(name: str) -> list[str]:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()


@cache
def system_relations() -> dict[QName, SystemRelation]:
    relations: dict[QName, SystemRelation] = {}
    for line in _lines("relations.txt"):
        qualified, kind, *columns = line.split(" ")
        schema, _, name = qualified.partition(".")
        pairs = tuple((column, type_name) for column, _, type_name in (text.partition(":") for text in columns))
        relations[QName(schema, name)] = SystemRelation(QName(schema, name), kind, pairs)
    return relations


def system_functions(names: Collection[object] | None = None) -> Iterator[tuple[QName, int]]:
    """The built-in functions of these names (of all, for None), once for each overload, with its number."""
    known = builtins().functions
    for name in known if names is None else names:
        for number in range(len(known.get(name, ())) if isinstance(name, str) else 0):
            yield QName("pg_catalog", str(name)), number


@cache
def system_types() -> dict[QName, SystemType]:
    types: dict[QName, SystemType] = {}
    for line in _lines("types.txt"):
        qualified, kinds, spelling = line.split(" ", 2)
        schema, _, name = qualified.partition(".")
        types[QName(schema, name)] = SystemType(QName(schema, name), kinds[0], kinds[1], spelling)
    return types


@cache
def spelled_types() -> dict[str, str]:
    """From every spelling of a built-in type (`integer`, `int`, `int4`) to its typname (`int4`)."""
    names = {
        "int": "int4",
        "decimal": "numeric",
        "float": "float8",
        "dec": "numeric",
        "serial": "int4",
        "bigserial": "int8",
    }
    for name, known in system_types().items():
        if name.schema == "pg_catalog":
            names[known.spelling] = name.name
            names[name.name] = name.name
    return names
