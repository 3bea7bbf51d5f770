"""How a table builder is compiled: the table's own statement, then those of its columns, keys and indexes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

from remediate.evaluate.knex.builder import Compiled, Statement, Unbuilt
from remediate.evaluate.knex.column import ForeignKey
from remediate.evaluate.knex.column_sql import ColumnCompiler, default_clause
from remediate.evaluate.knex.formatter import Formatter
from remediate.evaluate.knex.javascript import UnresolvableError, known, text, truthy, unresolvable
from remediate.evaluate.knex.literals import wrap_identifier
from remediate.evaluate.knex.method import at
from remediate.evaluate.knex.query import QueryBuilder
from remediate.evaluate.knex.query_sql import QueryCompiler
from remediate.evaluate.knex.raw import RawBuilder
from remediate.evaluate.knex.session import Subject, thrown
from remediate.evaluate.knex.table import TableBuilder, TableCall, index_name
from remediate.evaluate.values import UNDEFINED, Unknown, Value
from remediate.source.place import Place


class TableCompiler:
    """Compiles one table builder whose callback has run."""

    def __init__(self, builder: TableBuilder, name: Value, like: Value, schema: Value, place: Place) -> None:
        self.builder = builder
        self.name = name
        self.like = like
        self.schema = schema
        self.place = place
        self.types: list[Statement] = []
        self.sequence: list[Statement] = []
        self.formatter = Formatter(place)
        self.checks = 0
        action: Literal["create table", "alter table"] = "alter table" if builder.action == "alter" else "create table"
        known_schema = schema if isinstance(schema, str) else None
        self.subject = Subject(action, name, known_schema) if isinstance(name, str) else None

    def statements(self) -> list[Statement]:
        """All statements, in the order in which Knex sends them: types first."""
        if self.builder.action == "alter":
            self._alter()
        else:
            self._create()
        return self.types + self.sequence

    def table_name(self, name: Value = UNDEFINED) -> str:
        """The table with its schema, quoted."""
        name = known(self.name if name is UNDEFINED else name)
        if truthy(self.schema):
            return self.formatter.wrap(f"{text(self.schema)}.{text(name)}")
        return self.formatter.wrap(name)

    def has_primary_keys(self) -> bool:
        """Whether `primary` was called anywhere for this table, with anything."""
        return any(call.method == "primary" and call.arguments not in ([], [[]]) for call in self.builder.calls)

    def _push(self, write: Callable[[], str], place: Place, *, bound: bool = True) -> None:
        """Adds one statement; an unknown part makes it an unbuilt one."""
        self.formatter = Formatter(place)
        try:
            sql = write()
        except UnresolvableError as error:
            self.sequence.append(Unbuilt(error.unknown, place, self.subject))
        else:
            self.sequence.append(Compiled(sql, self.formatter.bindings if bound else [], place))

    # The table's own statement

    def _columns(self, *, alters: bool) -> tuple[list[ColumnCompiler], list[str | UnresolvableError]]:
        compilers = [ColumnCompiler(self, column) for column in self.builder.columns if column.alters is alters]
        written: list[str | UnresolvableError] = []
        for compiler in compilers:
            try:
                written.append(compiler.definition())
            except UnresolvableError as error:
                written.append(error)
        return compilers, written

    def _create(self) -> None:
        compilers, definitions = self._columns(alters=False)
        self._push(lambda: self._create_statement(definitions), self.place, bound=False)
        if self.builder.table_comment is not None:
            self._comment()
        for compiler in compilers:
            self.sequence.extend(compiler.additional)
        self._calls()

    def _create_statement(self, definitions: Sequence[str | UnresolvableError]) -> str:
        columns = _all_known(definitions)
        start = "create table if not exists " if self.builder.action == "create if not exists" else "create table "
        if self.builder.action == "create like" and truthy(self.like):
            more = f", {', '.join(columns)}" if columns else ""
            sql = f"{start}{self.table_name()} (like {self.table_name(self.like)} including all{more})"
        else:
            inner = ", ".join(columns) + self._primary_keys() + self._inline_checks()
            sql = f"{start}{self.table_name()} ({inner})"
        if truthy(self.builder.inherited):
            sql += f" inherits ({self.formatter.wrap(self.builder.inherited)})"
        return sql

    def _primary_keys(self) -> str:
        """Only the first `primary` counts when a table is created."""
        first = next((call for call in self.builder.calls if call.method == "primary"), None)
        if first is None or not first.arguments:
            return ""
        name, deferrable = self._primary_options(at(first.arguments, 1))
        return f", constraint {name} primary key ({self.formatter.columnize(first.arguments[0])}){deferrable}"

    def _primary_options(self, given: Value) -> tuple[str, str]:
        name, deferrable = known(given), UNDEFINED
        if isinstance(given, dict):
            name, deferrable = given.get("constraintName", UNDEFINED), given.get("deferrable", UNDEFINED)
        wrapped = self.formatter.wrap(name if truthy(name) else f"{text(self.name)}_pkey")
        return wrapped, _deferrable(deferrable)

    def _inline_checks(self) -> str:
        written = []
        for call in self.builder.checks:
            name = known(at(call.arguments, 2))
            predicate = RawBuilder(None, None, call.place, at(call.arguments, 0), at(call.arguments, 1)).to_query()
            written.append((f"constraint {text(name)} " if truthy(name) else "") + f"check ({predicate})")
        return f", {', '.join(written)}" if written else ""

    def _comment(self) -> None:
        assert self.builder.table_comment is not None
        comment, place = self.builder.table_comment
        self._push(lambda: f"comment on table {self.table_name()} is '{text(comment)}'", place)

    def _alter(self) -> None:
        adding, added = self._columns(alters=False)
        altering, altered = self._columns(alters=True)
        if added:
            add = "add column "
            self._push(
                lambda: f"alter table {self.table_name()} {', '.join(add + part for part in _all_known(added))}",
                self.place if len(adding) > 1 else adding[0].column.place,
                bound=False,
            )
        for compiler, definition in zip(altering, altered, strict=True):
            if isinstance(definition, UnresolvableError):
                self.sequence.append(compiler.unbuilt(definition))
            else:
                self._alter_column(compiler)
        for compiler in [*adding, *altering]:
            self.sequence.extend(compiler.additional)
        self._calls()
        if self.builder.table_comment is not None:
            self._comment()

    def _alter_column(self, compiler: ColumnCompiler) -> None:
        """`.alter()`: default and NOT NULL are dropped, then set again if the chain says so."""
        column = compiler.column
        name = wrap_identifier(text(compiler.name()))

        def push(change: str) -> None:
            self._push(
                lambda: f"alter table {self.table_name()} alter column {name} {change}", column.place, bound=False
            )

        push("drop default")
        if truthy(column.alter_nullable):
            push("drop not null")
        if truthy(column.alter_type):
            kind = compiler.type()
            push(f"type {kind} using ({name}{'::text::' if compiler.kind == 'enu' else '::'}{kind})")
        if "defaultTo" in column.modifiers:
            push(f"set {default_clause(at(column.modifiers['defaultTo'], 0), compiler.kind)}")
        if truthy(column.alter_nullable) and at(column.modifiers.get("nullable", []), 0) is False:
            push("set not null")

    # What follows

    def _calls(self) -> None:
        for call in self.builder.calls:
            write = _WRITERS.get(call.method)
            if call.method == "unsupported":
                unknown = call.arguments[0]
                assert isinstance(unknown, Unknown)
                self.sequence.append(Unbuilt(unknown, call.place, self.subject))
            elif write is not None:
                self._call(write, call)

    def _call(self, write: Callable[[TableCompiler, Sequence[Any]], str], call: TableCall) -> None:
        self._push(lambda: write(self, call.arguments), call.place)
        last = self.sequence[-1]
        if isinstance(last, Compiled) and not last.sql:
            self.sequence.pop()

    def _generated(self, columns: Value, suffix: str) -> str:
        for column in columns if isinstance(columns, list) else [columns]:
            known(column)
        return self.formatter.wrap(index_name(known(self.name), columns, suffix))

    def _name(self, given: Value, columns: Value, suffix: str) -> str:
        if truthy(known(given)):
            return self.formatter.wrap(given)
        return self._generated(known(columns), suffix)

    def primary(self, arguments: Sequence[Value]) -> str:
        if self.builder.action in ("create", "create if not exists"):
            return ""
        name, deferrable = self._primary_options(at(arguments, 1))
        columns = self.formatter.columnize(at(arguments, 0))
        return f"alter table {self.table_name()} add constraint {name} primary key ({columns}){deferrable}"

    def unique(self, arguments: Sequence[Value]) -> str:
        columns, name = at(arguments, 0), known(at(arguments, 1))
        deferrable: Value = UNDEFINED
        constraint: Value = True
        predicate: Value = UNDEFINED
        if isinstance(name, dict):
            options = name
            name = options.get("indexName", UNDEFINED)
            deferrable = known(options.get("deferrable", UNDEFINED))
            predicate = known(options.get("predicate", UNDEFINED))
            constraint = known(options.get("useConstraint", UNDEFINED))
            if constraint is UNDEFINED:
                constraint = truthy(deferrable) or not truthy(predicate)
        if not truthy(constraint) and truthy(deferrable) and deferrable != "not deferrable":
            raise thrown("postgres cannot create deferrable index")
        if truthy(constraint) and truthy(predicate):
            raise thrown("postgres cannot create constraint with predicate")
        index = self._name(name, columns, "unique")
        listed = self.formatter.columnize(columns)
        if truthy(constraint):
            return f"alter table {self.table_name()} add constraint {index} unique ({listed}){_deferrable(deferrable)}"
        return f"create unique index {index} on {self.table_name()} ({listed}){_predicate(predicate)}"

    def index(self, arguments: Sequence[Value]) -> str:
        columns, options = at(arguments, 0), known(at(arguments, 2))
        name = self._name(at(arguments, 1), columns, "index")
        method: Value = options if isinstance(options, str) else UNDEFINED
        kind: Value = UNDEFINED
        predicate: Value = UNDEFINED
        if isinstance(options, dict):
            method = known(options.get("storageEngineIndexType", UNDEFINED))
            kind = known(options.get("indexType", UNDEFINED))
            predicate = known(options.get("predicate", UNDEFINED))
        unique = " unique" if isinstance(kind, str) and kind.lower() == "unique" else ""
        using = f" using {text(method)}" if truthy(method) else ""
        listed = self.formatter.columnize(columns)
        return f"create{unique} index {name} on {self.table_name()}{using} ({listed}){_predicate(predicate)}"

    def foreign(self, arguments: Sequence[Value]) -> str:
        key = arguments[0]
        assert isinstance(key, ForeignKey)
        if not truthy(key.table) or not truthy(key.references):
            return ""
        name = self._name(key.name, key.columns, "foreign")
        column, references = self.formatter.columnize(key.columns), self.formatter.columnize(key.references)
        sql = f"alter table {self.table_name()} add constraint {name} foreign key ({column})"
        sql += f" references {self.formatter.wrap(key.table)} ({references})"
        if truthy(key.on_update):
            sql += f" on update {text(key.on_update)}"
        if truthy(key.on_delete):
            sql += f" on delete {text(key.on_delete)}"
        if truthy(key.deferrable):
            sql += f" deferrable initially {text(key.deferrable).lower()} "
        return sql

    def check(self, arguments: Sequence[Value]) -> str:
        table, name = self.table_name(), known(at(arguments, 2))
        if not truthy(name):
            self.checks += 1
            # Knex puts the quoted name of the table here, which PostgreSQL refuses.
            name = f"{table}_{self.checks}"
        return f"alter table {table} add constraint {text(name)} check({text(at(arguments, 0))})"

    def drop_checks(self, arguments: Sequence[Value]) -> str:
        names = known(at(arguments, 0))
        if names is UNDEFINED:
            return ""
        drops = ", ".join(f"drop constraint {text(n)}" for n in (names if isinstance(names, list) else [names]))
        return f"alter table {self.table_name()} {drops}"

    def drop_primary(self, arguments: Sequence[Value], condition: str = "") -> str:
        name = known(at(arguments, 0))
        wrapped = self.formatter.wrap(name if truthy(name) else f"{text(self.name)}_pkey")
        return f"alter table {self.table_name()} drop constraint {condition}{wrapped}"

    def drop_constraint(self, arguments: Sequence[Value], suffix: str, condition: str = "") -> str:
        name = self._name(at(arguments, 1), at(arguments, 0), suffix)
        return f"alter table {self.table_name()} drop constraint {condition}{name}"

    def drop_index(self, arguments: Sequence[Value]) -> str:
        name = self._name(at(arguments, 1), at(arguments, 0), "index")
        if truthy(self.schema):
            return f"drop index {self.formatter.wrap(known(self.schema))}.{name}"
        return f"drop index {name}"

    def drop_column(self, arguments: Sequence[Value]) -> str:
        columns = at(arguments, 0) if isinstance(at(arguments, 0), list) else list(arguments)
        drops = ", ".join(f"drop column {self.formatter.wrap(column)}" for column in columns)  # type: ignore[union-attr]
        return f"alter table {self.table_name()} {drops}"

    def rename_column(self, arguments: Sequence[Value]) -> str:
        old, new = (self.formatter.wrap(at(arguments, index)) for index in (0, 1))
        return f"alter table {self.table_name()} rename {old} to {new}"

    def set_nullable(self, arguments: Sequence[Value], change: str) -> str:
        return f"alter table {self.table_name()} alter column {self.formatter.wrap(at(arguments, 0))} {change} not null"


_WRITERS: Final[dict[str, Callable[[TableCompiler, Sequence[Any]], str]]] = {
    "primary": TableCompiler.primary,
    "unique": TableCompiler.unique,
    "index": TableCompiler.index,
    "foreign": TableCompiler.foreign,
    "check": TableCompiler.check,
    "dropChecks": TableCompiler.drop_checks,
    "dropPrimary": TableCompiler.drop_primary,
    "dropPrimaryIfExists": lambda table, given: table.drop_primary(given, "if exists "),
    "dropUnique": lambda table, given: table.drop_constraint(given, "unique"),
    "dropUniqueIfExists": lambda table, given: table.drop_constraint(given, "unique", "if exists "),
    "dropForeign": lambda table, given: table.drop_constraint(given, "foreign"),
    "dropForeignIfExists": lambda table, given: table.drop_constraint(given, "foreign", "if exists "),
    "dropIndex": TableCompiler.drop_index,
    "dropColumn": TableCompiler.drop_column,
    "renameColumn": TableCompiler.rename_column,
    "setNullable": lambda table, given: table.set_nullable(given, "drop"),
    "dropNullable": lambda table, given: table.set_nullable(given, "set"),
}


def _all_known(definitions: Sequence[str | UnresolvableError]) -> list[str]:
    written = []
    for definition in definitions:
        if isinstance(definition, UnresolvableError):
            raise definition
        written.append(definition)
    return written


def _deferrable(value: Value) -> str:
    return f" deferrable initially {text(known(value))}" if truthy(value) else ""


def _predicate(value: Value) -> str:
    """The condition of a partial index. Knex loses its bound values: only `whereNull`, `whereRaw`, … work."""
    if not truthy(value):
        return ""
    if not isinstance(value, QueryBuilder):
        raise unresolvable("the predicate of an index is no query")
    if value.unsupported is not None:
        raise UnresolvableError(value.unsupported)
    return f" {QueryCompiler(value, []).where()}"
