"""The database as a migration sees it while it is evaluated: replay answers, evaluate asks."""

from __future__ import annotations

from typing import Protocol

from remediate.evaluate.knex.session import Answer, Subject
from remediate.evaluate.model import Direction, Evaluation, Sent
from remediate.evaluate.values import Unknown
from remediate.source.model import MigrationSource
from remediate.source.place import Unresolved


class World(Protocol):
    """Whatever stands for the database. Every call comes in the order in which the migration would make it."""

    def execute(self, sent: Sent, wants_rows: bool) -> Answer:
        """Takes one SQL string and says what came back.

        `wants_rows` is true when the migration sees the rows. Rows that only data in tables would tell are
        `Unknown(…, about_data=True)`. An error in the answer is thrown into the migration.
        """
        ...

    def miss(self, unresolved: Unresolved, subject: Subject | None) -> None:
        """Hears of something that the migration may do to the database and that cannot be told.

        `subject` is the relation that it is about, when that is known; else it may be about anything.
        """
        ...

    def has_table(self, schema: str | None, name: str) -> bool | Unknown:
        """Whether `schema.hasTable(name)` would say yes now; `schema` None is the current schema."""
        ...

    def has_column(self, schema: str | None, table: str, column: str) -> bool | Unknown:
        """Whether `schema.hasColumn(table, column)` would say yes now; `schema` None is the current schema."""
        ...


class Evaluates(Protocol):
    """What replay asks of evaluate: one migration in one direction, against a world that answers it."""

    def evaluate(self, source: MigrationSource, direction: Direction, world: World) -> Evaluation: ...
