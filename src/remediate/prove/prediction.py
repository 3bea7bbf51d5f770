"""What the static engine says that a database looks like after each change, and where the real one differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, TypeVar

from remediate.config.model import Config
from remediate.detect.facts import gather
from remediate.detect.model import Facts
from remediate.evaluate.evaluate import Evaluator
from remediate.evaluate.model import Evaluation
from remediate.plan.model import Change
from remediate.prove.actors import Actors
from remediate.replay.catalog import Catalog, History, Replayed
from remediate.replay.compare import Difference, changed, compare
from remediate.replay.engine import StaticEngine
from remediate.replay.replay import connect
from remediate.source.model import MigrationSource, Service


def source_of(change: Change) -> MigrationSource:
    """The file of a change, as if it stood in the workspace."""
    directory, _, name = change.path.rpartition("/")
    return MigrationSource(change.service, change.path, directory, name, change.text.encode())


class Prediction:
    """The static engine, holding a database at the point that the proof has come to."""

    def __init__(self, services: Sequence[Service], evaluator: Evaluator, config: Config) -> None:
        user = config.roles.migration or "postgres"
        database = services[0].database
        self._engine = StaticEngine(database, user=user, server_version=config.workspace.postgres)
        self._evaluator = evaluator
        self._config = config
        self._services = list(services)
        self.sent: list[str] = []
        """The strings of the history, in order."""
        for service in services:
            connect(self._engine, service, services)
            for migration in service.migrations:
                self._evaluate(migration)

    def _evaluate(self, source: MigrationSource) -> Evaluation:
        evaluation = self._evaluator.evaluate(source, "up", self._engine)
        self.sent += [sent.sql for sent in evaluation.sent]
        for unresolved in evaluation.unresolved:
            self._engine.told.unresolved[unresolved] = None
        for assumption in evaluation.assumptions:
            self._engine.told.assumptions[assumption] = None
        return evaluation

    def apply(self, source: MigrationSource) -> Evaluation:
        """Goes on to the catalog after a change."""
        connect(self._engine, next(one for one in self._services if one.name == source.service), self._services)
        self._services = [
            replace(one, migrations=(*one.migrations, source)) if one.name == source.service else one
            for one in self._services
        ]
        return self._evaluate(source)

    def names_before(self, source: MigrationSource) -> list[str]:
        """The names of the other files of its service, with the extension of `source`: those that Knex sees there."""
        suffix = PurePosixPath(source.name).suffix
        service = next(one for one in self._services if one.name == source.service)
        names = [one.name for one in service.migrations if one.name != source.name]
        return list(dict.fromkeys(name for name in names if PurePosixPath(name).suffix == suffix))

    def replayed(self) -> Replayed:
        return self._engine.finish()

    def facts(self, replayed: Replayed) -> Facts:
        """What detectors stand on, for a catalog at this point."""
        return gather(replayed, self._services, self._config)


Object = TypeVar("Object")


def with_histories(real: Catalog, static: Catalog) -> Catalog:
    """The real catalog, each object with the history that the static engine knows, so that detectors can be asked.

    What the static engine does not know is left out here: it is among the differences.
    """

    def borrow(objects: Mapping[Any, Any], known: Mapping[Any, Any]) -> dict[Any, Any]:
        return {key: replace(one, history=known[key].history) for key, one in objects.items() if key in known}

    def histories(names: Mapping[str, History], known: Mapping[str, History]) -> dict[str, History]:
        return {name: known[name] for name in names if name in known}

    functions = {
        key: replace(
            one,
            history=static.functions[key].history,
            definition=static.functions[key].definition,
            statement=static.functions[key].statement,
        )
        for key, one in real.functions.items()
        if key in static.functions
    }
    granted = {(grant.kind, grant.subject, grant.role): grant for grant in static.grants}
    return replace(
        real,
        tables=borrow(real.tables, static.tables),
        policies=borrow(real.policies, static.policies),
        constraints=borrow(real.constraints, static.constraints),
        indexes=borrow(real.indexes, static.indexes),
        functions=functions,
        triggers=borrow(real.triggers, static.triggers),
        views=borrow(real.views, static.views),
        types=borrow(real.types, static.types),
        sequences=borrow(real.sequences, static.sequences),
        schemas=histories(real.schemas, static.schemas),
        extensions=histories(real.extensions, static.extensions),
        roles=borrow(real.roles, static.roles),
        grants=tuple(
            replace(grant, history=granted[grant.kind, grant.subject, grant.role].history)
            for grant in real.grants
            if (grant.kind, grant.subject, grant.role) in granted
        ),
    )


def without_actors(real: Catalog, static: Catalog, actors: Actors) -> Catalog:
    """The real catalog without what the proof itself put in: its roles, their rights, the owner of everything."""
    tables = {
        name: replace(table, owner=static.tables[name].owner)
        if table.owner == actors.owner and name in static.tables
        else table
        for name, table in real.tables.items()
    }
    ours = {actors.owner, actors.application}
    kept = {(grant.kind, grant.subject, grant.role): grant for grant in static.grants}
    grants = tuple(
        kept.get((grant.kind, grant.subject, grant.role), grant)
        for grant in real.grants
        if grant.role not in ours or (grant.kind, grant.subject, grant.role) in kept
    )
    # Roles belong to the server; of those that were there already only what the history knows is part of its world.
    roles = {name: role for name, role in real.roles.items() if name in static.roles}
    return replace(real, tables=tables, grants=grants, roles=roles)


Deviation = tuple[str, str, str]
"""What is other than predicted: kind, object, and how."""


def deviations(static: Catalog, real: Catalog) -> set[Deviation]:
    """Every property in which a real catalog is other than the predicted one."""
    comparison = compare(Replayed("", static), Replayed("", real))
    return {deviation for difference in comparison.differences for deviation in _spelled(difference)}


def _spelled(difference: Difference) -> list[Deviation]:
    if difference.found is None:
        return [(difference.kind, difference.subject, "is there, and was not predicted")]
    if difference.expected is None:
        return [(difference.kind, difference.subject, "was predicted, and is not there")]
    return [
        (difference.kind, difference.subject, f"{name} is {value!r}, and {predicted!r} was predicted")
        for name, value, predicted in changed(difference)
    ]
