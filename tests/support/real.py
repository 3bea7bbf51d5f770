"""A planned workspace on real databases: its history, then what Knex makes of the emitted files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from remediate.postgres.snapshot import Snapshot, catalog_snapshot, snapshot_differences
from remediate.postgres.wire import Wire
from remediate.prove.actors import hand_over
from support.database import Database, load_history, seed_knex_migrations
from support.golden import Planned, sent_strings
from support.knex import KnexRun, KnexRunner
from support.rows import checksums

OWNER = "householder"


class Real:
    """The databases of one case, with the history of its services and rows of two tenants."""

    def __init__(self, planned: Planned, new_database: Callable[..., Database], knex: KnexRunner) -> None:
        self._planned = planned
        self._knex = knex
        self.services = planned.workspace.services
        self.databases = {service.database: new_database() for service in self.services}
        self._new_database = new_database

    def history(self) -> str:
        """Loads the history as real Knex runs it, or else string by string; which of the two it was."""
        if all(self._run("latest", self._planned.root, service.name).error is None for service in self.services):
            return "runs"
        self.databases = {name: self._new_database() for name in self.databases}
        self.load_strings()
        return "refused"

    def load_strings(self) -> None:
        """Loads the history string by string, without what PostgreSQL refuses, and puts all of it on record."""
        for name, services in sent_strings(self._planned.root).items():
            for service, strings in services:
                load_history(self.databases[name], strings)
                seed_knex_migrations(
                    self.databases[name], [source.name for source in service.migrations], table=service.table_name
                )

    def hand_over(self) -> None:
        """Gives everything to an ordinary role, as which the emitted files are run: no superuser, bound by FORCE."""
        for database in self.databases.values():
            with Wire(database.endpoint, database.name) as wire:
                if not wire.query(f"SELECT FROM pg_roles WHERE rolname = '{OWNER}'"):
                    wire.query(f"CREATE ROLE {OWNER} LOGIN")
                hand_over(wire, OWNER)

    def run(self, command: str, root: Path) -> None:
        """A command of Knex, as the owner, for every service that has a new file; a rollback in reverse."""
        changed = {change.service for change in self._planned.added}
        services = [service.name for service in self.services if service.name in changed]
        for name in services if command == "latest" else reversed(services):
            self._run(command, root, name, user=OWNER).expect_success()

    def run_all(self, root: Path) -> None:
        for service in self.services:
            self._run("latest", root, service.name).expect_success()

    def _run(self, command: str, root: Path, name: str, user: str | None = None) -> KnexRun:
        service = next(service for service in self.services if service.name == name)
        return self._knex.run(
            command,
            self.databases[service.database],
            root,
            directories=service.directories,
            table=service.table_name,
            user=user,
        )

    def snapshots(self) -> dict[str, Snapshot]:
        found = {}
        for name, database in self.databases.items():
            with database.connect() as connection:
                found[name] = catalog_snapshot(connection)
        return found

    def rows(self, columns: dict[str, dict[str, list[str]]]) -> dict[str, object]:
        return {name: checksums(database, columns[name]) for name, database in self.databases.items()}


def differences_of(before: dict[str, Snapshot], after: dict[str, Snapshot]) -> list[str]:
    return [one for name in before for one in snapshot_differences(before[name], after[name])]
