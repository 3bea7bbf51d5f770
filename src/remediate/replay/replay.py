"""Replay: evaluates the migrations of the services of one database in order, and gives the catalog that results."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from remediate.evaluate.knex.session import SqlError
from remediate.evaluate.model import Evaluation, Sent
from remediate.evaluate.world import Evaluates, World
from remediate.replay.catalog import Assumption, Outcome, Replayed
from remediate.replay.engine import StaticEngine, Told
from remediate.replay.outside import Outside, making_role, taken_for_present
from remediate.source.model import MigrationSource, Service
from remediate.source.place import Unresolved
from remediate.source.text import STRING_OR_COMMENT
from remediate.sql.quote import quote_identifier

_NO_TRANSACTION = re.compile(r"\btransaction\s*[:=]\s*false\b")


class Engine(World, Protocol):
    """What replays: evaluate's world, with what Knex's migrator does around the files."""

    assume: Assumption
    told: Told
    last_error: SqlError | None
    outside: Outside | None
    """What is taken to be there without any migration making it, where the history was applied; None: nothing."""

    def begin_session(self, search_path: Sequence[str] = ()) -> None:
        """A new connection, for the next service, with a search path of its own if there is one."""
        ...

    def keep_records(self, schema: str | None, table: str) -> None:
        """Knex makes its own tables, in the first schema of the search path where none is named."""
        ...

    def begin(self) -> None:
        """Knex opens a transaction around a file, or a batch of them; never while one is open."""
        ...

    def commit(self) -> None: ...

    def finds_records(self) -> bool:
        """Whether the search path still has the schema that was its first when the session began: Knex has its own
        tables there."""
        ...

    def roll_back(self) -> None: ...

    @property
    def aborted(self) -> bool:
        """Whether a transaction is open in which an error was."""
        ...

    def finish(self) -> Replayed:
        """What was replayed; the engine is of no use afterwards."""
        ...


def replay(
    services: Sequence[Service],
    evaluator: Evaluates,
    *,
    assume: Assumption = "applied",
    user: str = "postgres",
    server_version: int = 15,
) -> Replayed:
    """The catalog of one database after the migrations of its services, in the order of `services`.

    `evaluator` says what each of them sends. `user` is the role that runs them: it owns what they make.
    `server_version` is the major version that migrations are told when they ask.
    """
    database = services[0].database if services else "postgres"
    engine = StaticEngine(database, assume=assume, user=user, server_version=server_version)
    return replay_on(engine, services, evaluator)


def replay_on(engine: Engine, services: Sequence[Service], evaluator: Evaluates) -> Replayed:
    """The same on a given engine, which says whether it runs as `applied` or `fresh`."""
    records: dict[tuple[str | None, str], dict[str, bytes]] = {}
    for service in services:
        connect(engine, service, services)
        engine.keep_records(service.table_schema, service.table_name)
        recorded = records.setdefault((service.table_schema, service.table_name), {})
        service = _left_to_run(service, recorded, engine)
        if engine.assume == "fresh":
            _run_fresh(service, evaluator, engine)
        else:
            for migration in service.migrations:
                _tell(evaluator.evaluate(migration, "up", engine), engine)
                engine.told.outcomes.append(Outcome(service.name, migration.file))
        ended = {outcome.migration: outcome.code for outcome in engine.told.outcomes if outcome.service == service.name}
        recorded |= {one.name: one.data for one in service.migrations if ended.get(one.file, "") is None}
    return engine.finish()


def _left_to_run(service: Service, recorded: Mapping[str, bytes], engine: Engine) -> Service:
    """The service without the files that another one has run and recorded in the same table: a copy of its folder.

    Knex goes by the name alone, and calls a folder corrupt that lacks a file on record. Folders that only overlap, or
    in which files of one name differ, are taken to keep two tables, one of which could not be read from its knexfile.
    """
    if not recorded or not recorded.keys() <= {one.name for one in service.migrations}:
        return service
    copies = [one for one in service.migrations if recorded.get(one.name) == one.data]
    for copy in copies:
        engine.told.outcomes.append(Outcome(service.name, copy.file))
        engine.told.statements.setdefault(copy.file, 0)
    return replace(service, migrations=tuple(one for one in service.migrations if one not in copies))


def connect(engine: Engine, service: Service, services: Sequence[Service]) -> None:
    """A new connection for a service, as its knexfile configures it. `services` are all of the database.

    A schema of its search path that no migration makes was made by somebody, or no table would be where it is; so was a
    role that is asked for and, somewhere else, named without asking.
    """
    path = service.search_path
    outside = engine.outside = Outside(services)
    for schema in path.schemas if path is not None and engine.assume == "applied" else ():
        if path is None or not outside.has_schema(schema):
            continue
        reason = taken_for_present("schema", schema)
        engine.told.assumptions[Unresolved(service.name, path.place, reason)] = None
        sql = f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)}"
        engine.execute(Sent(service.name, "", "up", path.place, sql, "raw"), False)
    if engine.assume == "applied" and service == services[0]:
        for role, named_by, place in outside.roles_from_the_start():
            engine.told.assumptions[Unresolved(named_by.name, place, taken_for_present("role", role))] = None
            engine.execute(making_role(role, Sent(named_by.name, "", "up", place, "", "raw")), False)
    engine.begin_session(path.schemas if path is not None else ())


def _tell(evaluation: Evaluation, engine: Engine) -> None:
    for unresolved in evaluation.unresolved:
        engine.told.unresolved[unresolved] = None
    for assumption in evaluation.assumptions:
        engine.told.assumptions[assumption] = None
    engine.told.statements.setdefault(evaluation.file, 0)


def _run_fresh(service: Service, evaluator: Evaluates, engine: Engine) -> None:
    """Knex's Migrator.latest: one transaction around all files while every one of them wants one, else one for each.

    The first file that fails ends the run of the service.
    """
    together = all(_wants_transaction(migration) for migration in service.migrations)
    done: list[Outcome] = []
    if together:
        engine.begin()
    for migration in service.migrations:
        failed = _run_file(migration, together, evaluator, engine) or _record(service, engine)
        done.append(Outcome(service.name, migration.file, *(failed or (None, ""))))
        if failed is not None:
            if together:
                engine.roll_back()
                # What stood before it in the batch is gone with it.
                done = [replace(each, code=each.code or "", message=each.message or "rolled back") for each in done]
            break
    else:
        if together:
            engine.commit()
    engine.told.outcomes += done


def _wants_transaction(migration: MigrationSource) -> bool:
    """What its `config` says; Knex asks every file before it runs the first one."""
    text = migration.data.decode("utf-8", "replace")
    if "transaction" not in text:
        return True
    return _NO_TRANSACTION.search(STRING_OR_COMMENT.sub(" ", text)) is None


def _record(service: Service, engine: Engine) -> tuple[str, str] | None:
    """Knex writes down that the file ran, and does not find its table when the file changed the search path."""
    if service.table_schema is not None or engine.finds_records():
        return None
    return "42P01", f'relation "{service.table_name}" does not exist'


def _run_file(
    migration: MigrationSource, together: bool, evaluator: Evaluates, engine: Engine
) -> tuple[str, str] | None:
    """The SQLSTATE and message that ended the file, None when it went through."""
    own = not together and _wants_transaction(migration)
    engine.last_error = None
    if own:
        engine.begin()
    refusals = len(engine.told.refusals)
    evaluation = evaluator.evaluate(migration, "up", engine)
    _tell(evaluation, engine)
    if evaluation.handle == "pool" and evaluation.sent:
        # Written for a pg Pool; what Knex hands over has no `query`, so nothing of it was sent.
        del engine.told.refusals[refusals:]
        if own:
            engine.roll_back()
        return "", "the migration is given Knex, and no Pool: query is not a function"
    lost = engine.aborted
    # What is thrown without an error of PostgreSQL may be a limit of evaluation: it is told as unresolved, and the run
    # goes on, rather than hiding every later file behind it, unless the migration is certain to throw.
    failed = evaluation.thrown is not None and (evaluation.ends or engine.last_error is not None)
    if not failed and not lost:
        if own:
            engine.commit()
        return None
    if own:
        engine.roll_back()
    if evaluation.thrown is None:
        # The migration caught the error, but its transaction is lost: recording it fails.
        return "25P02", "current transaction is aborted"
    return (evaluation.code or "", evaluation.thrown)
