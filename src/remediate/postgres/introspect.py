"""A live database as the same `Catalog` that replay makes, so that the two can be held against each other.

Read with search_path = pg_catalog: PostgreSQL then qualifies every name of the user, and the canonical spelling drops
`public` again. What extensions brought, and PostgreSQL 18's NOT NULL constraints, are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from remediate.postgres.queries import (
    AGGREGATES,
    COLUMNS,
    CONSTRAINTS,
    EXTENSIONS,
    FUNCTIONS,
    GRANTS,
    INDEXES,
    POLICIES,
    QUERIES,
    RELATIONS,
    ROLES,
    SCHEMAS,
    SEQUENCES,
    TRIGGERS,
    TYPES,
    VIEW_COLUMNS,
    VIEW_READS,
)  # fmt: skip
from remediate.replay.builder import CatalogBuilder, TypeDetails
from remediate.replay.catalog import (
    Catalog,
    Column,
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
)  # fmt: skip
from remediate.replay.lookup import CatalogLookup
from remediate.replay.refused import Refused
from remediate.sql.deparse import canonical, canonical_query
from remediate.sql.functions import normal_body
from remediate.sql.lookup import MismatchError, NoLookup
from remediate.sql.parse import SqlSyntaxError, UnreadableSqlError

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

_COMMANDS: dict[str, Any] = {"*": "all", "r": "select", "a": "insert", "w": "update", "d": "delete"}
_ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default", " ": "no action"}
_KINDS: dict[str, Any] = {"e": "enum", "d": "domain", "c": "composite", "r": "range"}
_VOLATILITY = {"i": "immutable", "s": "stable", "v": "volatile"}


Fetched: TypeAlias = "Mapping[str, list[TupleRow]]"
"""The rows of each of `QUERIES`."""


def introspect(connection: Connection[TupleRow], history: History = ()) -> Catalog:
    """The catalog of the connected database; every object gets `history`. The session's search_path is restored."""
    before = connection.execute("SELECT current_setting('search_path')").fetchone()
    connection.execute("SET search_path = pg_catalog")
    try:
        fetched = fetch(lambda query: connection.execute(query).fetchall())
    finally:
        connection.execute("SELECT set_config('search_path', %s, false)", (before[0] if before else "",))
    return build(fetched, history)


def fetch(run: Callable[[str], list[TupleRow]]) -> Fetched:
    """All that `build` needs, at once: spelling takes longer than reading, and needs no open transaction.

    `run` gives the rows of one query, in a session whose search_path is pg_catalog.
    """
    return {query: run(query) for query in QUERIES}


def build(fetched: Fetched, history: History = ()) -> Catalog:
    """The catalog that was fetched."""
    return _Reader(fetched, history).read()


class _Reader:
    def __init__(self, fetched: Fetched, history: History) -> None:
        self.fetched = fetched
        self.history = history
        self.builder = CatalogBuilder()
        self.lookup = CatalogLookup(self.builder)

    def rows(self, query: str) -> list[TupleRow]:
        return self.fetched[query]

    def read(self) -> Catalog:
        builder, history = self.builder, self.history
        for name in list(builder.roles):
            del builder.roles[name]
        for (name,) in self.rows(SCHEMAS):
            builder.schemas[name] = history
        for (name,) in self.rows(EXTENSIONS):
            builder.extensions[name] = history
        for name, superuser, bypass, login in self.rows(ROLES):
            builder.roles[name] = Role(name, superuser, bypass, history, login)
        for schema, name, kind, labels, base in self.rows(TYPES):
            type_name = QName(schema, name)
            builder.types[type_name] = Type(type_name, _KINDS[kind], tuple(labels or ()), history)
            builder.type_details[type_name] = TypeDetails(base)
        self._functions()
        self._relations()
        for schema, name, owner_schema, owner, column in self.rows(SEQUENCES):
            owned = (QName(owner_schema, owner), column) if owner else None
            builder.sequences[QName(schema, name)] = Sequence(QName(schema, name), owned, history)
        self._constraints()
        self._indexes()
        self._policies()
        self._triggers()
        for kind, subject, role, privileges in self.rows(GRANTS):
            builder.grant_map[kind, subject, role] = Grant(kind, subject, role, tuple(privileges), history)
        return builder.freeze()

    def spell(self, text: str | None, table: QName | None = None, wanted: str | None = None) -> str | None:
        """The canonical spelling; a text that names what is not known here is spelled without looking anything up."""
        if text is None:
            return None
        relations = [] if table is None else [(table.name, self.lookup.found(table))]
        for lookup in (self.lookup, NoLookup()):
            try:
                return canonical(text, lookup, relations=relations, wanted=wanted)
            except (MismatchError, Refused):
                continue
            except (SqlSyntaxError, UnreadableSqlError):
                return text
        return text

    def _relations(self) -> None:
        columns: dict[QName, list[TupleRow]] = {}
        for schema, name, *rest in self.rows(COLUMNS):
            columns.setdefault(QName(schema, name), []).append(tuple(rest))
        views: dict[QName, tuple[Column, ...]] = {}
        for schema, name, column, type_name in self.rows(VIEW_COLUMNS):
            key = QName(schema, name)
            views[key] = (*views.get(key, ()), Column(column, _type(type_name)))
        reads: dict[QName, list[QName]] = {}
        for schema, name, read_schema, read in self.rows(VIEW_READS):
            reads.setdefault(QName(schema, name), []).append(QName(read_schema, read))
        pending = []
        for (
            schema,
            name,
            kind,
            enabled,
            forced,
            owner,
            is_partition,
            parents,
            options,
            definition,
            comment,
        ) in self.rows(RELATIONS):
            key = QName(schema, name)
            if kind in "rpf":
                above = tuple(QName(*parent.split("\x01")) for parent in parents or ())
                self.builder.tables[key] = Table(
                    key, tuple(_column(row) for row in columns.get(key, ())), self.history, enabled, forced, owner,
                    kind == "p", above[0] if is_partition else None, () if is_partition else above, comment,
                    "elsewhere" if kind == "f" else None,  # views are spelled by its columns
                )  # fmt: skip
            else:
                invoker = any(option in (options or ()) for option in ("security_invoker=true", "security_invoker=on"))
                self.builder.views[key] = View(
                    key, definition, self.history, kind == "m", invoker, tuple(reads.get(key, ())), views.get(key, ())
                )
                pending.append(key)
        for table in list(self.builder.tables.values()):
            spelled = tuple(self._spelled(column, table.name) for column in table.columns)
            self.builder.tables[table.name] = replace(table, columns=spelled)
        for key in pending:
            view = self.builder.views[key]
            self.builder.views[key] = replace(view, definition=self._query(view.definition))

    def _spelled(self, column: Column, table: QName) -> Column:
        default = self.spell(column.default, None, column.type)
        return replace(column, default=default, generated=self.spell(column.generated, table))

    def _query(self, text: str) -> str:
        for lookup in (self.lookup, NoLookup()):
            try:
                return canonical_query(text, lookup).text
            except (MismatchError, Refused):
                continue
            except (SqlSyntaxError, UnreadableSqlError):
                return text
        return text

    def _functions(self) -> None:
        for (name,) in self.rows(AGGREGATES):
            self.builder.extras["aggregate", QName("", name), ()] = None
        for row in self.rows(FUNCTIONS):
            schema, name, identity, types, returns, language, body, kind, definer, volatility, settings = row
            key = QName(schema, name)
            function = Function(
                key, _type(identity), tuple(map(_type, types)), _type(returns or ""), language, body, self.history,
                "procedure" if kind == "p" else "function", definer, _VOLATILITY[volatility],
                tuple(tuple(item.split("=", 1)) for item in settings or ()), normal_body(body, language),
            )  # fmt: skip
            self.builder.functions[key, function.argument_types] = function

    def _constraints(self) -> None:
        for row in self.rows(CONSTRAINTS):
            schema, table, name, kind, columns, definition, expression, valid = row[:8]
            parent_schema, parent, parent_columns, on_delete, on_update = row[8:]
            key = QName(schema, table)
            text = definition.replace(" REFERENCES public.", " REFERENCES ")
            if kind == "c":
                tail = " NO INHERIT" if " NO INHERIT" in definition.rsplit(")", 1)[-1] else ""
                text = f"CHECK ({self.spell(expression, key)}){tail}{'' if valid else ' NOT VALID'}"
            self.builder.constraints[key, name] = Constraint(
                key, name, kind, tuple(columns or ()), text, self.history,
                QName(parent_schema, parent) if parent else None, tuple(parent_columns or ()),
                _ACTIONS[on_delete] if kind == "f" else "no action",
                _ACTIONS[on_update] if kind == "f" else "no action", valid,
            )  # fmt: skip

    def _indexes(self) -> None:
        for schema, table, name, unique, keys, predicate, method, constraint, definition in self.rows(INDEXES):
            key = QName(schema, table)
            columns = tuple(
                text if plain == "true" else f"({self.spell(text, key)})" for plain, text in zip(*keys, strict=True)
            )
            self.builder.indexes[QName(schema, name)] = Index(
                key, name, unique, columns, self.spell(predicate, key), self.history, method, constraint, definition
            )

    def _policies(self) -> None:
        for schema, table, name, command, permissive, roles, using, check in self.rows(POLICIES):
            key = QName(schema, table)
            self.builder.policies[key, name] = Policy(
                key, name, _COMMANDS[command], permissive, tuple(roles), self.spell(using, key),
                self.spell(check, key), self.history,
            )  # fmt: skip

    def _triggers(self) -> None:
        for schema, table, name, kind, function_schema, function, definition, arguments in self.rows(TRIGGERS):
            key = QName(schema, table)
            timing = "before" if kind & 2 else "instead of" if kind & 64 else "after"
            events = tuple(
                word for bit, word in ((4, "insert"), (16, "update"), (8, "delete"), (32, "truncate")) if kind & bit
            )
            self.builder.triggers[key, name] = Trigger(
                key, name, QName(function_schema, function), timing, events, definition, self.history, bool(kind & 1),
                tuple(part.decode() for part in bytes(arguments).split(b"\0")[:-1]),
            )  # fmt: skip


def _type(name: str) -> str:
    """Without the schema that everybody's search_path has."""
    return name.replace("public.", "")


def _column(row: TupleRow) -> Column:
    name, type_name, nullable, default, identity, generated, comment = row
    kinds: dict[str, Any] = {"a": "always", "d": "by default"}
    expression = default if generated else None
    return Column(
        name, _type(type_name), nullable, None if generated else default, kinds.get(identity), expression, comment
    )
