"""The line between Knex and the database: what is sent (`Query`), what comes back (`Answer`), and promises.

Nothing here knows SQL. A `Session` is whatever stands for the database: the replayed catalog, a recorder in a test, a
real server.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from remediate.evaluate.values import HostObject, Unknown, Value
from remediate.source.place import Place

Form: TypeAlias = Literal["builder", "raw", "query", "pool"]


@dataclass(frozen=True, slots=True)
class Subject:
    """The relation that a statement is about, for a statement whose text as a whole is not known.

    `name` is as it was given to Knex: not quoted, perhaps with a schema before a dot. `schema` is that of `withSchema`.
    "create others" has no name: it makes relations that no migration names, and leaves those of the migrations alone.
    Neither has "roles": it makes or changes roles and what they may do, and no relation.
    """

    action: Literal["create table", "alter table", "create view", "alter view", "create others", "roles"]
    name: str
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """One string that goes to PostgreSQL.

    `sql` has its bound values inlined as literals. It is `Unknown` where some part cannot be told; then `prepared`
    still holds the text when only bound values are unknown, and `subject` the relation when at least that is known.

    `prepared` is the text as it really goes over the wire, with `$1`, when values are bound; None when none are.
    PostgreSQL judges that text, not the inlined one: `SET x = $1` is a syntax error, several statements with bound
    values are refused (42601).

    `form` tells what sent it: a schema builder, `raw`, a query builder or a pg Pool. `transaction` is the id of the
    `knex.transaction` it runs in, None for the migration's own connection. `control` is true for what Knex sends by
    itself to begin and end such a transaction (`BEGIN;`, `SAVEPOINT trx2;`, `COMMIT;`, `ROLLBACK`, …). `wants_rows` is
    true when the caller sees the rows of the answer.
    """

    sql: str | Unknown
    place: Place
    form: Form
    transaction: str | None
    wants_rows: bool
    prepared: str | None = None
    subject: Subject | None = None
    control: bool = False


@dataclass(frozen=True, slots=True)
class SqlError:
    """PostgreSQL's refusal: its five-character code and its message. `detail` is there where a server said it."""

    code: str
    message: str
    detail: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `command` is the command tag's first word(s), as pg reports it (`SELECT`, `UPDATE`, …)."""

    rows: list[dict[str, Value]] | Unknown
    error: SqlError | None = None
    command: str | None = None
    row_count: int | Unknown = 0


class Session(Protocol):
    """Whatever stands for the database. `reads_rows`: it has been asked for rows of tables, which are hardly known."""

    reads_rows: bool

    def send(self, query: Query) -> Answer:
        """Takes one string of SQL, in the order in which the migration sends them."""
        ...

    def has_table(self, name: str, schema: str | None) -> bool | Unknown:
        """Whether `schema.hasTable` would say yes; `schema` None is the current schema."""
        ...

    def has_column(self, table: str, column: str, schema: str | None) -> bool | Unknown:
        """Whether `schema.hasColumn` would say yes; `schema` None is the current schema."""
        ...


class ThrownError(Exception):
    """A JavaScript value that was thrown: by Knex, because PostgreSQL refused a statement, or by the migration.

    `certain` is true for a `throw` of the migration itself that no condition stands before that cannot be told.
    """

    def __init__(self, value: Value, *, certain: bool = False) -> None:
        super().__init__(value.get("message") if isinstance(value, dict) else value)
        self.value = value
        self.certain = certain


def thrown(message: str, name: str = "Error") -> ThrownError:
    """The error that Knex throws by itself, before anything is sent."""
    return ThrownError({"name": name, "message": message})


def refused(error: SqlError, sql: str | Unknown) -> ThrownError:
    """The error that pg throws when PostgreSQL refused `sql`; Knex puts the statement before the message."""
    message = f"{sql} - {error.message}" if isinstance(sql, str) else error.message
    return ThrownError({"name": "error", "message": message, "code": error.code})


class Thenable(HostObject):
    """A promise or an un-executed builder; the interpreter executes it on await, return, `then` and `Promise.all`."""

    def execute(self) -> Value:
        """What `await` gives. A builder sends its statements each time; raises `ThrownError` where await throws."""
        raise NotImplementedError


class Settled(Thenable):
    """A promise of something that began when it was called, awaited or not: a transaction, a query of a pg Pool."""

    def __init__(self, value: Value = None, error: ThrownError | None = None) -> None:
        self.value = value
        self.error = error

    def execute(self) -> Value:
        if self.error is not None:
            raise self.error
        return self.value


def settle(value: Value) -> Value:
    """Awaits: executes thenables until something else comes out. The interpreter's own promises are `Thenable` too."""
    while isinstance(value, Thenable):
        value = value.execute()
    return value
