"""A session that records what is sent and answers like the fake connection of `runtime.cjs`."""

from __future__ import annotations

from remediate.evaluate.knex import Answer, Query, SqlError
from remediate.evaluate.values import Unknown


class Recorder:
    """`tables` and `columns` are what `hasTable` and `hasColumn` find."""

    reads_rows = False

    def __init__(self, tables: tuple[str, ...] = (), columns: tuple[str, ...] = ()) -> None:
        self.queries: list[Query] = []
        self.tables = tables
        self.columns = columns

    @property
    def sent(self) -> list[str]:
        return [query.sql if isinstance(query.sql, str) else f"unknown: {query.sql.reason}" for query in self.queries]

    def send(self, query: Query) -> Answer:
        self.queries.append(query)
        if isinstance(query.sql, Unknown):
            return Answer(query.sql)
        if "fail" in query.sql:
            return Answer([], SqlError("42601", "refused"))
        return Answer([{"a": 1, "b": 2}], None, query.sql.split(" ")[0].upper(), 1)

    def has_table(self, name: str, schema: str | None) -> bool | Unknown:
        return (f"{schema}.{name}" if schema else name) in self.tables

    def has_column(self, table: str, column: str, schema: str | None) -> bool | Unknown:
        return f"{table}.{column}" in self.columns
