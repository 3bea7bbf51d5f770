"""A server of the user: what is proven there with which rights, and that nothing of it stays or was touched."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.running import Result, one_line, run
from cli.workspaces import PLATFORM, raw, typescript, write
from remediate.postgres.address import read_address
from remediate.postgres.remote import PREFIX, RemoteServer
from remediate.postgres.server import Server
from support.database import Database

ROLES = {
    "chief": "SUPERUSER",
    "maker": "CREATEDB",
    "founder": "CREATEDB CREATEROLE",
    "reader": "",
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("platform"), {**PLATFORM, "remediate.toml": "[workspace]\npostgres = 18\n"})


@pytest.fixture(scope="module")
def users(postgres: Server) -> Iterator[Database]:
    """Roles of every kind on the server, and a database that is somebody's."""
    maintenance = Database(postgres.endpoint, "postgres")
    for name, rights in ROLES.items():
        maintenance.run(f"CREATE ROLE {name} LOGIN {rights} PASSWORD 'hush-hush'")
    maintenance.run("CREATE DATABASE precious")
    Database(postgres.endpoint, "precious").run("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)")
    yield maintenance
    maintenance.run("DROP DATABASE precious")
    for name in ROLES:
        maintenance.run(f"DROP ROLE {name}")


@pytest.fixture
def prove(users: Database, postgres: Server, platform: Path) -> Iterator[Callable[..., Result]]:
    """Proves as one of the roles; afterwards the server is as it was."""
    before = state(users)

    def command(user: str, *options: str, path: Path = platform) -> Result:
        url = f"postgresql://{user}:hush-hush@/precious?host={postgres.endpoint.host}"
        result = run("prove", path, "--database-url", url, *options)
        assert "hush" not in result.out + result.err
        return result

    yield command
    assert state(users) == before
    assert Database(postgres.endpoint, "precious").run("SELECT * FROM kept") == [(1,)]


def state(maintenance: Database) -> list[Any]:
    return [
        maintenance.run("SELECT datname FROM pg_database ORDER BY 1"),
        maintenance.run("SELECT rolname, rolsuper, rolbypassrls, rolvaliduntil FROM pg_roles ORDER BY 1"),
    ]


def read(result: Result) -> Any:
    assert result.code in (0, 1), result.err
    (database,) = json.loads(result.out)["databases"]
    return database


def test_a_superuser_who_lets_roles_be_made_proves_everything(prove: Callable[..., Result]) -> None:
    database = read(prove("chief", "--create-roles", "--unsafe", "--format", "json"))
    assert {change["verdict"] for change in database["changes"]} == {"proven"}
    assert database["application"].startswith(PREFIX)
    assert database["limits"] == []


def test_a_superuser_without_roles_cannot_be_bound(prove: Callable[..., Result]) -> None:
    result = prove("chief", "--format", "json")
    assert result.code == 1
    database = read(result)
    assert {change["verdict"] for change in database["changes"]} == {"unprovable"}
    assert {table["unfilled"] for table in database["tables"]} == {
        "row security does not bind chief, and roles that it binds are made only with --create-roles"
    }


def test_whoever_may_make_databases_is_the_owner(prove: Callable[..., Result]) -> None:
    database = read(prove("maker", "--unsafe", "--format", "json"))
    assert database["application"] is None
    payments = next(table for table in database["tables"] if table["name"] == "payments")
    assert payments["leaks"]["before"] > 0
    assert [attempt for attempt in payments["attempts"] if attempt["after"] == "leak"] == []
    assert {attempt["role"] for attempt in payments["attempts"]} == {"owner"}
    for change in database["changes"]:
        failed = [check for check in change["checks"] if check["status"] == "failed"]
        assert failed == []
        assert change["verdict"] == "unprovable", "nobody but the owner was tried"
    assert any("only the owner could be tried" in str(change) for change in database["changes"])


def test_whoever_may_make_roles_too_has_an_application(prove: Callable[..., Result]) -> None:
    database = read(prove("founder", "--create-roles", "--unsafe", "--format", "json"))
    assert {change["verdict"] for change in database["changes"]} == {"proven"}, str(database["changes"])
    assert database["limits"] == [
        "views and functions with their owner's rights were not tried: that takes a superuser"
    ]


@pytest.mark.parametrize(
    ("user", "options", "said"),
    [
        ("reader", (), "reader may not make databases there; ALTER ROLE reader CREATEDB"),
        ("maker", ("--create-roles",), "maker may not make roles there; leave out --create-roles"),
        ("nobody_here", (), 'role "nobody_here" does not exist'),
    ],
)
def test_who_may_not_is_told_in_one_line(
    user: str, options: tuple[str, ...], said: str, prove: Callable[..., Result]
) -> None:
    assert said in one_line(prove(user, *options))


def test_an_older_server_is_refused(prove: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remediate.postgres.remote.OLDEST", 99)
    assert "the server is PostgreSQL " in (said := one_line(prove("maker")))
    assert "which is too old; PostgreSQL 99 or newer is needed" in said


def test_a_history_that_reaches_for_the_server_is_not_run(prove: Callable[..., Result], tmp_path: Path) -> None:
    reaching = [
        "ALTER ROLE chief BYPASSRLS",
        "DROP ROLE IF EXISTS maker",
        "GRANT chief TO reader",
        "DROP DATABASE IF EXISTS precious",
        "COPY (SELECT 1) TO '/tmp/precious'",
        "CREATE ROLE intruder",
        "DO $$ BEGIN EXECUTE 'ALTER ROLE reader SUPERUSER'; END $$",
    ]
    text = typescript("\n".join(map(raw, reaching)))
    write(tmp_path, {**PLATFORM, "services/orders/migrations/003_reach.ts": text})
    database = read(prove("chief", "--format", "json", path=tmp_path))
    said = [limit for limit in database["limits"] if "orders/migrations/003_reach.ts" in limit]
    assert len(said) == len(reaching), said
    assert not Path("/tmp/precious").exists()


def test_roles_of_a_history_go_again(prove: Callable[..., Result], tmp_path: Path) -> None:
    text = typescript(raw("CREATE ROLE visitor; GRANT USAGE ON SCHEMA public TO visitor"))
    write(tmp_path, {**PLATFORM, "services/orders/migrations/003_role.ts": text})
    database = read(prove("chief", "--create-roles", "--format", "json", path=tmp_path))
    assert {change["verdict"] for change in database["changes"]} == {"proven"}


def test_what_a_killed_run_left_is_swept_and_nothing_else(
    users: Database, postgres: Server, prove: Callable[..., Result]
) -> None:
    alive = users.value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    left = [f"{PREFIX}_999999_0123abcd_ef01", f"{PREFIX}_{alive}_0123abcd_ef01", "remediate_scratch_mine"]
    for name in left:
        users.run(f'CREATE DATABASE "{name}" OWNER maker')
    users.run(f"CREATE ROLE {PREFIX}_999999_0123abcd_owner")
    try:
        with RemoteServer(read_address(f"host={postgres.endpoint.host} user=chief dbname=postgres")):
            pass
        assert (left[0],) in users.run("SELECT datname FROM pg_database"), "it belongs to another user"
        with RemoteServer(read_address(f"host={postgres.endpoint.host} user=maker dbname=postgres")):
            pass
        there = {name for (name,) in users.run("SELECT datname FROM pg_database")}
        assert there & set(left) == set(left[1:])
        assert users.run(f"SELECT FROM pg_roles WHERE rolname ~ '{PREFIX}'") == []
    finally:
        for name in left:
            users.run(f'DROP DATABASE IF EXISTS "{name}"')
        users.run(f"DROP ROLE IF EXISTS {PREFIX}_999999_0123abcd_owner")


def test_what_the_address_leaves_out_libpq_takes_from_elsewhere(
    users: Database, postgres: Server, platform: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", postgres.endpoint.host)
    monkeypatch.setenv("PGUSER", "maker")
    monkeypatch.setenv("SHOP_DB", "dbname=precious password='hush hush' application_name=proofs")
    with RemoteServer(read_address("env:SHOP_DB")) as server:
        endpoint = server.endpoint
        assert (endpoint.host, endpoint.user, endpoint.database) == (postgres.endpoint.host, "maker", "precious")
        assert dict(endpoint.more) == {"application_name": "proofs"}
        assert "hush" not in repr(endpoint)
    result = run("prove", platform, "--service", "accounts", "--database-url", "env:SHOP_DB", "--format", "json")
    assert result.code in (0, 1), result.err
