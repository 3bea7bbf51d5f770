"""What may be read of the catalog while statements are still being applied: questions and DO blocks stand on this.

`CatalogBuilder` satisfies `CatalogReader`. The objects are those of `catalog.py`, frozen, as they are at this moment:
a reader that keeps one keeps what was true then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol, TypeAlias

from remediate.replay.catalog import (
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
from remediate.replay.row_log import RowLog

RelationKind: TypeAlias = Literal[
    "table", "partitioned table", "foreign table", "view", "materialized view", "index", "sequence", "type"
]


class CatalogReader(Protocol):
    """The schema as of now. Mappings and iterables are in creation order; nothing here changes anything."""

    @property
    def tables(self) -> Mapping[QName, Table]: ...

    @property
    def views(self) -> Mapping[QName, View]: ...

    @property
    def indexes(self) -> Mapping[QName, Index]: ...

    @property
    def sequences(self) -> Mapping[QName, Sequence]: ...

    @property
    def types(self) -> Mapping[QName, Type]: ...

    @property
    def functions(self) -> Mapping[tuple[QName, tuple[str, ...]], Function]: ...

    @property
    def schemas(self) -> Mapping[str, History]: ...

    @property
    def extensions(self) -> Mapping[str, History]: ...

    @property
    def roles(self) -> Mapping[str, Role]: ...

    @property
    def grants(self) -> Iterable[Grant]: ...

    def all_policies(self) -> Iterable[Policy]: ...

    def all_constraints(self) -> Iterable[Constraint]: ...

    def all_triggers(self) -> Iterable[Trigger]: ...

    def policies_of(self, table: QName) -> Iterable[Policy]: ...

    def constraints_of(self, table: QName) -> Iterable[Constraint]: ...

    def constraints_named(self, name: str) -> Iterable[Constraint]:
        """Those of that name, in all schemas."""
        ...

    def triggers_of(self, table: QName) -> Iterable[Trigger]: ...

    def indexes_of(self, table: QName) -> Iterable[Index]: ...

    def indexes_named(self, name: str) -> Iterable[Index]:
        """Those of that name, in all schemas."""
        ...

    @property
    def search_path(self) -> tuple[str, ...]:
        """The schemas that unqualified names are looked up in now, "$user" resolved or left out, pg_catalog implied."""
        ...

    @property
    def current_schema(self) -> str | None:
        """The first schema of the search_path that exists, as current_schema() says; None when none does."""
        ...

    @property
    def current_user(self) -> str:
        """The role that statements run as now (`SET ROLE` changes it)."""
        ...

    @property
    def server_version(self) -> int:
        """The major version of the server in production, as the configuration names it."""
        ...

    @property
    def database(self) -> str:
        """What current_database() says."""
        ...

    def setting(self, name: str) -> str | None:
        """The value of a run-time setting as this session set it (SET, SET LOCAL, set_config), None when it did not."""
        ...

    def rows_of(self, table: QName) -> RowLog | None:
        """What the migrations did to the rows of a table, where that can be followed; None where it cannot."""
        ...

    def find_relation(self, name: str, schema: str | None = None) -> tuple[QName, RelationKind] | None:
        """The table, view, index, sequence or composite type of that name, looked up as PostgreSQL does.

        `schema` None looks through the search_path. Names are as stored (not quoted, folded already).
        """
        ...

    def find_type(self, name: str, schema: str | None = None) -> QName | None:
        """The user-defined type (or the row type of a table or view) of that name; built-in types are not here."""
        ...

    def find_functions(self, name: str, schema: str | None = None) -> tuple[Function, ...]:
        """All overloads of that name, those of earlier schemas in the search_path first; no built-in functions."""
        ...
