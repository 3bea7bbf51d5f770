"""The second engine: the same strings on a real PostgreSQL, introspected into the same catalog. It is the judge.

What the static engine concludes, this one observes: `applied` and `fresh` as in `replay/engine.py`. A history runs as a
superuser in a database that is made for it and dropped after it, with the roles that it made. It runs with the rights
of the server's account, which is why what reaches out of the database by its text is left out, and why a history that
nobody trusts is no history for this engine.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from remediate.errors import RemediateError
from remediate.evaluate.knex.session import Answer, SqlError, Subject
from remediate.evaluate.model import Sent
from remediate.evaluate.values import Unknown
from remediate.evaluate.world import Evaluates
from remediate.postgres.database import (
    connect,
    create_database,
    drop_database,
    forget_role_settings,
    opened,
)
from remediate.postgres.extensions import UNPROVABLE
from remediate.postgres.host import Host
from remediate.postgres.introspect import introspect
from remediate.postgres.provenance import Provenance
from remediate.postgres.wire import TIMEOUT_SECONDS, Wire
from remediate.replay.catalog import Assumption, Origin, QName, Refusal, Replayed, UnknownEffect
from remediate.replay.engine import Told
from remediate.replay.outside import Outside, making_role, missing_role, taken_for_present
from remediate.replay.records import creation_of, record_tables, without_records
from remediate.replay.replay import replay_on
from remediate.source.model import Service
from remediate.source.place import Unresolved
from remediate.sql.parse import SqlSyntaxError, Statement, UnreadableSqlError, parse
from remediate.sql.quote import quote_identifier

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

_SUPERUSER = "postgres"
_CANCELED = "57014"
_NO_TRANSACTION = "25P01"
_CREATE_EXTENSION = re.compile(r'\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?"?([\w-]+)', re.IGNORECASE)
_REACHES_OUT = re.compile(
    r"\bprogram\s+(?:E?'|\$)|\balter\s+system\b|\b(?:create|drop)\s+(?:database|tablespace)\b|\blanguage\s+'?c\b"
    r"|\b(?:lo_import|lo_export|pg_read_(?:binary_)?file|pg_ls_dir|pg_terminate_backend)\s*\(",
    re.IGNORECASE,
)
_CREATE_ROLE = re.compile(r'\bcreate\s+(?:role|user|group)\s+"?(\w+)', re.IGNORECASE)
_OF_THE_SERVER = re.compile(
    r"\b(?:alter|drop|comment\s+on)\s+(?:role|user|group|database|tablespace)\b|\b(?:reassign|drop)\s+owned\b"
    r"|\bcopy\b[^;]*\b(?:to|from)\s+(?:E?'|\$)|\bdblink\w*\s*\(|\bgrant\s+(?:(?!\bon\b)[^;])*?\bto\b"
    r"|\brevoke\s+(?:(?!\bon\b)[^;])*?\bfrom\b|\bcreate\s+(?:subscription|publication|server)\b",
    re.IGNORECASE,
)
"""What a superuser's history could do to others on a server that is not ours."""
_MAKES_NOTHING = frozenset({"SET", "RESET", "BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "SHOW"})


Mend = Callable[[Wire, Sent, SqlError], bool]
"""Hears of a string that was refused, in a session outside of a transaction; True where it is worth another try."""


class PostgresEngine:
    """One database on a running server; a context manager, because it leaves nothing behind.

    `user` runs the migrations and owns what they make. `mend` may make what a string was refused for want of,
    `hint` is what to do where the server ends a session. Raises
    `RemediateError` where the driver is missing, and where the server ends a session.
    """

    def __init__(
        self, server: Host, database: str = "postgres", *, assume: Assumption = "applied", user: str = _SUPERUSER,
        mend: Mend | None = None, hint: str = "use --engine static",
    ) -> None:  # fmt: skip
        self.assume = assume
        self._mend = mend
        self._hint = hint
        self.told = Told()
        self.last_error: SqlError | None = None
        self.outside: Outside | None = None
        self._server = server
        self._label = database
        self._user = user
        self._failure: RemediateError | None = None
        self._named_roles: set[str] = set()
        self._database = create_database(server.endpoint, server.database_name(database))
        try:
            self._roles = self._present_roles()
            self._make_user()
            self._wire = Wire(server.endpoint, self._database, user, hint=hint)
            self._first_schema: list[str] = []
            self._records: set[QName] = set()
            self._provenance = Provenance(self._wire)
        except BaseException:
            with contextlib.suppress(RemediateError):
                drop_database(server.endpoint, self._database)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Drops the database, and the roles, which belong to the server."""
        self._wire.close()
        try:
            self._clean_up()
        except RemediateError:
            if error is None:
                raise

    def _clean_up(self) -> None:
        drop_database(self._server.endpoint, self._database)
        if self._server.is_own:
            forget_role_settings(self._server.endpoint)
        made = self._present_roles() - self._roles
        if not self._server.is_own:
            made &= self._named_roles  # somebody else may have made roles there meanwhile
        with connect(self._server.endpoint, self._server.endpoint.database) as connection:
            from psycopg import sql

            for role in sorted(made):
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))

    def _present_roles(self) -> set[str]:
        with connect(self._server.endpoint, self._server.endpoint.database) as connection:
            rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'").fetchall()
        return {name for (name,) in rows}

    def _make_user(self) -> None:
        if self._user in self._roles:
            return
        with connect(self._server.endpoint, self._server.endpoint.database) as connection:
            import psycopg
            from psycopg import sql

            try:
                connection.execute(
                    sql.SQL("CREATE ROLE {} SUPERUSER BYPASSRLS LOGIN").format(sql.Identifier(self._user))
                )
            except psycopg.Error as error:
                message = error.diag.message_primary or str(error)
                raise RemediateError(message, place="roles.migration", hint="name another role there") from error

    # The World of evaluate.

    def execute(self, sent: Sent, wants_rows: bool) -> Answer:
        """Sends one string; see `replay/engine.py` for what becomes of errors."""
        if sent.control and self.assume == "applied":
            return Answer([], command="BEGIN")
        if self._failure is not None:
            return Answer(Unknown(self._failure.cause, sent.place))
        try:
            return self._execute(sent, wants_rows)
        except RemediateError as failure:
            # Evaluation takes whatever is raised for a fault of its own; `finish` raises this one.
            self._failure = failure
            return Answer(Unknown(failure.cause, sent.place))

    def miss(self, unresolved: Unresolved, subject: Subject | None) -> None:
        self.told.unresolved[unresolved] = None
        if subject is not None and subject.action in ("create others", "roles"):
            return
        subjects: tuple[QName, ...] = ()
        if subject is not None:
            schema, _, name = subject.name.rpartition(".")
            subjects = (QName(subject.schema or schema or "public", name),)
        self.told.unknown_effects.append(
            UnknownEffect(unresolved.place, unresolved.service, unresolved.reason, subjects)
        )

    def has_table(self, schema: str | None, name: str) -> bool | Unknown:
        """As Knex asks it (knex/lib/dialects/postgres/schema/pg-compiler.js)."""
        where = "table_schema = current_schema()" if schema is None else "table_schema = $2"
        values = [name] if schema is None else [name, schema]
        return bool(self._ask(f"SELECT 1 FROM information_schema.tables WHERE table_name = $1 AND {where}", values))

    def has_column(self, schema: str | None, table: str, column: str) -> bool | Unknown:
        where = "table_schema = current_schema()" if schema is None else "table_schema = $3"
        values = [table, column] if schema is None else [table, column, schema]
        condition = f"table_name = $1 AND column_name = $2 AND {where}"
        return bool(self._ask(f"SELECT 1 FROM information_schema.columns WHERE {condition}", values))

    def _ask(self, sql: str, values: Sequence[str]) -> bool:
        return self._failure is None and bool(self._wire.ask(sql, values))

    # What Knex's migrator does around the files.

    def begin_session(self, search_path: Sequence[str] = ()) -> None:
        self._wire.close()
        self._wire = Wire(self._server.endpoint, self._database, self._user, hint=self._hint)
        if search_path:
            self._wire.send(f"SET search_path TO {', '.join(map(quote_identifier, search_path))}")
        self._first_schema = self._schemas()[:1]

    def keep_records(self, schema: str | None, table: str) -> None:
        schema = schema or next(iter(self._first_schema), "public")
        self._records |= set(record_tables(schema, table))
        self._wire.send(creation_of(schema, table))

    def begin(self) -> None:
        self._wire.send("BEGIN")

    def commit(self) -> None:
        self._wire.send("COMMIT")

    def finds_records(self) -> bool:
        return set(self._first_schema) <= set(self._schemas())

    def _schemas(self) -> list[str]:
        rows = self._wire.ask("SELECT unnest(current_schemas(false))::text AS name", [])
        return [row["name"] for row in rows]

    def roll_back(self) -> None:
        self._wire.send("ROLLBACK")

    @property
    def database(self) -> str:
        """The database that it runs in; it is there until the engine is left."""
        return self._database

    @property
    def aborted(self) -> bool:
        return self._failure is None and self._wire.aborted

    def finish(self) -> Replayed:
        """Reads the catalog. `data_changes` and `functions`, the versions that were replaced, stay empty: a server
        remembers neither."""
        if self._failure is not None:
            raise self._failure
        self._wire.close()
        with opened(self._server.endpoint, self._database) as connection:
            catalog = introspect(connection)
            connection.execute("SET search_path = pg_catalog")
            catalog = without_records(self._provenance.attribute(catalog, connection), self._records)
            self._drop_records(connection)
        # Of the server's own roles only the one that ran the migrations is part of their world.
        for name in self._roles - {self._user}:
            if isinstance(catalog.roles, dict):
                catalog.roles.pop(name, None)
        return self.told.replayed(self._label, catalog)

    def _drop_records(self, connection: Connection[TupleRow]) -> None:
        """Whoever goes on with the database finds the schema in it; a table that a view stands on has to stay."""
        import psycopg
        from psycopg import sql

        for name in sorted(self._records):
            with contextlib.suppress(psycopg.Error):
                connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(*name)))

    # One string.

    def _execute(self, sent: Sent, wants_rows: bool) -> Answer:
        self._count(sent)
        refused = self._judge_prepared(sent)
        while refused is not None and self._mended(sent, refused):
            refused = self._judge_prepared(sent)
        if refused is not None:
            if self._wire.in_transaction:
                self._wire.send("SELECT 1/0")  # any refusal aborts the transaction; Parse and Bind alone have not
            return self._refused(sent, refused, 0)
        if sent.unknown_values is not None:
            unknown = Unknown(sent.unknown_values, sent.place, True)
            return Answer(unknown, row_count=unknown)
        reason = self._reaches_out(sent.sql)
        if reason:
            self._tell_unknown(sent, reason)
            return Answer([])
        self._stand_in(sent)
        reply = self._wire.send(sent.sql, wants_rows=wants_rows)
        while reply.error is not None and self._mended(sent, reply.error):
            reply = self._wire.send(sent.sql, wants_rows=wants_rows)
        if self.assume == "applied" and self._wire.in_transaction:
            self._wire.send("ROLLBACK" if self._wire.aborted else "COMMIT")
        if reply.command not in _MAKES_NOTHING and not self._wire.aborted:
            self._provenance.note(self._wire, self._origin(sent, None, "create"))
        if reply.error is not None:
            if self._takes_for_present(sent, reply.error, reply.done):
                return self._execute(sent, wants_rows)
            return self._refused(sent, reply.error, reply.done)
        return Answer(reply.rows, command=reply.command, row_count=reply.row_count)

    def _mended(self, sent: Sent, error: SqlError) -> bool:
        if self._mend is None or self.assume != "applied":
            return False
        if self._wire.in_transaction:  # one that the string itself has begun
            self._wire.send("ROLLBACK")
        return self._mend(self._wire, sent, error)

    def _reaches_out(self, sql: str) -> str:
        """Why a string is not run: what it would do outside of its database."""
        if _REACHES_OUT.search(sql):
            return "a string that reaches out of its database is not run"
        if self._server.is_own:
            return ""
        if _OF_THE_SERVER.search(sql):
            return "a string that changes what belongs to the whole server, or its files, is not run on your server"
        if names := _CREATE_ROLE.findall(sql):
            if not self._server.may_make_roles:
                return "a string that makes a role is not run on your server without --create-roles"
            self._named_roles.update(names)
        return ""

    def _judge_prepared(self, sent: Sent) -> SqlError | None:
        """What the extended protocol refuses of a string with bound values, before it runs with the values in it."""
        if sent.prepared is None:
            return None
        said = self._wire.prepare(sent.prepared)
        if isinstance(said, SqlError):
            return said
        if said == 0 and "$1" in sent.prepared:
            return SqlError("08P01", "bind message supplies parameters, but prepared statement requires 0")
        return None

    def _stand_in(self, sent: Sent) -> None:
        """An empty extension in the place of each that is not there, so that what only asks for it goes on."""
        for name in _CREATE_EXTENSION.findall(sent.sql):
            available = "SELECT 1 FROM pg_catalog.pg_available_extensions WHERE name = $1"
            known = name in self._server.stood_in  # for another database, which has told it as well
            if self._wire.aborted or (not known and self._wire.ask(available, [name])):
                continue
            if known or self._server.stand_in(name):
                self._tell_unknown(sent, f"the extension {name} is not installed here: an empty one stands in for it")

    def _takes_for_present(self, sent: Sent, error: SqlError, done: int) -> bool:
        """Makes the role that is missing, where somebody other than the migrations has made it."""
        if self.assume != "applied" or sent.gap is not None or self.outside is None:
            return False
        statements = _statements(sent)
        kind = statements[done].kind if done < len(statements) else None
        role = missing_role(error.code, error.message, kind)
        if role is None or not self.outside.has_role(role, self._present_roles()):
            return False
        counted = dict(self.told.statements)
        self.execute(making_role(role, sent), False)
        self.told.statements = {**counted, sent.place.file: counted[sent.place.file] - max(len(statements), 1)}
        self.told.assumptions[Unresolved(sent.service, sent.place, taken_for_present("role", role))] = None
        return role in self._present_roles()

    def _refused(self, sent: Sent, error: SqlError, done: int) -> Answer:
        if error.code == _NO_TRANSACTION and self.assume == "applied":
            # A savepoint, a lock, a cursor: it stands in the transaction of its migration, which is taken apart here.
            return Answer([], command=None)
        if error.code == _CANCELED and not error.message.startswith("COPY"):
            self._tell_unknown(sent, f"a string that was stopped after {TIMEOUT_SECONDS} s: {error.message}")
        elif error.message.startswith(UNPROVABLE):
            self._tell_unknown(sent, error.message)
        elif sent.gap is not None:
            self._tell_unknown(sent, f"{error.message}, unless something that is not known made it: {sent.gap}")
        else:
            origin = self._origin(sent, done, "refused")
            self.told.refusals.append(Refusal(origin, error.code, error.message))
        if self.assume == "applied":
            return Answer([], command=None)
        self.last_error = error
        return Answer([], error=error)

    # What is told.

    def _count(self, sent: Sent) -> None:
        file = sent.place.file
        self.told.statements[file] = self.told.statements.get(file, 0) + max(len(_statements(sent)), 1)

    def _origin(self, sent: Sent, done: int | None, verb: str) -> Origin:
        """`done` is the number of the statement in the string that it is about, None for the whole string."""
        statements = _statements(sent) if done is not None else []
        statement = statements[done] if done is not None and done < len(statements) else None
        text, offset = (statement.text, statement.offset) if statement is not None else (sent.sql.strip(), 0)
        return Origin(
            sent.service, sent.migration, sent.place, verb, text, sent.conditional, sent.direction, offset,
            sent.template,
        )  # fmt: skip

    def _tell_unknown(self, sent: Sent, reason: str) -> None:
        self.told.unresolved[Unresolved(sent.service, sent.place, reason)] = None
        self.told.unknown_effects.append(UnknownEffect(sent.place, sent.service, reason))


def replay_on_server(
    server: Host, services: Sequence[Service], evaluator: Evaluates, *, assume: Assumption, user: str = _SUPERUSER
) -> Replayed:
    """What `replay` gives, observed on a running server; nothing of it stays there."""
    database = services[0].database if services else _SUPERUSER
    with PostgresEngine(server, database, assume=assume, user=user) as engine:
        return replay_on(engine, services, evaluator)


def _statements(sent: Sent) -> list[Statement]:
    try:
        return parse(sent.sql)
    except (SqlSyntaxError, UnreadableSqlError):
        return []
