"""How a query builder is compiled to SQL."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from remediate.evaluate.knex.builder import Builder, Compiled, whole_answer
from remediate.evaluate.knex.clauses import Columns, Condition, Hints, Join, Order, Union, With
from remediate.evaluate.knex.conditions_sql import ConditionWriter
from remediate.evaluate.knex.formatter import Formatter, alias
from remediate.evaluate.knex.javascript import known, text, truthy
from remediate.evaluate.knex.method import is_function
from remediate.evaluate.knex.raw import RawBuilder, contains_undefined
from remediate.evaluate.knex.session import Answer, thrown
from remediate.evaluate.knex.where import members
from remediate.evaluate.knex.write_sql import WriteWriter
from remediate.evaluate.values import UNDEFINED, Unknown, Value

if TYPE_CHECKING:
    from remediate.evaluate.knex.query import QueryBuilder

_READS_ROWS = ("select", "first", "pluck", "columnInfo")


class QueryCompiler:
    """Compiles one builder; `bindings` is shared with the query that it is a part of."""

    def __init__(self, builder: QueryBuilder, bindings: list[Value]) -> None:
        self.builder = builder
        self.single = builder.single
        self.formatter = Formatter(builder.place, bindings)
        self.conditions = ConditionWriter(self.formatter)
        self.writes = WriteWriter(self)
        self.undefined: list[str] = []

    def clauses(self, kind: type[Any], grouping: str) -> list[Any]:
        """The clauses of one grouping, in the order in which they were added."""
        return [clause for clause in self.builder.clauses if isinstance(clause, kind) and clause.grouping == grouping]

    def compile(self, method: str | None = None) -> Compiled:
        """Raises `UnresolvableError`, and `ThrownError` where Knex throws."""
        self._refuse_without_effect()
        verb = method or self.builder.verb
        sql = self._by_verb(verb)
        if self.undefined:
            raise thrown(
                f"Undefined binding(s) detected when compiling {verb.upper()}. "
                f"Undefined column(s): [{', '.join(self.undefined)}] query: {sql}"
            )
        name = self.single.get("as", UNDEFINED) if verb in ("select", "first") else UNDEFINED
        wants_rows = verb in _READS_ROWS or truthy(self.single.get("returning"))
        return Compiled(sql, self.formatter.bindings, self.builder.place, verb, name, self._reader(verb), wants_rows)

    def _by_verb(self, verb: str) -> str:
        if verb in ("select", "first", "pluck"):
            return self.select()
        if verb == "where":
            return self.where()
        if verb == "columnInfo":
            return self._column_info()
        return self.writes.write(verb)

    def _refuse_without_effect(self) -> None:
        verb = {"del": "delete", "first": "select", "pluck": "select"}.get(self.builder.verb, self.builder.verb)
        invalid = {"delete": ("having", "limit"), "truncate": ("where", "having", "limit")}.get(verb, ())
        for clause in invalid:
            if self.clauses(Condition, clause) or self.single.get(clause) not in (None, UNDEFINED):
                raise thrown(f"Aborted query compilation: `{clause}` has no effect on a `{verb}` statement")

    @cached_property
    def table(self) -> str:
        """The table, written once, when it is first needed: its bindings stand there."""
        table, schema = known(self.single.get("table")), self.single.get("schema")
        if not truthy(table):
            return ""
        query = isinstance(table, Builder) and not isinstance(table, RawBuilder)
        if truthy(schema) and not isinstance(table, Builder) and not is_function(table):
            table = f"{text(schema)}.{text(table)}"
        return self.formatter.wrap(table, parameter=query)

    @property
    def only(self) -> str:
        return "only " if self.single.get("only") else ""

    def select(self) -> str:
        withs = self.withs()
        start = [self._comments(), self._columns(), self.joins(), self.where()]
        unions = self._unions()
        end = [
            self._groups("group"),
            self.conditions.all(self.clauses(Condition, "having"), "having"),
            self._groups("order"),
            self._limit(),
            self._offset(),
            self._lock(),
            str(self.single.get("wait", "")),
        ]
        if self._only_unions:
            tail = " ".join(part for part in [*start, *end] if part)
            return withs + unions + (f" {tail}" if tail else "")
        main = " ".join(part for part in start if part)
        if any(union.wrapped for union in self.clauses(Union, "union")):
            main = f"({main})"
        return withs + " ".join(part for part in [main, unions, *end] if part)

    def withs(self) -> str:
        clauses: list[With] = self.clauses(With, "with")
        if not clauses:
            return ""
        written = []
        for clause in clauses:
            query = self.formatter.raw_or_callback(clause.value)
            columns = f"({self.formatter.columnize(clause.columns)})" if truthy(clause.columns) else ""
            kept = {None: "", True: "materialized ", False: "not materialized "}[clause.materialized]
            if query:
                written.append(f"{self.formatter.columnize(clause.alias)}{columns} as {kept}({query})")
        recursive = "recursive " if any(clause.recursive for clause in clauses) else ""
        return f"with {recursive}{', '.join(written)} "

    def where(self) -> str:
        conditions: list[Condition] = self.clauses(Condition, "where")
        for condition in conditions:
            if condition.kind != "null" and contains_undefined(condition.value):
                self.undefined.append(text(condition.column))
        return self.conditions.all(conditions, "where")

    def joins(self) -> str:
        written = []
        for join in self.clauses(Join, "join"):
            if join.kind == "raw":
                written.append(self.formatter.unwrap(join.table))
                continue
            part = f"{join.kind} join {self.formatter.wrap(join_table(join))}"
            for index, condition in enumerate(join.conditions):
                glue = condition.glue if index else ("using" if condition.kind == "using" else "on")
                part += f" {glue} {self.conditions.one(condition)}"
            written.append(part)
        return " ".join(written)

    @cached_property
    def _only_unions(self) -> bool:
        columns = self.clauses(Columns, "columns")
        first_has_value = not columns or truthy(columns[0].value)
        return first_has_value and bool(self.clauses(Union, "union")) and not self.table

    def _comments(self) -> str:
        return " ".join(f"/* {comment} */" for comment in self.single.get("comments", ()))

    def _columns(self) -> str:
        if self._only_unions:
            return ""
        hints = " ".join(" ".join(filter(None, clause.value)) for clause in self.clauses(Hints, "hintComments"))
        distinct = ""
        written: list[str] = []
        columns: list[Columns] = self.clauses(Columns, "columns")
        for clause in columns:
            if clause.kind == "distinct on":
                distinct = f"distinct on ({self.formatter.columnize(clause.value)}) "
                continue
            if clause.distinct and clause.kind == "columns":
                distinct = "distinct "
            written.extend(self._column(clause))
        only_json = len(columns) == 1 and columns[0].kind == "json" and not self.table
        select = "" if only_json else "select "
        source = f" from {self.only}{self.table}" if self.table else ""
        return f"{select}{f'/*+ {hints} */ ' if hints else ''}{distinct}{', '.join(written or ['*'])}{source}"

    def _column(self, clause: Columns) -> list[str]:
        if clause.kind == "aggregate":
            return self._aggregate(clause)
        if clause.kind == "aggregate raw":
            return [f"{clause.method}({'distinct ' if clause.distinct else ''}{self.formatter.unwrap(clause.value)})"]
        if clause.kind == "json":
            return [self.writes.json_function(clause)]
        if isinstance(clause.value, list | str) and not clause.value:
            return []
        return [self.formatter.columnize(clause.value)]

    def _aggregate(self, clause: Columns) -> list[str]:
        wrap = self.formatter.wrap
        distinct = "distinct " if clause.distinct else ""

        def one(column: Value, name: Value) -> str:
            if isinstance(column, list):
                listed = ", ".join(wrap(item) for item in column)
                inner = f"distinct({listed})" if distinct else listed
            else:
                inner = distinct + wrap(column)
            written = f"{clause.method}({inner})"
            return alias(written, wrap(name)) if truthy(name) else written

        value = known(clause.value)
        if isinstance(value, list):
            return [one(value, UNDEFINED)]
        if isinstance(value, dict):
            return [one(column, name) for name, column in members(value)]
        column, name = text(value), clause.alias
        position = column.lower().find(" as ")
        if position != -1:
            column, name = column[:position], column[position + 4 :]
        return [one(column, name)]

    def _unions(self) -> str:
        written = []
        for index, union in enumerate(self.clauses(Union, "union")):
            part = f"{union.clause} " if index or not self._only_unions else ""
            if statement := self.formatter.raw_or_callback(union.value):
                part += f"({statement})" if union.wrapped else statement
            written.append(part)
        return " ".join(written)

    def _groups(self, grouping: str) -> str:
        written = []
        for item in self.clauses(Order, grouping):
            if isinstance(item.value, RawBuilder):
                part = self.formatter.unwrap(item.value)
            elif isinstance(item.value, Builder):
                part = f"({self.formatter.columnize(item.value)})"
            else:
                part = self.formatter.columnize(item.value)
            if grouping == "order" and not item.raw:
                part += f" {self.formatter.direction(item.direction)}"
            if truthy(item.nulls) and not isinstance(item.value, RawBuilder):
                part += f" nulls {text(item.nulls)}"
            written.append(part)
        return f"{grouping} by {', '.join(written)}" if written else ""

    def _limit(self) -> str:
        value = self.single.get("limit")
        return "" if value in (None, UNDEFINED) else f"limit {self._number('limit')}"

    def _offset(self) -> str:
        return f"offset {self._number('offset')}" if truthy(self.single.get("offset")) else ""

    def _number(self, name: str) -> str:
        value = self.single[name]
        return text(value) if self.single.get(f"{name} as text") else self.formatter.parameter(value)

    def _lock(self) -> str:
        mode = self.single.get("lock")
        if not mode:
            return ""
        tables = ", ".join(self.formatter.wrap(table) for table in self.single["lock tables"] if truthy(table))
        return f"{mode} of {tables}" if tables else str(mode)

    def _column_info(self) -> str:
        sql = "select * from information_schema.columns where table_name = ? and table_catalog = current_database()"
        self.formatter.bindings.append(self.single.get("table"))
        if truthy(self.single.get("schema")):
            self.formatter.bindings.append(self.single["schema"])
            return f"{sql} and table_schema = ?"
        return f"{sql} and table_schema = current_schema()"

    def _reader(self, verb: str) -> Callable[[Answer], Value]:
        """How Knex turns pg's answer into what `await` gives."""
        returning = truthy(self.single.get("returning"))
        pluck = self.single.get("pluck")

        def read(answer: Answer) -> Value:
            rows = answer.rows
            if verb == "columnInfo":
                return _column_information(rows, self.single.get("columnInfo"))
            if verb in ("select", "first", "pluck"):
                if isinstance(rows, Unknown):
                    return rows
                if verb == "first":
                    return rows[0] if rows else UNDEFINED
                if verb == "pluck" and isinstance(pluck, str):
                    return [row.get(pluck.rsplit(".", 1)[-1], UNDEFINED) for row in rows]
                return rows
            if returning:
                return rows
            if verb in ("update", "del"):
                return answer.row_count
            return whole_answer(answer)

        return read


def join_table(join: Join) -> Value:
    """The joined table, with the schema of the query before it."""
    if truthy(join.schema) and not isinstance(join.table, RawBuilder):
        return f"{text(join.schema)}.{text(known(join.table))}"
    return join.table


def _column_information(rows: list[dict[str, Value]] | Unknown, column: Value) -> Value:
    if isinstance(rows, Unknown):
        return rows
    described: dict[str, Value] = {}
    for row in rows:
        nullable = row.get("is_nullable", UNDEFINED)
        described[text(row.get("column_name", UNDEFINED))] = {
            "type": row.get("data_type", UNDEFINED),
            "maxLength": row.get("character_maximum_length", UNDEFINED),
            "nullable": nullable if isinstance(nullable, Unknown) else nullable == "YES",
            "defaultValue": row.get("column_default", UNDEFINED),
        }
    return described[column] if isinstance(column, str) and column in described else described
