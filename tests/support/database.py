"""A database for one test, and what tests do with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from remediate.postgres.database import connect
from remediate.postgres.server import Endpoint


@dataclass(frozen=True)
class Database:
    """A database on the session's server."""

    endpoint: Endpoint
    name: str

    def connect(self, user: str | None = None) -> psycopg.Connection[Any]:
        """A connection in autocommit mode; use it in a `with` block."""
        return connect(self.endpoint, self.name, user=user)

    def run(
        self, sql: str, parameters: Sequence[object] | None = None, *, user: str | None = None
    ) -> list[tuple[Any, ...]]:
        """Execute `sql` on a connection of its own; the rows of the last statement that gave any.

        Without parameters it may hold several statements; they share a transaction, as in psql's `-c`.
        """
        with self.connect(user) as connection, connection.cursor() as cursor:
            cursor.execute(sql.encode(), parameters)
            rows: list[tuple[Any, ...]] = []
            while True:
                if cursor.description is not None:
                    rows = cursor.fetchall()
                if not cursor.nextset():
                    return rows

    def value(self, sql: str, parameters: Sequence[object] | None = None, *, user: str | None = None) -> Any:
        """The single value of the single row that `sql` gives."""
        ((value,),) = self.run(sql, parameters, user=user)
        return value

    def refusal(self, sql: str, *, user: str | None = None) -> str | None:
        """The SQLSTATE that `sql` is refused with, or None if it runs."""
        try:
            self.run(sql, user=user)
        except psycopg.Error as error:
            return error.sqlstate or type(error).__name__
        return None


def load_history(database: Database, statements: Iterable[str]) -> list[tuple[str, str | None]]:
    """Execute each string on its own, as `--assume applied` does: what PostgreSQL refuses is skipped.

    Returns each string with the SQLSTATE that it was refused with, or None. A string is a transaction; one that leaves
    a transaction open is closed after it, so that a refusal never spoils what follows.
    """
    outcome: list[tuple[str, str | None]] = []
    with database.connect() as connection:
        for sql in statements:
            refusal = None
            try:
                connection.execute(sql.encode())
            except psycopg.Error as error:
                refusal = error.sqlstate or type(error).__name__
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.rollback()
            outcome.append((sql, refusal))
    return outcome


def seed_knex_migrations(
    database: Database, names: Iterable[str], *, table: str = "knex_migrations", schema: str | None = None
) -> None:
    """Make Knex's two tables as Knex makes them and record `names` as applied, all in batch 1, in that order."""
    qualified = psycopg.sql.Identifier(*([schema] if schema else []), table)
    lock = psycopg.sql.Identifier(*([schema] if schema else []), f"{table}_lock")
    with database.connect() as connection:
        connection.execute(
            psycopg.sql.SQL(
                "CREATE TABLE IF NOT EXISTS {} (id serial PRIMARY KEY, name varchar(255), batch integer,"
                " migration_time timestamptz)"
            ).format(qualified)
        )
        connection.execute(
            psycopg.sql.SQL("CREATE TABLE IF NOT EXISTS {} (index serial PRIMARY KEY, is_locked integer)").format(lock)
        )
        connection.execute(
            psycopg.sql.SQL("INSERT INTO {0} (is_locked) SELECT 0 WHERE NOT EXISTS (SELECT FROM {0})").format(lock)
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                psycopg.sql.SQL("INSERT INTO {} (name, batch, migration_time) VALUES (%s, 1, now())").format(qualified),
                [(name,) for name in names],
            )
