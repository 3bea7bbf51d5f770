"""A planned workspace on real databases: its history, then what Knex makes of the emitted files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from remediate.postgres.snapshot import Snapshot, catalog_snapshot, snapshot_differences
from support.database import Database, load_history, seed_knex_migrations
from support.golden import Planned, sent_strings
from support.knex import KnexRun, KnexRunner
from support.rows import checksums

OWNER = "householder"
HAND_OVER = f"""
DO $$
DECLARE
    made record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') THEN
        CREATE ROLE {OWNER} LOGIN;
    END IF;
    FOR made IN
        SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END AS kind,
            c.oid::regclass::text AS name
        FROM pg_class AS c WHERE relkind IN ('r', 'p', 'v', 'm') AND c.oid >= 16384
            AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        UNION ALL
        SELECT 'ROUTINE', p.oid::regprocedure::text FROM pg_proc AS p WHERE p.oid >= 16384
        UNION ALL
        SELECT 'TYPE', t.oid::regtype::text FROM pg_type AS t WHERE t.oid >= 16384 AND typtype IN ('e', 'd')
        UNION ALL
        SELECT 'SCHEMA', nspname FROM pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_'
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO {OWNER}', made.kind, made.name);
    END LOOP;
    GRANT CREATE, USAGE ON SCHEMA public TO {OWNER};
END
$$
"""


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
            database.run(HAND_OVER)

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
