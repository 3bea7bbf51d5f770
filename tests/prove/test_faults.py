"""Faults for real: full disks, old servers, standbys, cut lines. One line with place, cause, next step; nothing stays.

What a fault leaves on a server that cannot be reached any more goes with the next run.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.running import command, one_line, run
from cli.workspaces import PLATFORM, raw, typescript, write
from prove.workshop import Workshop
from remediate.errors import RemediateError
from remediate.postgres import server as server_module
from remediate.postgres.account import server_account
from remediate.postgres.address import read_address
from remediate.postgres.binaries import find_binaries, readable_binaries
from remediate.postgres.remote import PREFIX, RemoteServer
from remediate.postgres.server import Server
from remediate.postgres.versions import fetch_major, find_major
from remediate.postgres.workroom import find_base, memory_folder
from support.database import Database
from support.proxy import Proxy

CONFIGURED = {**PLATFORM, "remediate.toml": "[workspace]\npostgres = 18\n"}
LARGE = raw("CREATE TABLE large AS SELECT n, repeat('x', 1000) AS t FROM generate_series(1, 100000) AS n")
"""Some 100 MB."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("platform"), CONFIGURED)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {**CONFIGURED, "services/orders/migrations/003_large.ts": typescript(LARGE)}
    return write(tmp_path_factory.mktemp("large"), files)


@contextmanager
def small_disk(size: str) -> Iterator[Path]:
    """A file system of that size, on which a server may live: where the account that it runs as gets to."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=1777", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"a small disk takes the right to mount one: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


def left_behind(server: Server) -> list[Any]:
    maintenance = Database(server.endpoint, "postgres")
    names = maintenance.run(f"SELECT datname FROM pg_database WHERE datname ~ '{PREFIX}'")
    return names + maintenance.run(f"SELECT rolname FROM pg_roles WHERE rolname ~ '{PREFIX}'")


def url_of(server: Server, user: str = "postgres") -> str:
    return f"postgresql://{user}@/postgres?host={server.endpoint.host}"


# ------------------------------------------------------------------------------------------ a full disk


@pytest.mark.parametrize(
    ("size", "said"),
    [("8m", "PostgreSQL could not be set up: "), ("90m", "PostgreSQL could not go on: ")],
    ids=["before it starts", "while it works"],
)
def test_the_disk_of_its_own_server_is_full(size: str, said: str, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = server_account()
    programs = readable_binaries(find_binaries(), account, find_base(account))
    with small_disk(size) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        monkeypatch.setattr("remediate.postgres.workroom.memory_folder", lambda: None)
        # Programs that the server's account cannot run where they are would be copied onto the small disk first.
        monkeypatch.setattr(server_module, "readable_binaries", lambda *given: programs)
        line = one_line(run("prove", large))
        assert line.startswith(str(disk)), line
        assert said in line
        assert "No space left on device" in line or " bytes at block " in line
        assert line.endswith("; free room there, or set TMPDIR")
        assert [path for path in disk.rglob("*") if path.is_file()] == [next(disk.glob("remediate-*")) / "lock"]


def test_the_disk_of_a_users_server_is_full(large: Path) -> None:
    with small_disk("90m") as disk, Server(parent=disk) as server:
        line = one_line(run("prove", large, "--database-url", url_of(server), "--create-roles"))
        assert "No space left on device" in line
        assert line.endswith("; free room on its disk")
        assert left_behind(server) == []


# ------------------------------------------------------------------------------------------ other servers


@pytest.fixture(scope="module")
def old() -> Iterator[Server]:
    """A server of a version that cannot be read back."""
    try:
        binaries = find_major(13) or fetch_major(13)
    except RemediateError as error:
        pytest.skip(f"there is no PostgreSQL 13 here: {error}")
    with Server(binaries, parent=memory_folder()) as server:
        yield server


@pytest.mark.parametrize("name", ["prove", "audit", "plan"])
def test_a_server_that_is_too_old(name: str, old: Server, platform: Path) -> None:
    line = one_line(run(name, platform, "--database-url", url_of(old)))
    assert line.startswith(f"database postgres at {old.endpoint.host}: the server is PostgreSQL 13.")
    assert ", which is too old; PostgreSQL 14 " in line
    assert left_behind(old) == []


def test_a_production_that_is_too_old_is_proven_on_another_version(old: Server, tmp_path: Path) -> None:
    """Though its binaries are on the machine."""
    write(tmp_path, {**CONFIGURED, "remediate.toml": "[workspace]\npostgres = 13\n"})
    result = run("prove", tmp_path, "--service", "accounts")
    assert result.code == 0, result.err
    assert "only (production runs 13)" in result.last


_AS_A_PRIMARY = {"wal_level": "replica", "max_connections": "100", "max_wal_senders": "10"}
"""What initdb's own server had, so that recovery goes on from there."""


@pytest.fixture(scope="module")
def standby() -> Iterator[Server]:
    """A server in recovery that takes readers: as after a restore from a base backup, with no primary to follow."""

    class Standby(Server):
        def _lay_out(self, binaries: Any) -> None:
            super()._lay_out(binaries)
            (self.folder / "data" / "standby.signal").touch()

    with pytest.MonkeyPatch.context() as patch:
        settings = server_module._settings
        patch.setattr(server_module, "_settings", lambda major: settings(major) | _AS_A_PRIMARY)
        with Standby(parent=memory_folder()) as server:
            yield server


def test_a_standby_takes_no_proofs(standby: Server, platform: Path) -> None:
    line = one_line(run("prove", platform, "--database-url", url_of(standby)))
    assert line.endswith(
        "the server is a standby, which takes no writes; name its primary, or a server of its own for proofs"
    )


def test_a_standby_can_be_audited(standby: Server, platform: Path) -> None:
    result = run("audit", platform, "--database-url", url_of(standby))
    assert result.code in (0, 1), result.err


@pytest.fixture(scope="module")
def users(postgres: Server) -> Iterator[Database]:
    maintenance = Database(postgres.endpoint, "postgres")
    made = {"keeper": "LOGIN CREATEDB", "lone": "LOGIN CREATEDB CONNECTION LIMIT 2", "mute": "NOLOGIN CREATEDB"}
    for name, rights in made.items():
        maintenance.run(f"CREATE ROLE {name} {rights}")
    maintenance.run("ALTER ROLE keeper SET default_transaction_read_only = on")
    yield maintenance
    for name in made:
        maintenance.run(f"DROP ROLE {name}")


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("keeper", "transactions are read-only there; name a server for proofs"),
        ("lone", 'too many connections for role "lone"; raise its CONNECTION LIMIT'),
        ("mute", 'cannot connect: role "mute" is not permitted to log in; name a role with LOGIN'),
    ],
)
def test_a_role_that_cannot_do_it(user: str, said: str, users: Database, postgres: Server, platform: Path) -> None:
    assert said in one_line(run("prove", platform, "--database-url", url_of(postgres, user)))
    assert left_behind(postgres) == []


LONG = f"/tmp/{'long' * 30}"


@pytest.mark.parametrize("name", ["prove", "audit"])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:secret@127.0.0.1:1/d", "at 127.0.0.1:1: cannot connect: Connection refused; check host, port"),
        ("postgresql://u:secret@127.0.0.1:70000/d", 'invalid port number: "70000"; write a port between 1 and 65535'),
        (
            "host=127.0.0.1 port=many user=u password=secret",
            'invalid integer value "many" for connection option "port"',
        ),
        (f"host={LONG} user=u password=secret", "is too long (maximum 107 bytes); name a host and a port"),
        ("host=/tmp user=u password=secret port=1", "No such file or directory; check the folder of the socket"),
        ("host=no.such.host.invalid user=u password=secret", "failed to resolve host 'no.such.host.invalid': Name or"),
    ],
)
def test_an_address_that_leads_nowhere(name: str, url: str, said: str, platform: Path) -> None:
    line = one_line(run(name, platform, "--database-url", url))
    assert said in line
    assert "secret" not in line


# ------------------------------------------------------------------------------------------ a line that is cut


@pytest.fixture
def proxied(postgres: Server) -> Iterator[Callable[..., AbstractContextManager[tuple[Proxy, str]]]]:
    @contextmanager
    def behind(cut_at: bytes, *, for_good: bool = False) -> Iterator[tuple[Proxy, str]]:
        with Proxy(f"{postgres.endpoint.host}/.s.PGSQL.5432", cut_at, for_good) as proxy:
            yield proxy, f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres?sslmode=disable"

    yield behind
    with RemoteServer(read_address(url_of(postgres))):
        pass
    assert left_behind(postgres) == [], "the next run sweeps what is left"


@pytest.mark.parametrize(
    "cut_at",
    [
        b"rolcreatedb",
        b"CREATE DATABASE",
        b"create table",
        b"pg_locks",
        b"SAVEPOINT attempt",
        b"FORCE ROW",
        b"DROP DATABASE",
    ],
)
def test_one_session_is_cut(
    cut_at: bytes, proxied: Callable[..., AbstractContextManager[tuple[Proxy, str]]], platform: Path, postgres: Server
) -> None:
    with proxied(cut_at) as (proxy, url):
        line = one_line(command("prove", platform, "--database-url", url, "--create-roles"))
        assert proxy.cuts == 1
    assert "the connection was cut: server closed the connection unexpectedly; try again" in line
    assert left_behind(postgres) == [], "the server can still be reached, and is cleaned up"


@pytest.mark.parametrize("cut_at", [b"CREATE DATABASE", b"pg_locks"])
def test_the_server_is_gone_for_good(
    cut_at: bytes, proxied: Callable[..., AbstractContextManager[tuple[Proxy, str]]], platform: Path
) -> None:
    with proxied(cut_at, for_good=True) as (_, url):
        assert "the connection was cut" in one_line(command("prove", platform, "--database-url", url, "--create-roles"))


def test_the_sessions_on_a_users_server_are_ended(platform: Path, postgres: Server) -> None:
    """All of them, that which keeps the scratch databases, too."""
    workshop = Workshop.of(platform)

    def cut(what: str) -> None:
        if what.startswith("Proving"):
            Database(postgres.endpoint, "postgres").run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            )

    with (
        pytest.raises(RemediateError, match="terminating connection due to administrator command"),
        RemoteServer(read_address(url_of(postgres)), create_roles=True) as remote,
    ):
        workshop.prove(remote, step=cut)
    assert left_behind(postgres) == []


# ------------------------------------------------------------------------------------------ no PostgreSQL at all


@pytest.mark.parametrize("found", [False, True], ids=["no package", "a package without programs"])
def test_there_are_no_binaries(found: bool, platform: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Spec:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr("remediate.postgres.versions.find_major", lambda major: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: Spec() if found else None)
    line = one_line(run("prove", platform))
    if found:
        assert line == f"{tmp_path}/pginstall/bin: has no PostgreSQL for this platform; use --database-url"
    else:
        assert line.startswith("the PostgreSQL to prove with is not installed; install the extra: pip install")


def test_a_platform_that_nobody_built_for(platform: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {**CONFIGURED, "remediate.toml": "[workspace]\npostgres = 16\n"})
    monkeypatch.setattr("remediate.postgres.versions.find_major", lambda major: None)
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    line = one_line(run("prove", tmp_path, "--fetch-postgres"))
    assert line == "linux riscv64: there is no PostgreSQL 16 to fetch; use --database-url"
