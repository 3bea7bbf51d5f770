"""A tree of files in memory, a database that only writes down what it is sent, and short ways to evaluate a text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from remediate.evaluate.evaluate import Evaluator
from remediate.evaluate.knex.session import Answer, SqlError, Subject
from remediate.evaluate.limits import Limits
from remediate.evaluate.model import Direction, Evaluation, Sent
from remediate.evaluate.values import Unknown
from remediate.source.model import MigrationSource
from remediate.source.place import Unresolved


class MemoryTree:
    """Files by path."""

    label = "memory"

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self.contents = {
            PurePosixPath(path): text.encode() if isinstance(text, str) else text for path, text in files.items()
        }

    def files(self) -> Iterator[PurePosixPath]:
        return iter(sorted(self.contents))

    def read(self, path: PurePosixPath) -> bytes:
        if path not in self.contents:
            raise FileNotFoundError(2, "No such file or directory")
        return self.contents[path]


class RecordingWorld:
    """A database that answers what a test tells it: tables that exist, rows by a part of the SQL, refusals."""

    def __init__(
        self,
        tables: Mapping[str, tuple[str, ...]] | None = None,
        rows: Mapping[str, list[dict[str, Any]] | Unknown] | None = None,
        refuse: str | None = None,
    ) -> None:
        self.tables = tables or {}
        self.rows = rows or {}
        self.refuse = refuse
        self.sent: list[Sent] = []
        self.missed: list[tuple[Unresolved, Subject | None]] = []

    def execute(self, sent: Sent, wants_rows: bool) -> Answer:
        self.sent.append(sent)
        if self.refuse is not None and self.refuse in sent.sql:
            return Answer(rows=[], error=SqlError("42P01", "relation does not exist"))
        for part, rows in self.rows.items():
            if part in sent.sql:
                return Answer(rows=rows, row_count=0 if isinstance(rows, Unknown) else len(rows))
        return Answer(rows=Unknown("rows of a table", sent.place, True) if wants_rows else [])

    def miss(self, unresolved: Unresolved, subject: Subject | None) -> None:
        self.missed.append((unresolved, subject))

    def has_table(self, schema: str | None, name: str) -> bool | Unknown:
        return name in self.tables

    def has_column(self, schema: str | None, table: str, column: str) -> bool | Unknown:
        return column in self.tables.get(table, ())


def run(
    text: str | bytes,
    world: RecordingWorld | None = None,
    *,
    files: Mapping[str, str | bytes] | None = None,
    name: str = "001_test.ts",
    direction: Direction = "up",
    limits: Limits | None = None,
    environment: Mapping[str, str] | None = None,
) -> Evaluation:
    """Evaluates one migration that stands at `service/migrations/`."""
    path = f"service/migrations/{name}"
    data = text.encode() if isinstance(text, str) else text
    tree = MemoryTree({**(files or {}), path: data})
    source = MigrationSource("service", path, "service/migrations", name, data)
    evaluator = Evaluator(tree, limits=limits, environment=environment)
    return evaluator.evaluate(source, direction, world or RecordingWorld())


def in_up(body: str) -> str:
    """A migration with this body."""
    return f"import type {{ Knex }} from 'knex';\nexport async function up(knex: Knex): Promise<void> {{\n{body}\n}}\n"


def value_of(expression: str) -> object:
    """The value of an expression, in the form in which the tests compare it with Node's."""
    from remediate.evaluate.values import UNDEFINED

    found: list[Any] = []

    class Listener(RecordingWorld):
        def has_table(self, schema: str | None, name: Any) -> bool | Unknown:
            return False

    body = f"const value = ({expression});\nresult.value = value;"
    text = f"export const result: any = {{}};\nexport async function up(knex) {{\n{body}\n}}\n"
    from remediate.evaluate import evaluate as stage

    data = text.encode()
    path = "service/migrations/1.js"
    source = MigrationSource("service", path, "service/migrations", "1.js", data)
    running = stage._Run(Evaluator(MemoryTree({path: data})), source, "up", Listener())
    running.run()
    if running.thrown is not None:
        return {"thrown": running.thrown}
    result: Any = running.modules.loaded[path].get("result", running.place)
    value = result["value"]
    found.append(value)
    if value is UNDEFINED:
        return {"undefined": True}
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    return {"value": _plain(value)}


def _plain(value: Any) -> Any:
    """As JSON would carry it."""
    from remediate.evaluate.values import UNDEFINED

    if isinstance(value, Unknown):
        return f"unknown: {value.reason}"
    if isinstance(value, list):
        return [None if item is UNDEFINED else _plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not UNDEFINED}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
