"""The catalog while statements are applied: mutable, with an undo log, frozen to a `Catalog` at the end.

It holds the frozen objects of `catalog.py` and replaces them; what an expression or a view depends on stands beside
them in `uses`, so that drops find their dependents and renames find the texts to change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from remediate.replay.catalog import (
    Catalog,
    Constraint,
    Function,
    Grant,
    History,
    Index,
    Policy,
    QName,
    Role,
    Sequence,
    Table,
    Trigger,
    Type,
    View,
)
from remediate.replay.reading import RelationKind
from remediate.replay.row_log import Remembered, RowLog
from remediate.replay.undo import IndexedDict, UndoDict, UndoLog

ObjectKind: TypeAlias = Literal["policy", "constraint", "index", "view", "default", "trigger", "function"]
ObjectKey: TypeAlias = tuple[ObjectKind, QName, str]
"""("policy", table, name), ("default", table, column), ("index" | "view", its name, "")"""

Signature: TypeAlias = tuple[QName, tuple[str, ...]]

DEFAULT_SEARCH_PATH = ("$user", "public")
TEMPORARY = "pg_temp"
SYSTEM_SCHEMAS = ("pg_catalog", "information_schema")


@dataclass(frozen=True, slots=True)
class Uses:
    """What an expression or a view stands on: pg_depend's normal dependencies."""

    columns: frozenset[tuple[QName, str]] = frozenset()
    relations: frozenset[QName] = frozenset()
    functions: frozenset[Signature] = frozenset()


@dataclass(frozen=True, slots=True)
class TypeDetails:
    """What the catalog's `Type` does not say: the base of a domain, the attributes of a composite."""

    base: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()


class CatalogBuilder:
    """Satisfies `reading.CatalogReader`. A new one is a new database: schema public, the bootstrap superuser."""

    def __init__(self, database: str = "postgres", user: str = "postgres", server_version: int = 15) -> None:
        self.log = UndoLog()
        self.database = database
        self.server_version = server_version
        self.tables: IndexedDict[QName, Table, QName] = IndexedDict(self.log, _parents_of)
        self.views: UndoDict[QName, View] = UndoDict(self.log)
        self.indexes: IndexedDict[QName, Index, object] = IndexedDict(self.log, _of_index)
        self.sequences: IndexedDict[QName, Sequence, QName] = IndexedDict(self.log, _owner_of)
        self.types: UndoDict[QName, Type] = UndoDict(self.log)
        self.type_details: UndoDict[QName, TypeDetails] = UndoDict(self.log)
        self.functions: IndexedDict[Signature, Function, str] = IndexedDict(self.log, lambda key, _: (key[0].name,))
        self.schemas: UndoDict[str, History] = UndoDict(self.log)
        self.extensions: UndoDict[str, History] = UndoDict(self.log)
        self.roles: UndoDict[str, Role] = UndoDict(self.log)
        self.policies: IndexedDict[tuple[QName, str], Policy, QName] = IndexedDict(self.log, _by_table)
        self.constraints: IndexedDict[tuple[QName, str], Constraint, object] = IndexedDict(self.log, _of_constraint)
        self.triggers: IndexedDict[tuple[QName, str], Trigger, QName] = IndexedDict(self.log, _by_table)
        self.grant_map: UndoDict[tuple[str, str, str], Grant] = UndoDict(self.log)
        self.uses: IndexedDict[ObjectKey, Uses, QName | Signature] = IndexedDict(self.log, _of_uses)
        self.extras: UndoDict[Any, Any] = UndoDict(self.log)
        """Small facts by key: ("partition key", table), ("not null parent", …); see who writes them."""
        self.session: UndoDict[str, Any] = UndoDict(self.log)
        self.rows: UndoDict[QName, Remembered] = UndoDict(self.log)
        self.schemas["public"] = ()
        self.roles[user] = Role(user, True, True, (), True)
        self._user = user
        self.log.forget()

    # What may be read (reading.CatalogReader).

    @property
    def grants(self) -> Iterable[Grant]:
        return self.grant_map.values()

    def all_policies(self) -> Iterable[Policy]:
        return self.policies.values()

    def all_constraints(self) -> Iterable[Constraint]:
        return self.constraints.values()

    def all_triggers(self) -> Iterable[Trigger]:
        return self.triggers.values()

    def policies_of(self, table: QName) -> list[Policy]:
        return self.policies.of(table)

    def constraints_of(self, table: QName) -> list[Constraint]:
        return self.constraints.of(table)

    def references_to(self, table: QName) -> list[Constraint]:
        """The foreign keys of other tables, and its own, that refer to it."""
        return self.constraints.of(("references", table))

    def constraint_named(self, schema: str, name: str) -> bool:
        """Whether any table of the schema has a constraint of that name."""
        return bool(self.constraints.keys_of(("name", schema, name)))

    def constraints_named(self, name: str) -> list[Constraint]:
        return self.constraints.of(("name", name))

    def indexes_named(self, name: str) -> list[Index]:
        return self.indexes.of(("name", name))

    def triggers_of(self, table: QName) -> list[Trigger]:
        return self.triggers.of(table)

    def indexes_of(self, table: QName) -> list[Index]:
        return self.indexes.of(table)

    @property
    def search_path(self) -> tuple[str, ...]:
        path = self.session.get("search_path", DEFAULT_SEARCH_PATH)
        return tuple(self.current_user if schema == "$user" else schema for schema in path)

    @property
    def current_schema(self) -> str | None:
        return next((schema for schema in self.search_path if schema in self.schemas or schema in SYSTEM_SCHEMAS), None)

    @property
    def current_user(self) -> str:
        user: str = self.session.get("role", self._user)
        return user

    def setting(self, name: str) -> str | None:
        if name == "search_path":
            return ", ".join(self.session.get("search_path", DEFAULT_SEARCH_PATH))
        value: str | None = self.session.get(f"setting {name}")
        return value

    def rows_of(self, table: QName) -> RowLog | None:
        """What is remembered of the rows of a table; None where nothing is, or where they cannot be told."""
        log = self.rows.get(table)
        return log if isinstance(log, RowLog) and table in self.tables else None

    def find_relation(self, name: str, schema: str | None = None) -> tuple[QName, RelationKind] | None:
        for candidate in self.lookup_path(schema):
            qualified = QName(candidate, name)
            if kind := self.relation_kind(qualified):
                return qualified, kind
        return None

    def relation_kind(self, name: QName) -> RelationKind | None:
        """What stands under that name in pg_class."""
        if table := self.tables.get(name):
            if table.server is not None:
                return "foreign table"
            return "partitioned table" if table.partitioned else "table"
        if view := self.views.get(name):
            return "materialized view" if view.materialized else "view"
        if name in self.indexes:
            return "index"
        if name in self.sequences:
            return "sequence"
        if (found := self.types.get(name)) and found.kind == "composite":
            return "type"
        return None

    def find_type(self, name: str, schema: str | None = None) -> QName | None:
        for candidate in self.lookup_path(schema):
            qualified = QName(candidate, name)
            if qualified in self.types or qualified in self.tables or qualified in self.views:
                return qualified
        return None

    def find_functions(self, name: str, schema: str | None = None) -> tuple[Function, ...]:
        overloads = self.functions.of(name)
        path = self.lookup_path(schema)
        return tuple(each for candidate in path for each in overloads if each.name.schema == candidate)

    def lookup_path(self, schema: str | None) -> tuple[str, ...]:
        """The schemas in which a name is looked up, temporary tables first."""
        return (TEMPORARY, *self.search_path) if schema is None else (schema,)

    # The end.

    def freeze(self) -> Catalog:
        """The catalog as it stands, without temporary objects and foreign tables."""
        lasting = {name for name, table in self.tables.items() if table.server is None and name.schema != TEMPORARY}
        return Catalog(
            tables={name: table for name, table in self.tables.items() if name in lasting},
            policies={key: policy for key, policy in self.policies.items() if key[0].schema != TEMPORARY},
            constraints={key: each for key, each in self.constraints.items() if key[0] in lasting},
            indexes={name: index for name, index in self.indexes.items() if name.schema != TEMPORARY},
            functions=self.functions.frozen(),
            triggers={key: each for key, each in self.triggers.items() if key[0].schema != TEMPORARY},
            views={name: view for name, view in self.views.items() if name.schema != TEMPORARY},
            types=self.types.frozen(),
            sequences={name: each for name, each in self.sequences.items() if name.schema != TEMPORARY},
            schemas=self.schemas.frozen(),
            extensions=self.extensions.frozen(),
            roles=self.roles.frozen(),
            grants=tuple(self.grant_map.values()),
        )


def _parents_of(key: QName, table: Table) -> tuple[QName, ...]:
    return (*table.inherits, table.partition_of) if table.partition_of else table.inherits


def _by_table(key: tuple[QName, str], value: Any) -> tuple[QName, ...]:
    return (key[0],)


def _of_constraint(key: tuple[QName, str], value: Constraint) -> tuple[object, ...]:
    found = key[0], ("name", key[0].schema, key[1]), ("name", key[1])
    return found if value.references is None else (*found, ("references", value.references))


def _of_index(key: QName, value: Index) -> tuple[object, ...]:
    return value.table, ("name", value.name)


def _owner_of(key: QName, value: Sequence) -> tuple[QName, ...]:
    return () if value.owned_by is None else (value.owned_by[0],)


def _of_uses(key: ObjectKey, value: Uses) -> set[QName | Signature]:
    return {relation for relation, _ in value.columns} | value.relations | value.functions
