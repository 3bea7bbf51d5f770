"""One emitted file, run on a server as Knex would run it, and watched by a second session.

The text of the file is evaluated by the interpreter that reads migrations, with the server as its world: what is tried
is what is written, and none of it is executed as JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from remediate.errors import RemediateError
from remediate.evaluate.evaluate import Evaluator
from remediate.evaluate.knex.session import Answer, SqlError, Subject
from remediate.evaluate.model import Direction, Sent
from remediate.evaluate.values import Unknown
from remediate.plan.operations import Lock
from remediate.postgres.extensions import UNPROVABLE
from remediate.postgres.wire import Wire
from remediate.prove.model import Observed, Remark
from remediate.replay.catalog import QName
from remediate.source.model import MigrationSource
from remediate.source.place import Place, Unresolved
from remediate.sql.quote import Literal

_LOCKS = """
SELECT n.nspname, c.relname, mode FROM pg_catalog.pg_locks
JOIN pg_catalog.pg_class AS c ON c.oid = relation JOIN pg_catalog.pg_namespace AS n ON n.oid = relnamespace
WHERE pid = {pid} AND granted AND locktype = 'relation' AND c.oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm')
    AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
    AND n.nspname !~ '^pg_' ORDER BY 1, 2, 3"""
_CONCURRENTLY = re.compile(r"\bconcurrently\b", re.IGNORECASE)
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Step:
    """One string that was sent, and the relations that it locked. `text` is as Knex sends it, with `$1` for values."""

    sql: str
    text: str
    place: Place
    control: bool = False
    locks: tuple[Lock, ...] = ()


@dataclass(slots=True)
class Run:
    """What came of one direction of a file. `problem` is what stopped it; `unprovable`: only here, for lack of an
    extension. `unseen` are strings whose locks nobody could watch."""

    steps: list[Step] = field(default_factory=list)
    problem: Remark | None = None
    unprovable: bool = False
    unseen: list[Remark] = field(default_factory=list)
    left: list[Remark] = field(default_factory=list)

    @property
    def locks(self) -> tuple[Observed, ...]:
        """Every lock once, where it was first taken."""
        found: dict[Lock, Observed] = {}
        for step in self.steps:
            for lock in step.locks:
                found.setdefault(lock, Observed(lock, step.place))
        return tuple(found.values())

    def place_of(self, table: QName, pattern: str = "") -> Place | None:
        """The line of the first string that locks a table (and whose text matches), reads left aside."""
        for step in self.steps:
            taken = [lock for lock in step.locks if lock.relation == table and lock.mode != "ACCESS SHARE"]
            if taken and re.search(pattern, step.sql, re.IGNORECASE):
                return step.place
        return self.place_of(table) if pattern else None


_STATE = """
SELECT name, setting FROM pg_catalog.pg_settings
WHERE context IN ('user', 'superuser') AND name !~ '^transaction_' AND name <> 'role'
UNION ALL SELECT name, pg_catalog.current_setting(name, true) FROM pg_catalog.unnest(ARRAY[{names}]::text[]) AS name
UNION ALL SELECT 'an advisory lock', pg_catalog.count(*)::text FROM pg_catalog.pg_locks
WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()
UNION ALL SELECT 'role', current_user::text"""


_LOCK = "an advisory lock"


def _state_of(wire: Wire, settings: Sequence[str]) -> dict[str, str | None]:
    rows = wire.query(_STATE.format(names=", ".join(Literal(name).sql() for name in settings)))
    return {str(name): value or None for name, value in rows}


def _left(before: dict[str, str | None], now: dict[str, str | None], where: str, run: Run) -> list[Remark]:
    remarks = []
    for name, value in now.items():
        if name in before and value != before[name]:  # PL/pgSQL brings settings of its own when it is first used
            pattern = "advisory" if name == _LOCK else rf"\b{re.escape(name)}\b"
            place = next(
                (step.place for step in reversed(run.steps) if re.search(pattern, step.sql, re.IGNORECASE)), None
            )
            what = name if name == _LOCK else f"{name} at {value or ''!r}"
            remarks.append(Remark(f"leaves {what} in {where}", place))
    return remarks


class LiveWorld:
    """The database as an emitted file sees it while it runs (evaluate's `World`), in one session of a server."""

    def __init__(self, wire: Wire, observer: Wire, run: Run) -> None:
        self._wire = wire
        self._observer = observer
        self._run = run
        self._held: set[Lock] = set()
        self.failure: RemediateError | None = None
        """What ended the session; evaluation would take it for a fault of its own."""

    def execute(self, sent: Sent, wants_rows: bool) -> Answer:
        """Sends one string. What it locks is read while its transaction is open; one that has none gets one."""
        if self.failure is None:
            try:
                return self._execute(sent, wants_rows)
            except RemediateError as failure:
                self.failure = failure
        return Answer(Unknown(self.failure.cause, sent.place))

    def _execute(self, sent: Sent, wants_rows: bool) -> Answer:
        unknown = sent.unknown_values or sent.gap
        if unknown is not None:
            self._stop(f"its text is not known: {unknown}", sent.place)
            return Answer(Unknown(unknown, sent.place))
        if sent.control:
            self._held = set()
            return self._answer(sent, wants_rows)
        alone = not self._wire.in_transaction
        watched = not (alone and _CONCURRENTLY.search(sent.sql))
        if alone and watched:
            self._wire.send("BEGIN")
            self._held = set()
        answer = self._answer(sent, wants_rows)
        if not watched:
            self._run.unseen.append(Remark("runs outside of a transaction: its locks were not watched", sent.place))
        if alone and watched:
            self._wire.send("ROLLBACK" if answer.error else "COMMIT")
        return answer

    def _answer(self, sent: Sent, wants_rows: bool) -> Answer:
        refused = self._judge(sent)
        reply = None if refused else self._wire.send(sent.sql, wants_rows=wants_rows)
        error = refused or (reply.error if reply else None)
        locks: set[Lock] = set()
        if error is None and self._wire.in_transaction:
            now = {
                Lock(QName(str(schema), str(name)), _WORDS.sub(" ", str(mode).removesuffix("Lock")).upper())
                for schema, name, mode in self._observer.query(_LOCKS.format(pid=self._wire.pid))
            }
            locks, self._held = now - self._held, now
        self._run.steps.append(
            Step(sent.sql, sent.prepared or sent.sql, sent.place, sent.control, tuple(sorted(locks)))
        )
        if error is not None:
            if error.message.startswith(UNPROVABLE):
                self._run.unprovable = True
            self._stop(f"PostgreSQL refuses it: {error.message} ({error.code})", sent.place)
            return Answer([], error=error)
        assert reply is not None
        return Answer(reply.rows, command=reply.command, row_count=reply.row_count)

    def _judge(self, sent: Sent) -> SqlError | None:
        """What the extended protocol refuses of a string with bound values."""
        if sent.prepared is None:
            return None
        said = self._wire.prepare(sent.prepared)
        return said if isinstance(said, SqlError) else None

    def _stop(self, text: str, place: Place | None) -> None:
        if self._run.problem is None:
            self._run.problem = Remark(text, place)

    def miss(self, unresolved: Unresolved, subject: Subject | None) -> None:
        self._stop(f"cannot be read: {unresolved.reason}", unresolved.place)

    def has_table(self, schema: str | None, name: str) -> bool | Unknown:
        where = "current_schema()" if schema is None else Literal(schema).sql()
        sql = (
            f"SELECT FROM information_schema.tables WHERE table_name = {Literal(name).sql()} AND table_schema = {where}"
        )
        return bool(self._wire.query(sql))

    def has_column(self, schema: str | None, table: str, column: str) -> bool | Unknown:
        where = "current_schema()" if schema is None else Literal(schema).sql()
        sql = (
            f"SELECT FROM information_schema.columns WHERE table_name = {Literal(table).sql()}"
            f" AND column_name = {Literal(column).sql()} AND table_schema = {where}"
        )
        return bool(self._wire.query(sql))


def run_file(
    source: MigrationSource,
    direction: Direction,
    evaluator: Evaluator,
    connect: Callable[[], Wire],
    observer: Wire,
    *,
    transactional: bool,
    settings: Sequence[str] = (),
) -> Run:
    """Runs one direction of a file in a session of its own, in one transaction where Knex would open one.

    What it leaves set, for the next file of its batch or for whoever gets the connection next, is among `left`; of
    custom settings only those of `settings` are known.
    """
    run = Run()
    with connect() as wire:
        first = _state_of(wire, settings)
        if transactional:
            wire.send("BEGIN")
        world = LiveWorld(wire, observer, run)
        evaluation = evaluator.evaluate(source, direction, world)
        if world.failure is not None:
            raise world.failure
        for unresolved in evaluation.unresolved:
            run.problem = run.problem or Remark(f"cannot be read: {unresolved.reason}", unresolved.place)
        if evaluation.thrown is not None and run.problem is None:
            run.problem = Remark(f"throws: {evaluation.thrown}", Place(source.file))
        if not evaluation.sent and run.problem is None:
            run.problem = Remark(f"{direction} sends nothing", Place(source.file))
        if wire.in_transaction:
            failed = run.problem is not None or wire.aborted
            if not failed:
                shared = "the transaction, which Knex shares with other files"
                run.left += _left(first, _state_of(wire, settings) | {_LOCK: first[_LOCK]}, shared, run)
            reply = wire.send("ROLLBACK" if failed else "COMMIT")
            if reply.error is not None:
                run.problem = Remark(
                    f"PostgreSQL refuses to commit: {reply.error.message} ({reply.error.code})", Place(source.file)
                )
        if run.problem is None and not run.left:
            run.left += _left(first, _state_of(wire, settings), "the session", run)
    return run
