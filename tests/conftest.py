"""Fixtures for all tests. Each starts what it needs at first use only: a test that asks for nothing pays nothing.

With pytest-xdist each worker has a server and Node processes of its own; the npm packages are shared.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from remediate.postgres.database import create_database, drop_database
from remediate.postgres.server import Server
from remediate.postgres.versions import binaries_for
from remediate.postgres.workroom import memory_folder
from support.database import Database
from support.driver import Driver
from support.knex import KnexRunner
from support.node import Node, find_node, prepare_project
from support.typescript import PrettierCheck, TypeChecker

# The same examples on every run, so that what fails in CI fails at home. To look for new ones:
# pytest --hypothesis-profile=explore
settings.register_profile("explore", settings.default)
settings.register_profile("same", settings.default, derandomize=True)
settings.load_profile("same")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # What a shell starts in the background ignores interrupts, and so would all that the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite what golden cases expect")
    parser.addoption("--postgres", type=int, metavar="MAJOR", help="run on this major version, fetched where it is not")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of the user's own cache is read or written; where a test sets another folder, that one holds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMEDIATE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def node_project() -> Path:
    """A folder whose node_modules holds knex, pg, tsx, typescript, prettier and the types of Node and pg."""
    return prepare_project()


@pytest.fixture(scope="session")
def node(node_project: Path) -> Node:
    """Runs Node: `node("script.cjs", "argument", stdin="…")` returns stdout or raises `NodeError`."""
    return Node(find_node(), node_project)


@pytest.fixture(scope="session")
def node_driver(node: Node) -> Iterator[Driver]:
    """The Node process behind `knex_runner`, `type_checker` and `prettier_check`."""
    driver = Driver(node)
    yield driver
    driver.close()


@pytest.fixture(scope="session")
def knex_runner(node_driver: Driver) -> KnexRunner:
    """Real Knex: `knex_runner.latest(database, service_folder)`; see `KnexRunner.run` for the options."""
    return KnexRunner(node_driver)


@pytest.fixture(scope="session")
def type_checker(node_driver: Driver) -> TypeChecker:
    """`type_checker(files)` gives the complaints of TypeScript, strict, with the types of Knex, pg and Node."""
    return TypeChecker(node_driver)


@pytest.fixture(scope="session")
def prettier_check(node_driver: Driver) -> PrettierCheck:
    """`prettier_check(files, singleQuote=True)` gives the files that Prettier would write otherwise."""
    return PrettierCheck(node_driver)


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[Server]:
    """The PostgreSQL of this session; in memory where there is room, since tests clone hundreds of databases."""
    major = pytestconfig.getoption("--postgres")
    with Server(binaries_for(major, fetch=True) if major else None, parent=memory_folder()) as server:
        yield server


@pytest.fixture
def new_database(postgres: Server) -> Iterator[Callable[..., Database]]:
    """Makes databases: `new_database()`, or `new_database(template=other)` for a copy of another one.

    They are dropped after the test, and so are the roles that it made, which belong to the whole server.
    """
    made: list[Database] = []
    maintenance = Database(postgres.endpoint, "postgres")
    roles = "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"
    before = set(maintenance.run(roles))

    def make(template: Database | str = "template1") -> Database:
        source = template if isinstance(template, str) else template.name
        made.append(Database(postgres.endpoint, create_database(postgres.endpoint, template=source)))
        return made[-1]

    yield make
    for database in made:
        drop_database(postgres.endpoint, database.name)
    for (role,) in set(maintenance.run(roles)) - before:
        maintenance.run(f'DROP ROLE "{role}"')


@pytest.fixture
def database(new_database: Callable[..., Database]) -> Database:
    """An empty database for this test."""
    return new_database()
