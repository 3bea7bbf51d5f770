"""The example on a real server, loaded once for all tests here; each test changes a copy of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remediate.postgres.database import create_database, drop_database
from remediate.postgres.server import Server
from support.database import Database, load_history, seed_knex_migrations
from support.golden import sent_strings

EXAMPLE = Path(__file__).parents[2] / "examples" / "ticketing"
_ROLES = "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"


@pytest.fixture(scope="module")
def loaded(postgres: Server) -> Iterator[Database]:
    """The example loaded string by string, as `--assume applied` has it, with all of its files on record."""
    maintenance = Database(postgres.endpoint, "postgres")
    before = set(maintenance.run(_ROLES))
    database = Database(postgres.endpoint, create_database(postgres.endpoint))
    for services in sent_strings(EXAMPLE).values():
        for service, strings in services:
            load_history(database, strings)
            seed_knex_migrations(database, [source.name for source in service.migrations], table=service.table_name)
    yield database
    drop_database(postgres.endpoint, database.name)
    for (role,) in set(maintenance.run(_ROLES)) - before:
        maintenance.run(f'DROP ROLE "{role}"')


@pytest.fixture
def ticketing(loaded: Database, new_database: Callable[..., Database]) -> Database:
    """A copy of it for one test."""
    return new_database(template=loaded)
