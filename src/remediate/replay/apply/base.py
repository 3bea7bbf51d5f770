"""What every handler gets: the statement, the catalog to change, and the words to refuse in.

A handler is a function of one kind of statement, registered under the parser's name of it. It raises `Refused` where
PostgreSQL would refuse; the engine takes back what it did until then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from remediate.evaluate.model import Sent
from remediate.replay.builder import SYSTEM_SCHEMAS, TEMPORARY, CatalogBuilder, Uses
from remediate.replay.catalog import DataChange, FunctionVersion, Origin, QName, Table
from remediate.replay.copying import replace
from remediate.replay.lookup import CatalogLookup, missing_relation
from remediate.replay.reading import RelationKind
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.deparse import Spelled, spell_expression, spell_query
from remediate.sql.lookup import FoundRelation
from remediate.sql.parse import Node, Statement
from remediate.sql.types import base_type, spell_type

Handler: TypeAlias = Callable[[Node, "Applying"], None]

_HANDLERS: dict[str, Handler] = {}


def applies(*kinds: str) -> Callable[[Handler], Handler]:
    """Registers the handler of statements of these kinds."""

    def register(handler: Handler) -> Handler:
        for kind in kinds:
            assert kind not in _HANDLERS, kind
            _HANDLERS[kind] = handler
        return handler

    return register


def handler_of(kind: str) -> Handler | None:
    return _HANDLERS.get(kind)


@dataclass(slots=True)
class Log:
    """What is told beside the catalog; undone with it, by its lengths."""

    data_changes: list[DataChange] = field(default_factory=list)
    functions: list[FunctionVersion] = field(default_factory=list)

    def mark(self) -> tuple[int, int]:
        return len(self.data_changes), len(self.functions)

    def undo_to(self, mark: tuple[int, int]) -> None:
        del self.data_changes[mark[0] :], self.functions[mark[1] :]


@dataclass(slots=True)
class Applying:
    """One statement on its way into the catalog. `in_transaction` as PostgreSQL sees it (for CONCURRENTLY)."""

    builder: CatalogBuilder
    log: Log
    sent: Sent
    statement: Statement
    in_transaction: bool = False
    in_do_block: bool = False
    only_statement: bool = True
    about: list[QName] = field(default_factory=list)

    def origin(self, verb: str) -> Origin:
        return Origin(
            self.sent.service,
            self.sent.migration,
            self.sent.place,
            verb,
            self.statement.text,
            self.sent.conditional,
            self.sent.direction,
            self.statement.offset,
            self.sent.template,
            self.in_do_block,
        )

    # Names.

    @property
    def lookup(self) -> CatalogLookup:
        return CatalogLookup(self.builder, self.about)

    def relation(self, node: Node, *, missing_ok: bool = False) -> tuple[QName, RelationKind] | None:
        """The relation that a RangeVar names (namespace.c RangeVarGetRelid); None only with `missing_ok`."""
        schema = node.schemaname or None
        return self.relation_named(schema, node.relname, missing_ok=missing_ok)

    def relation_named(
        self, schema: str | None, name: str, *, missing_ok: bool = False
    ) -> tuple[QName, RelationKind] | None:
        found = self.builder.find_relation(name, schema)
        if found is None and not missing_ok:
            if schema is not None and schema not in self.builder.schemas and schema not in SYSTEM_SCHEMAS:
                raise Refused("3F000", f'schema "{schema}" does not exist', subjects=[QName(schema, name)])
            raise missing_relation(self.builder, schema, name)
        if found is not None:
            self.about.append(found[0])
        return found

    def table(self, node: Node) -> Table:
        """The table that a RangeVar names; 42P01 where it is not, 42809 where it is something else."""
        found = self.relation(node)
        assert found is not None
        table = self.builder.tables.get(found[0])
        if table is None or table.server is not None:
            raise Refused("42809", f'"{found[0].name}" is not a table', subjects=[found[0]])
        return table

    def new_name(self, node: Node) -> QName:
        """Where a RangeVar creates something (RangeVarGetAndCheckCreationNamespace)."""
        if node.relpersistence == "t":
            return QName(TEMPORARY, node.relname)
        return self.new_qualified(node.schemaname or None, node.relname)

    def new_qualified(self, schema: str | None, name: str) -> QName:
        if schema is None:
            schema = self.builder.current_schema
            if schema is None:
                raise Refused("3F000", "no schema has been selected to create in")
        elif schema not in self.builder.schemas and schema not in SYSTEM_SCHEMAS:
            raise Refused("3F000", f'schema "{schema}" does not exist', subjects=[QName(schema, name)])
        qualified = QName(schema, name)
        self.about.append(qualified)
        return qualified

    def qualified(self, names: Sequence[Node]) -> tuple[str | None, str]:
        """(schema, name) of a list of String nodes."""
        parts = [part.string.sval for part in names]
        return (parts[-2] if len(parts) > 1 else None), parts[-1]

    def relation_taken(self, schema: str) -> Callable[[str], bool]:
        """Whether a name is taken in pg_class, for the choosing of generated names."""
        return lambda name: self.builder.relation_kind(QName(schema, name)) is not None

    def require_free(self, name: QName) -> None:
        """42P07 where a relation of that name is, 42710 where a type stands in the way of a table's row type."""
        if self.builder.relation_kind(name) is not None:
            raise Refused("42P07", f'relation "{name.name}" already exists', subjects=[name])
        if name in self.builder.types:
            raise Refused("42710", f'type "{name.name}" already exists', subjects=[name])

    def column_of(self, table: Table, name: str) -> None:
        """42703 where the table has no such column."""
        if table.column(name) is None:
            raise Refused(
                "42703",
                f'column "{name}" of relation "{table.name.name}" does not exist',
                nearest=nearest_name(name, [column.name for column in table.columns]),
                subjects=[table.name],
            )

    # Expressions.

    def type(self, node: Node) -> str:
        return spell_type(node, self.lookup)

    def expression(
        self,
        node: Node,
        *tables: Table | FoundRelation,
        wanted: str | None = None,
        no_subquery: str | None = None,
        condition: str | None = None,
    ) -> Spelled:
        """An expression over the columns of these tables; `condition` is the place that wants a boolean."""
        relations = [
            (each.name, each) if isinstance(each, FoundRelation) else (each.name.name, found(each)) for each in tables
        ]
        return spell_expression(
            node, self.lookup, relations=relations, wanted=wanted, no_subquery=no_subquery, condition=condition
        )

    def query(self, node: Node) -> Spelled:
        return spell_query(node, self.lookup)


def found(table: Table) -> FoundRelation:
    return FoundRelation(*table.name, {column.name: column.type for column in table.columns})


def uses_of(spelled: Spelled, builder: CatalogBuilder) -> Uses:
    """What the dependency log of an expression is (recordDependencyOnExpr)."""
    functions = set()
    for call in spelled.calls:
        if not call.builtin and call.schema is not None:
            name = QName(call.schema, call.name)
            overloads = [key for key in builder.functions.keys_of(call.name) if key[0] == name]
            exact = [key for key in overloads if len(key[1]) == len(call.arguments)] or overloads
            if len(exact) > 1:
                matching = [
                    key for key in exact
                    if all(given is None or base_type(given) == wanted
                           for given, wanted in zip(call.arguments, key[1], strict=True))
                ] if all(len(key[1]) == len(call.arguments) for key in exact) else []  # fmt: skip
                exact = matching or exact
            functions.update(exact[:1])
    return Uses(
        frozenset((QName(*relation), column) for relation, column in spelled.columns),
        frozenset(QName(*relation) for relation in spelled.relations),
        frozenset(functions),
    )


def altered(table: Table, at: Applying, verb: str = "alter") -> Table:
    """The table with this statement at the end of its history, once."""
    origin = at.origin(verb)
    return table if table.history and table.history[-1] == origin else replace(table, history=(*table.history, origin))
