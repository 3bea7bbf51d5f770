"""How insert, update, delete, truncate and the json functions are compiled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from remediate.evaluate.knex.clauses import Columns, Condition, Join
from remediate.evaluate.knex.formatter import alias
from remediate.evaluate.knex.javascript import UnresolvableError, because, keys, known, text, truthy, unresolvable
from remediate.evaluate.knex.raw import RawBuilder
from remediate.evaluate.knex.session import thrown
from remediate.evaluate.values import UNDEFINED, Unknown, Value

if TYPE_CHECKING:
    from remediate.evaluate.knex.query_sql import QueryCompiler


class WriteWriter:
    """The changing statements of one query compiler."""

    def __init__(self, compiler: QueryCompiler) -> None:
        self.compiler = compiler
        self.single = compiler.single
        self.formatter = compiler.formatter

    def write(self, verb: str) -> str:
        """The statement of one of Knex's verbs."""
        if verb == "insert":
            return self._insert()
        if verb == "update":
            return self._update()
        if verb == "del":
            return self._delete()
        if verb == "truncate":
            return f"truncate {self.compiler.table} restart identity"
        raise unresolvable(f"a query of the kind {verb} is not supported", self.formatter.place)

    def _insert(self) -> str:
        given = self.single.get("insert")
        values: Value = given if truthy(given) else []
        sql = f"{self.compiler.withs()}insert into {self.compiler.table} "
        body = self._insert_body(values)
        if not body:
            return ""
        sql += body
        conflict, merge = self.single.get("onConflict"), self.single.get("merge")
        if truthy(conflict) and self.single.get("ignore"):
            sql += (
                " on conflict do nothing" if conflict is True else f" on conflict {self._target(conflict)} do nothing"
            )
        if truthy(conflict) and merge is not None:
            sql += f" on conflict {self._target(conflict)} do update set {self._merge(merge[0], values)}"
            if wheres := self.compiler.where():
                sql += f" {wheres}"
        return sql + self._returning()

    def _insert_body(self, values: Value) -> str:
        if values == []:
            return ""
        if values == {}:
            return "default values"
        prepared = self._rows(values)
        if isinstance(prepared, str):
            return prepared
        columns, rows = prepared
        if columns:
            # A key that a row does not have is `DEFAULT` there.
            default = RawBuilder(None, None, self.formatter.place, "DEFAULT")
            names = self.formatter.columnize(list(columns))
            written = "), (".join(self.formatter.parameterize(row, default) for row in rows)
            return f"({names}) values ({written})"
        return "default values" if isinstance(values, list) and len(values) == 1 and truthy(values[0]) else ""

    def _rows(self, data: Value) -> str | tuple[list[str], list[list[Value]]]:
        """The columns, sorted, and the rows in their order; the text itself when a query is inserted."""
        if raw := self.formatter.raw_or_callback(data):
            return raw
        rows: list[dict[str, Any]] = []
        for row in data if isinstance(data, list) else [data]:
            if row is None or row is UNDEFINED:
                break
            known(row)
            if not isinstance(row, dict):
                raise unresolvable("a row that is inserted is no plain object", self.formatter.place)
            rows.append(row)
        columns = sorted({key for row in rows for key in row})
        return columns, [[row.get(column, UNDEFINED) for column in columns] for row in rows]

    def _target(self, columns: Value) -> str:
        if isinstance(columns, RawBuilder):
            return self.formatter.wrap(columns)
        return f"({self.formatter.columnize(columns)})"

    def _merge(self, updates: Value, inserted: Value) -> str:
        known(updates)
        if isinstance(updates, dict):
            return ",".join(self._changes(updates))
        if isinstance(updates, list):
            columns = [text(column) for column in updates]
        else:
            prepared = self._rows(inserted)
            if isinstance(prepared, str):
                raise thrown("If using merge with a raw insert query, then updates must be provided")
            columns = prepared[0]
        names = [self.formatter.wrap_string(column.split(".")[-1]) for column in columns]
        return ", ".join(f"{name} = excluded.{name}" for name in names)

    def _update(self) -> str:
        unknown = self.single.get("unknown update")
        if isinstance(unknown, Unknown):
            raise UnresolvableError(because("what is updated is not known", unknown))
        withs = self.compiler.withs()
        changes = self._changes(self.single.get("update", {}))
        source = self.single.get("updateFrom")
        origin = f" from {self.formatter.wrap(source)}" if truthy(source) else ""
        wheres = self.compiler.where()
        return (
            f"{withs}update {self.compiler.only}{self.compiler.table} set {', '.join(changes)}{origin}"
            + (f" {wheres}" if wheres else "")
            + self._returning()
        )

    def _changes(self, data: dict[str, Any]) -> list[str]:
        changed = dict(data)
        for column, amount in self.single.get("counter", {}).items():
            if column in changed:
                continue
            negative = not isinstance(amount, Unknown) and amount < 0
            sign, size = ("-", -amount) if negative else ("+", amount)
            changed[column] = RawBuilder(None, None, self.formatter.place, f"?? {sign} ?", [column, size])
        written = [
            f"{self.formatter.wrap(column)} = {self.formatter.parameter(changed[column])}"
            for column in keys(changed)
            if changed[column] is not UNDEFINED
        ]
        if not written:
            table, changes = self.single.get("table"), self.single.get("update")
            raise thrown(
                "Empty .update() call detected! Update data does not contain any values to update."
                " This will result in a faulty query."
                + (f" Table: {text(table)}." if truthy(table) else " ")
                + (f" Columns: {','.join(keys(changes))}." if isinstance(changes, dict) else " ")
            )
        return written

    def _delete(self) -> str:
        from remediate.evaluate.knex.query_sql import join_table

        table = self.compiler.table
        withs = self.compiler.withs()
        using = self._using()
        joins: list[Join] = self.compiler.clauses(Join, "join")
        tables = ",".join(self.formatter.wrap(join_table(join)) for join in joins)
        if tables:
            using += ("," if using else "using ") + tables
        wheres = self.compiler.where()
        joined = [
            self.compiler.conditions.one(
                Condition("where", "basic", condition.column, "=", condition.value, as_column=True)
            )
            for join in joins
            for condition in join.conditions
        ]
        if joined:
            wheres += (" and " if wheres else "where ") + " and ".join(joined)
        sql = f"{withs}delete from {self.compiler.only}{table}"
        return sql + "".join(f" {part}" for part in (using, wheres) if part) + self._returning()

    def _using(self) -> str:
        tables = self.single.get("using")
        if not truthy(tables):
            return ""
        if isinstance(tables, list):
            return "using " + ",".join(self.formatter.wrap(table) for table in tables)
        return f"using {self.formatter.wrap(tables)}"

    def _returning(self) -> str:
        returning = self.single.get("returning")
        return f" returning {self.formatter.columnize(returning)}" if truthy(returning) else ""

    def json_function(self, clause: Columns) -> str:
        """`jsonExtract`, `jsonSet`, `jsonInsert` and `jsonRemove` in a select list."""
        given = clause.parameters
        if clause.method == "jsonExtract":
            several = given["column"] if isinstance(given["column"], list) else None
            extractions = several or [[given["column"], given["path"], given["alias"]]]
            return ", ".join(self._extraction(extraction) for extraction in extractions)
        path = _postgres_path(text(known(given["path"])))
        column = self.formatter.columnize(given["column"])
        if clause.method == "jsonRemove":
            sql = f"{column} #- {self.formatter.parameter(path)}"
        else:
            function = "jsonb_set" if clause.method == "jsonSet" else "jsonb_insert"
            sql = f"{function}({column}, {self.formatter.parameter(path)}, {self.formatter.parameter(given['value'])})"
        return alias(sql, self.formatter.wrap(given["alias"])) if truthy(given["alias"]) else sql

    def _extraction(self, extraction: Value) -> str:
        if not isinstance(extraction, list):
            raise unresolvable("what is extracted from json is not known", self.formatter.place)
        column, path, name = (*extraction, UNDEFINED, UNDEFINED)[:3]
        sql = f"jsonb_path_query({self.formatter.columnize(column)}, {self.formatter.parameter(path)})"
        return alias(sql, self.formatter.wrap(name)) if truthy(name) else sql


def _postgres_path(path: str) -> str:
    """A JSON path as PostgreSQL's text array, as far as Knex translates it."""
    if re.fullmatch(r"{.*}", path):
        return path
    path = re.sub(r"^(\$\.)", "", path).replace(".", ",", 1)
    return "{" + re.sub(r"\[([0-9]+)]", r",\1", path, count=1) + "}"
