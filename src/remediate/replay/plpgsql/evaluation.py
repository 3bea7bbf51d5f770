"""Evaluates the expressions and queries of a PL/pgSQL block, as they are and as on a fresh database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from remediate.evaluate.values import Unknown
from remediate.replay.plpgsql.variables import Frames
from remediate.replay.questions.answer import run_select, select_node
from remediate.replay.questions.errors import NotUnderstood
from remediate.replay.questions.session import Caller, Session
from remediate.replay.questions.values import Record, Value
from remediate.replay.reading import CatalogReader
from remediate.sql.parse import Node


@dataclass(slots=True)
class Computed:
    """A value; `fresh` is what it is on a fresh database where `value` is unknown because of rows in tables."""

    type: str
    value: Value
    fresh: Value


@dataclass(slots=True)
class Found:
    """Rows, or why they are not known; `doubt` is the reason why another database may give other rows."""

    columns: list[tuple[str, str]]
    rows: list[tuple[Value, ...]] | Unknown
    doubt: str | None = None

    def record(self, row: Sequence[Value]) -> Record:
        names = tuple(name for name, _ in self.columns)
        return Record(names, tuple(kind for _, kind in self.columns), tuple(row))


class Evaluation:
    """Expressions and queries with the variables of `frames`; functions with effects go through `call`."""

    def __init__(self, frames: Frames, call: Caller, assign: Callable[[str, str, bool], None]) -> None:
        self.frames = frames
        self.call = call
        self.assign = assign
        self.called = False
        self._trees: dict[str, Node] = {}

    def _session(self, reader: CatalogReader, *, fresh: bool) -> Session:
        def call(function: object, values: tuple[Value, ...], types: tuple[str, ...]) -> Value:
            self.called = True
            return self.call(function, values, types)  # type: ignore[arg-type]

        def assign(name: str, value: str, local: bool) -> None:
            self.called = True
            self.assign(name, value, local)

        return Session(reader, self.frames, call, assign, tables_are_empty=fresh)

    def tree(self, text: str) -> Node:
        """The parsed SELECT. Raises `Refused` 42601 and `NotUnderstood`."""
        if text not in self._trees:
            self._trees[text] = select_node(text)
        return self._trees[text]

    def expression(self, text: str, reader: CatalogReader) -> Computed:
        """The value of an expression (anything that may stand behind SELECT and gives one row of one column)."""
        found, fresh = self._both(f"SELECT {text}", reader)
        kind = found.columns[0][1] if found.columns else "text"
        value = self._single(found)
        return Computed(kind, value, self._single(fresh) if fresh is not None else value)

    @staticmethod
    def _single(found: Found) -> Value:
        if isinstance(found.rows, Unknown):
            return found.rows
        return found.rows[0][0] if found.rows else None

    def query(self, node: str | Node, reader: CatalogReader) -> Found:
        """The rows of a query; where they depend on the rows of tables, those of a fresh database, and the doubt."""
        found, fresh = self._both(node, reader)
        doubt = _data_doubt(found)
        if fresh is not None and doubt is not None:
            fresh.doubt = doubt.reason
            return fresh
        return found

    def _both(self, node: str | Node, reader: CatalogReader) -> tuple[Found, Found | None]:
        self.called = False
        self.frames.fresh = False
        found = self._run(node, self._session(reader, fresh=False))
        if _data_doubt(found) is None or self.called:
            return found, None
        self.frames.fresh = True
        try:
            return found, self._run(node, self._session(reader, fresh=True))
        finally:
            self.frames.fresh = False

    def _run(self, node: str | Node, session: Session) -> Found:
        try:
            columns, rows = run_select(self.tree(node) if isinstance(node, str) else node, session)
        except NotUnderstood as error:
            return Found([], Unknown(f"the query uses {error.reason}"))
        doubt = next((reason for _, reason in rows if reason is not None), None)
        if doubt is not None:
            return Found(columns, doubt)
        return Found(columns, [row for row, _ in rows])


def _data_doubt(found: Found) -> Unknown | None:
    """Why rows of tables matter to what was found, if they do."""
    if isinstance(found.rows, Unknown):
        return found.rows if found.rows.about_data else None
    for row in found.rows:
        for value in row:
            if isinstance(value, Unknown) and value.about_data:
                return value
    return None
