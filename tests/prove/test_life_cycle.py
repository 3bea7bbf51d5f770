"""What ends a proof early: signals, a server that is gone. One line, exit code 2, and nothing stays."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.running import COMMAND, environment
from cli.workspaces import PLATFORM, write
from prove.workshop import Workshop
from remediate.errors import RemediateError
from remediate.postgres.address import read_address
from remediate.postgres.database import connect, create_database
from remediate.postgres.remote import PREFIX, RemoteServer
from remediate.postgres.server import Server
from remediate.postgres.workroom import memory_folder, wait_until
from support.database import Database

CONFIGURED = {**PLATFORM, "remediate.toml": "[workspace]\npostgres = 18\n"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("platform"), CONFIGURED)


@pytest.fixture(scope="module")
def workshop(platform: Path) -> Workshop:
    return Workshop.of(platform)


def databases(server: Server) -> list[str]:
    with connect(server.endpoint, "postgres") as connection:
        return [name for (name,) in connection.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()]


def test_a_connection_that_is_cut(workshop: Workshop, postgres: Server) -> None:
    before = databases(postgres)

    def cut(what: str) -> None:
        if what.startswith("Proving"):
            with connect(postgres.endpoint, "postgres") as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                )

    with pytest.raises(RemediateError, match="terminating connection due to administrator command"):
        workshop.prove(postgres, step=cut)
    assert databases(postgres) == before
    assert Database(postgres.endpoint, "postgres").run("SELECT FROM pg_roles WHERE rolname ~ 'remediate'") == []


@pytest.mark.parametrize("moment", ["Attacking", "Proving", "Looking"])
def test_a_server_that_dies(moment: str, workshop: Workshop) -> None:
    with Server(parent=memory_folder()) as server:
        postmaster = int((server.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

        def kill(what: str) -> None:
            if what.startswith(moment) and server.running:
                os.kill(postmaster, signal.SIGKILL)
                wait_until(lambda: not server.running, 5)

        with pytest.raises(RemediateError) as caught:
            workshop.prove(server, step=kill)
        folder = server.folder
    assert "\n" not in str(caught.value)
    assert not folder.exists()


def test_several_at_once(workshop: Workshop, postgres: Server) -> None:
    started = [
        subprocess.Popen(
            [*COMMAND, "prove", str(workshop.tree.label), "--service", "accounts"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in started:
        out, err = process.communicate(timeout=200)
        assert process.returncode == 0, err
        assert "1 proven" in out


# ------------------------------------------------------------------------------------------ signals


class Running:
    """A proof as a process of its own, whose server can be told from those of others."""

    def __init__(self, *arguments: str | Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "prove", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True, start_new_session=True,
        )  # fmt: skip
        self.folder: Path | None = None

    def wait_for_server(self) -> None:
        assert wait_until(lambda: self._found() or self.process.poll() is not None, 60)

    def _found(self) -> bool:
        """The folder that the server of this process lives in, by the command line of its watcher."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        try:
            pids = children.read_text().split()
        except OSError:
            return False
        for pid in pids:
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"remediate" in words and (data := words[words.index(b"remediate") + 1]).endswith(b"/data"):
                self.folder = Path(os.fsdecode(data)).parent
                return True
        return False

    def end(self, number: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=90)
        return self.process.returncode, err

    def leaves_nothing(self) -> bool:
        """Neither data nor socket nor server; what a kill left of the folder itself goes with the next run."""
        folder = self.folder
        if folder is None:
            return True
        return wait_until(lambda: not (folder / "data").exists() and not _postgres_in(folder), 20)


def _postgres_in(folder: Path) -> bool:
    for listing in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if os.fsencode(folder / "data") in listing.read_bytes():
                return True
        except OSError:
            continue
    return False


def expect_end(number: signal.Signals, code: int, err: str) -> None:
    """One line and exit code 2, unless it was over before, or had not begun (or could not say anything any more)."""
    if code in (0, -number):
        return
    assert number != signal.SIGKILL
    assert code == 2, err
    assert err == "remediate: interrupted; nothing was left half written\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_leaves_no_server(number: signal.Signals, platform: Path) -> None:
    running = Running(platform, "--unsafe")
    running.wait_for_server()
    assert running.folder is not None
    code, err = running.end(number)
    expect_end(number, code, err)
    assert running.leaves_nothing()
    with Server(parent=memory_folder()):
        assert not running.folder.exists(), "the next run sweeps what is left"


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_at_any_moment_leaves_no_server(number: signal.Signals, platform: Path) -> None:
    for moment in range(12):
        running = Running(platform, "--unsafe")
        time.sleep(moment * 0.35)
        running._found()
        code, err = running.end(number)
        expect_end(number, code, err)
        assert running.leaves_nothing(), moment


@pytest.fixture
def remote(postgres: Server) -> Iterator[Callable[..., Running]]:
    url = f"postgresql://postgres@/postgres?host={postgres.endpoint.host}"
    yield lambda path: Running(path, "--unsafe", "--database-url", url, "--create-roles")
    with RemoteServer(read_address(url)):
        pass
    maintenance = Database(postgres.endpoint, "postgres")
    assert maintenance.run(f"SELECT FROM pg_database WHERE datname ~ '{PREFIX}'") == []
    assert maintenance.run(f"SELECT FROM pg_roles WHERE rolname ~ '{PREFIX}'") == []


def _is_at_work(postgres: Server) -> bool:
    return bool(Database(postgres.endpoint, "postgres").run(f"SELECT FROM pg_database WHERE datname ~ '{PREFIX}'"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_leaves_nothing_on_the_users_server(
    number: signal.Signals, platform: Path, remote: Callable[..., Running], postgres: Server
) -> None:
    running = remote(platform)
    assert wait_until(lambda: _is_at_work(postgres), 60)
    expect_end(number, *running.end(number))
    if number != signal.SIGKILL:
        assert not _is_at_work(postgres), "what can clean up does so itself"


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_at_any_moment_leaves_nothing_on_the_users_server(
    number: signal.Signals, platform: Path, remote: Callable[..., Running], postgres: Server
) -> None:
    for moment in range(12):
        running = remote(platform)
        time.sleep(moment * 0.35)
        expect_end(number, *running.end(number))
        if number != signal.SIGKILL:
            assert not _is_at_work(postgres), moment


def test_a_database_that_nobody_came_to_note_is_dropped_too(postgres: Server) -> None:
    """As after a signal that comes when the server has made it, and we have not heard of that yet."""
    url = f"postgresql://postgres@/postgres?host={postgres.endpoint.host}"

    def interrupted() -> None:
        with RemoteServer(read_address(url)) as server:
            create_database(server.endpoint, server.database_name("shop"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not _is_at_work(postgres)
