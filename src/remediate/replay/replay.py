"""Replay: evaluates the migrations of the services of one database in order, and gives the catalog that results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from remediate.evaluate.model import Evaluation
from remediate.evaluate.world import Evaluates
from remediate.replay.catalog import FunctionVersion, Outcome, Replayed
from remediate.replay.engine import Assumption, StaticEngine
from remediate.replay.settings import setting_uses
from remediate.source.model import MigrationSource, Service

_NO_TRANSACTION = re.compile(rb"\btransaction\s*:\s*false")


def replay(
    services: Sequence[Service],
    evaluator: Evaluates,
    *,
    assume: Assumption = "applied",
    user: str = "postgres",
) -> Replayed:
    """The catalog of one database after the migrations of its services, in the order of `services`.

    `evaluator` says what each of them sends. `user` is the role that runs them: it owns what they make.
    """
    engine = StaticEngine(services[0].database if services else "postgres", assume=assume, user=user)
    for service in services:
        engine.begin_session()
        if assume == "fresh":
            _run_fresh(service, evaluator, engine)
        else:
            for migration in service.migrations:
                _tell(evaluator.evaluate(migration, "up", engine), engine)
                engine.told.outcomes.append(Outcome(service.name, migration.file))
    return finish(engine)


def finish(engine: StaticEngine) -> Replayed:
    """Freezes what an engine holds."""
    catalog = engine.builder.freeze()
    versions = []
    latest = {}
    for version in engine.log.functions:
        latest[version.function.name, version.function.argument_types] = version
    for version in engine.log.functions:
        key = (version.function.name, version.function.argument_types)
        versions.append(FunctionVersion(version.function, latest[key] is not version))
    return Replayed(
        engine.builder.database,
        catalog,
        tuple(engine.told.refusals),
        tuple(engine.told.unresolved),
        tuple(engine.log.data_changes),
        tuple(versions),
        setting_uses(catalog),
        tuple(engine.told.unknown_effects),
        dict(engine.told.statements),
        tuple(engine.told.assumptions),
        tuple(engine.told.outcomes),
    )


def _tell(evaluation: Evaluation, engine: StaticEngine) -> None:
    for unresolved in evaluation.unresolved:
        engine.told.unresolved[unresolved] = None
    for assumption in evaluation.assumptions:
        engine.told.assumptions[assumption] = None
    engine.told.statements.setdefault(evaluation.file, 0)


def _run_fresh(service: Service, evaluator: Evaluates, engine: StaticEngine) -> None:
    """Knex's Migrator.latest: one transaction around all files while every one of them wants one, else one for each.

    The first file that fails ends the run of the service.
    """
    together = not any(_NO_TRANSACTION.search(migration.data) for migration in service.migrations)
    batch = engine.mark()
    done: list[Outcome] = []
    if together:
        engine.begin()
    for migration in service.migrations:
        failed = _run_file(migration, together, evaluator, engine)
        done.append(Outcome(service.name, migration.file, *(failed or (None, ""))))
        if failed is not None:
            if together:
                engine.roll_back(batch)
                # What stood before it in the batch is gone with it.
                done = [replace(each, code=each.code or "", message=each.message or "rolled back") for each in done]
            break
    if together:
        engine.commit()
    engine.told.outcomes += done


def _run_file(
    migration: MigrationSource, together: bool, evaluator: Evaluates, engine: StaticEngine
) -> tuple[str, str] | None:
    """The SQLSTATE and message that ended the file, None when it went through."""
    own = not together and not _NO_TRANSACTION.search(migration.data)
    mark = engine.mark()
    engine.last_error = None
    if own:
        engine.begin()
    evaluation = evaluator.evaluate(migration, "up", engine)
    _tell(evaluation, engine)
    current = engine.transactions.current
    lost = current is not None and current.aborted
    # What is thrown without an error of PostgreSQL may be a limit of evaluation: it is told as unresolved, and the run
    # goes on, rather than hiding every later file behind it.
    if (evaluation.thrown is None or engine.last_error is None) and not lost:
        if own:
            engine.commit()
        return None
    if own:
        engine.roll_back(mark)
    error = engine.last_error
    if evaluation.thrown is None:
        # The migration caught the error, but its transaction is lost: recording it fails.
        return "25P02", "current transaction is aborted"
    return (error.code if error else "", evaluation.thrown)
