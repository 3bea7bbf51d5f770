"""Migrations run by real Knex, and what a static replay is held against there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from remediate.postgres.database import create_database, drop_database, forget_role_settings
from remediate.postgres.introspect import introspect
from remediate.postgres.server import Server
from remediate.replay.catalog import Catalog, Replayed
from remediate.replay.compare import Comparison, Fact, FactKey, Facts, catalog_facts, compare_facts
from remediate.replay.engine import Assumption
from remediate.source.model import Service
from remediate.sql.quote import quote_identifier
from support.database import Database
from support.driver import Driver
from support.knex import KnexRun, KnexRunner
from support.node import Node, find_node, prepare_project

_SECONDS = 1800
_NOT_FOUND = ("MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND")
"""Node's codes for a package that is not there: such a run says nothing about the migrations."""


class Known(Protocol):
    """What is known of a checkout: SQL that runs before its migrations, and the text of its files."""

    @property
    def setup(self) -> str: ...

    def text_of(self, file: str) -> str: ...


def against_knex(
    server: Server,
    services: Sequence[Service],
    root: Path,
    told: Sequence[Replayed],
    assume: Assumption,
    known: Known,
) -> Comparison:
    """Runs the services in one database and holds what is there, and what was refused, against a static replay.

    It is the first of `told`; what the others could not read (an extension that is not here) explains differences, too.
    Under `applied` the refused strings of each file are compared by SQLSTATE, under
    `fresh` the error that ended the run of each service.
    """
    static = told[0]
    expected: dict[FactKey, Fact] = {}
    with _database(server, static.catalog) as database:
        if known.setup:
            database.run(known.setup)
        # What the replay, too, took to be there.
        for schema, history in static.catalog.schemas.items():
            if history and not history[0].migration:
                database.run(f"CREATE SCHEMA {quote_identifier(schema)}")
        for role in static.catalog.roles.values():
            if role.history and not role.history[0].migration:
                database.run(f"CREATE ROLE {quote_identifier(role.name)}")
        driver = Driver(Node(find_node(), prepare_project()), timeout=_SECONDS)
        try:
            for service in services:
                run = _run(KnexRunner(driver), database, service, root, assume)
                expected.update(_refused(service, run) if assume == "applied" else _ended(service.name, run.code, run))
        finally:
            driver.close()
        with database.connect() as connection:
            catalog = introspect(connection)
    found: dict[FactKey, Fact] = dict(_refusals(static, services) if assume == "applied" else _ends(static))
    own = {name for service in services for name in (service.table_name, f"{service.table_name}_lock")}
    found.update(_without(own, catalog_facts(static.catalog)))
    expected.update(_without(own, catalog_facts(catalog)))
    return compare_facts(static.database, found, expected, told, known.text_of)


@contextmanager
def _database(server: Server, catalog: Catalog) -> Iterator[Database]:
    """A database of its own, gone afterwards with the roles that were made; lacking extensions are empty ones."""
    maintenance = Database(server.endpoint, "postgres")
    roles = "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'"
    before = set(maintenance.run(roles))
    available = {name for (name,) in maintenance.run("SELECT name FROM pg_available_extensions")}
    for extension in sorted(set(catalog.extensions) - available):
        server.stand_in(extension)
    name = create_database(server.endpoint)
    try:
        yield Database(server.endpoint, name)
    finally:
        drop_database(server.endpoint, name)
        forget_role_settings(server.endpoint)
        for (role,) in set(maintenance.run(roles)) - before:
            maintenance.run(f'DROP ROLE "{role}"')


def _run(knex: KnexRunner, database: Database, service: Service, root: Path, assume: Assumption) -> KnexRun:
    command = knex.apply if assume == "applied" else knex.latest
    path = service.search_path.schemas if service.search_path is not None else None
    run = command(database, root, directories=service.directories, table=service.table_name, search_path=path)
    if run.code in _NOT_FOUND:
        cause = str(run.error).partition("\n")[0]
        raise SystemExit(
            f"Knex, {service.name}: {cause}; install in the checkout what its migrations import, or use --engines-only"
        )
    if assume == "applied":
        said = f"{len(run.refused)} strings refused"
    else:
        said = f"{run.code or ''} {run.error}".strip() if run.error else f"{len(run.files)} files"
    print(f"Knex, {service.name}: {said}")
    if assume == "applied" and run.error:
        # Nothing of the migrations can end this run: a file that could not be loaded did.
        print(f"  ended by {run.error}")
    return run


def _refused(service: Service, run: KnexRun) -> dict[FactKey, Fact]:
    return _counted((_path([service], service.name, file), code) for file, _, code in run.refused if file is not None)


def _refusals(static: Replayed, services: Sequence[Service]) -> dict[FactKey, Fact]:
    return _counted(
        (_path(services, one.origin.service, one.origin.migration), one.code)
        for one in static.refusals
        if one.origin.service
    )


def _path(services: Sequence[Service], service: str, name: str) -> str:
    found = (one.file for each in services if each.name == service for one in each.migrations if one.name == name)
    return next(found, name)


def _counted(refused: Iterable[tuple[str, str | None]]) -> dict[FactKey, Fact]:
    return {
        FactKey("refused statement", f"{file}:{code}"): {"times": times}
        for (file, code), times in Counter(refused).items()
    }


def _ended(service: str, code: str | None, run: KnexRun) -> dict[FactKey, Fact]:
    return {FactKey("outcome", service): {"failed": run.error is not None, "code": code or None}}


def _ends(static: Replayed) -> dict[FactKey, Fact]:
    ended: dict[str, str | None] = {}
    for outcome in static.outcomes:
        ended[outcome.service] = outcome.code
    return {
        FactKey("outcome", service): {"failed": code is not None, "code": code or None}
        for service, code in ended.items()
    }


def _without(names: set[str], facts: Facts) -> Facts:
    """Without the tables of Knex itself, which are not a migration's."""
    return {
        key: fact
        for key, fact in facts.items()
        if not any(name.name in names or name.name.removesuffix("_id_seq") in names for name in key.relations)
        and not any(name in key.subject for name in names)
    }
