"""The schema after replay, with provenance: every object knows the statements that made it what it is.

Spelling: types as `format_type` spells them, expressions as PostgreSQL deparses them (without implicit casts and
redundant parentheses), names unquoted. All of it is frozen; `replay/builder.py` owns the mutable side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from remediate.evaluate.model import Direction
from remediate.source.place import Place, Unresolved

Assumption = Literal["applied", "fresh"]
"""What is taken to have happened to statements that PostgreSQL refuses; see the engine."""

Command = Literal["all", "select", "insert", "update", "delete"]


class QName(NamedTuple):
    """A schema-qualified name; sorts by schema, then name."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Origin:
    """One statement that made or changed an object. `verb` is what it did: "create", "alter", "rename", …

    `conditional` is the reason why nothing can tell whether it ran. `statement` is the single SQL statement's text,
    `offset` its byte offset in the string that was sent (`Sent.sql`), `template` as in `Sent`.
    """

    service: str
    migration: str
    place: Place
    verb: str
    statement: str = field(repr=False)
    conditional: str | None = None
    direction: Direction = "up"
    offset: int = 0
    template: Place | None = None
    in_do_block: bool = False


History = tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    identity: Literal["always", "by default"] | None = None
    generated: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    name: QName
    columns: tuple[Column, ...]
    history: History
    rls_enabled: bool = False
    rls_forced: bool = False
    owner: str | None = None
    partitioned: bool = False
    partition_of: QName | None = None
    inherits: tuple[QName, ...] = ()
    comment: str | None = None
    server: str | None = None
    """The foreign server where its rows are; such a table is known while migrations run, and is none of a catalog's."""

    @property
    def service(self) -> str:
        """The service whose migration created it."""
        return self.history[0].service

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class Policy:
    """`roles` holds "public" for PUBLIC. `using` and `check` as pg_get_expr gives them, or None."""

    table: QName
    name: str
    command: Command
    permissive: bool
    roles: tuple[str, ...]
    using: str | None
    check: str | None
    history: History


@dataclass(frozen=True, slots=True)
class Constraint:
    """`type` as pg_constraint.contype: p u f c x. `columns` in key order; the `references` part only for f."""

    table: QName
    name: str
    type: Literal["p", "u", "f", "c", "x"]
    columns: tuple[str, ...]
    definition: str
    history: History
    references: QName | None = None
    referenced_columns: tuple[str, ...] = ()
    on_delete: str = "no action"
    on_update: str = "no action"
    validated: bool = True


@dataclass(frozen=True, slots=True)
class Index:
    """`columns` holds column names, and expressions in parentheses where the key is one."""

    table: QName
    name: str
    unique: bool
    columns: tuple[str, ...]
    predicate: str | None
    history: History
    method: str = "btree"
    constraint: bool = False
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """`arguments` as pg_get_function_identity_arguments; `argument_types` the input types that overloads differ in.

    `definition` is the CREATE statement without OR REPLACE, normalised, so that equal functions are equal text;
    `statement` the text that the migration sent. `settings` are its SET clauses.
    """

    name: QName
    arguments: str
    argument_types: tuple[str, ...]
    returns: str
    language: str
    body: str
    history: History
    kind: Literal["function", "procedure"] = "function"
    security_definer: bool = False
    volatility: str = "volatile"
    settings: tuple[tuple[str, str], ...] = ()
    definition: str = ""
    statement: str = field(default="", repr=False)
    comment: str | None = None

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(self.argument_types)})"


@dataclass(frozen=True, slots=True)
class Trigger:
    table: QName
    name: str
    function: QName
    timing: str
    events: tuple[str, ...]
    definition: str
    history: History
    row: bool = True
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    name: QName
    definition: str
    history: History
    materialized: bool = False
    security_invoker: bool = False
    reads: tuple[QName, ...] = ()
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Type:
    name: QName
    kind: Literal["enum", "domain", "composite", "range"]
    labels: tuple[str, ...]
    history: History


@dataclass(frozen=True, slots=True)
class Sequence:
    name: QName
    owned_by: tuple[QName, str] | None
    history: History


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    superuser: bool
    bypassrls: bool
    history: History
    login: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """`privileges` on one object to one role; `kind` is "table", "function", "schema" or "sequence"."""

    kind: str
    subject: str
    role: str
    privileges: tuple[str, ...]
    history: History


@dataclass(frozen=True, slots=True)
class Catalog:
    """The schema of one database. Mappings iterate in creation order."""

    tables: Mapping[QName, Table] = field(default_factory=dict)
    policies: Mapping[tuple[QName, str], Policy] = field(default_factory=dict)
    constraints: Mapping[tuple[QName, str], Constraint] = field(default_factory=dict)
    indexes: Mapping[QName, Index] = field(default_factory=dict)
    functions: Mapping[tuple[QName, tuple[str, ...]], Function] = field(default_factory=dict)
    triggers: Mapping[tuple[QName, str], Trigger] = field(default_factory=dict)
    views: Mapping[QName, View] = field(default_factory=dict)
    types: Mapping[QName, Type] = field(default_factory=dict)
    sequences: Mapping[QName, Sequence] = field(default_factory=dict)
    schemas: Mapping[str, History] = field(default_factory=dict)
    extensions: Mapping[str, History] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()
    _by_table: dict[str, dict[QName, list[Any]]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What the methods below have grouped so far: they are asked of every table in turn."""

    def policies_of(self, table: QName) -> Iterator[Policy]:
        return iter(self._group("policies", self.policies).get(table, ()))

    def constraints_of(self, table: QName) -> Iterator[Constraint]:
        return iter(self._group("constraints", self.constraints).get(table, ()))

    def triggers_of(self, table: QName) -> Iterator[Trigger]:
        return iter(self._group("triggers", self.triggers).get(table, ()))

    def _group(self, kind: str, items: Mapping[tuple[QName, str], Any]) -> dict[QName, list[Any]]:
        grouped = self._by_table.get(kind)
        if grouped is None:
            grouped = self._by_table[kind] = {}
            for item in items.values():
                grouped.setdefault(item.table, []).append(item)
        return grouped


@dataclass(frozen=True, slots=True)
class Refusal:
    """A statement that PostgreSQL would refuse at that point: its SQLSTATE, the cause, the nearest name that exists.

    `subjects` are the relations that the statement names, so that findings on them can be tainted.
    """

    origin: Origin
    code: str
    message: str
    nearest: str | None = None
    subjects: tuple[QName, ...] = ()


@dataclass(frozen=True, slots=True)
class DataChange:
    """INSERT, UPDATE, DELETE, TRUNCATE or COPY in a migration: the relation it touches."""

    relation: QName
    verb: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class FunctionVersion:
    """One CREATE FUNCTION that took effect, also when a later one replaced it: duplicates are found among these."""

    function: Function
    replaced: bool


@dataclass(frozen=True, slots=True)
class SettingUse:
    """One read or write of a custom setting in the database: by a policy, function, trigger, default or view."""

    name: str
    kind: Literal["policy", "function", "default", "view", "check"]
    object: str
    place: Place
    write: bool = False
    missing_ok: bool = False


@dataclass(frozen=True, slots=True)
class Replayed:
    """What replaying the statements of one database gave.

    `statements` counts the statements of each migration file. `assumptions` are the places where what nothing can
    answer was taken as on a fresh database. `outcomes` has one entry a migration file that was run, under
    `--assume fresh` with how it ended. `drift` is for a catalog that was read from a live database: by relation (or
    function), in sentences, what it has otherwise than its migrations say and what bears on isolation.
    """

    database: str
    catalog: Catalog
    refusals: tuple[Refusal, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    data_changes: tuple[DataChange, ...] = ()
    functions: tuple[FunctionVersion, ...] = ()
    settings: tuple[SettingUse, ...] = ()
    unknown_effects: tuple[UnknownEffect, ...] = ()
    statements: Mapping[str, int] = field(default_factory=dict)
    assumptions: tuple[Unresolved, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    drift: Mapping[QName, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnknownEffect:
    """An unresolved statement that may change `subjects`; no subjects means that it may change anything."""

    place: Place
    service: str
    reason: str
    subjects: tuple[QName, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one migration file ended: `code` is the SQLSTATE that stopped it (None: it went through)."""

    service: str
    migration: str
    code: str | None = None
    message: str = ""
