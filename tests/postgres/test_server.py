"""The life cycle of the embedded server: it starts alone, is closed to others, and leaves nothing behind."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from remediate.errors import RemediateError
from remediate.postgres import workroom
from remediate.postgres.account import Account, server_account
from remediate.postgres.binaries import Binaries, find_binaries, inspect_binaries, readable_binaries
from remediate.postgres.database import connect, create_database, drop_database, scratch_database
from remediate.postgres.server import Server
from remediate.postgres.workroom import enter_room, find_base, memory_folder, wait_until
from support.database import Database
from support.node import REPOSITORY

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become, or has to become, another account")


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of this test's own for servers, with a path that is short enough for sockets."""
    folder = (memory_folder() or Path("/tmp")) / f"rt{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o755)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


def new_server(binaries: Binaries | None = None) -> Server:
    """A server that has not started; in memory where there is room, since these tests start many."""
    return Server(binaries, parent=memory_folder())


def _postmaster(server: Server) -> int:
    return int((server.folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # A process that nobody waited for is dead all the same.
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_starts_answers_and_leaves_nothing(temporary: Path) -> None:
    with Server() as server:
        folder, postmaster = server.folder, _postmaster(server)
        with connect(server.endpoint, "postgres") as connection:
            assert connection.execute("SELECT current_user, version()").fetchone()[0] == "postgres"  # type: ignore[index]
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
    assert not folder.exists()
    assert not _runs(postmaster)
    assert not server.running
    assert [path.name for path in temporary.glob("remediate-*/*") if not path.name.startswith("postgres-")] == ["lock"]


def test_two_run_at_once_and_know_nothing_of_each_other() -> None:
    with new_server() as one, new_server() as other:
        create_database(one.endpoint, "only_here")
        with connect(other.endpoint, "postgres") as connection:
            assert connection.execute("SELECT FROM pg_database WHERE datname = 'only_here'").fetchone() is None


def test_starts_again_after_a_stop_and_may_be_stopped_twice() -> None:
    server = new_server()
    for _ in range(2):
        server.start()
        assert server.running
        server.stop()
        server.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.folder


def test_outlives_the_thread_that_started_it() -> None:
    server = new_server()
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    try:
        with connect(server.endpoint, "postgres") as connection:
            connection.execute("SELECT 1")
    finally:
        server.stop()


def test_the_folders_are_closed_to_others(postgres: Server) -> None:
    for folder in (postgres.folder, postgres.folder / "data", postgres.folder / "socket"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@as_root
def test_root_runs_it_as_an_account_without_rights(postgres: Server) -> None:
    account = server_account()
    assert account is not None
    assert account.uid != 0
    assert (postgres.folder / "data").stat().st_uid == account.uid
    status = Path(f"/proc/{_postmaster(postgres)}/status").read_text()
    assert f"Uid:\t{account.uid}\t{account.uid}\t{account.uid}" in status
    assert "Groups:\t \n" in status or f"Groups:\t{account.gid} \n" in status


@as_root
def test_an_ordinary_user_starts_it_too(tmp_path: Path) -> None:
    binaries = readable_binaries(find_binaries(), server_account(), find_base(server_account()))
    script = (
        "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "from remediate.postgres.server import Server\n"
        "from remediate.postgres.binaries import Binaries\n"
        "from pathlib import Path\n"
        f"with Server(Binaries(Path({str(binaries.folder)!r}), {binaries.version!r})) as server:\n"
        "    print(server.running, (server.folder / 'data').stat().st_uid)\n"
    )
    # Everything is imported before the rights are dropped: the interpreter may stand where only root can read.
    preload = "import remediate.postgres.server, encodings.ascii, encodings.latin_1, encodings.idna\n"
    done = subprocess.run([sys.executable, "-c", preload + script], capture_output=True, text=True, env=_environment())
    assert done.stdout == "True 65534\n", done.stderr


@as_root
def test_binaries_that_the_account_cannot_read_are_copied_once(tmp_path: Path) -> None:
    account = Account("nobody", 65534, 65534)
    original = find_binaries()
    package = original.folder.parents[1]
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in (package.name, f"{package.name}.libs"):
        if (package.parent / name).is_dir():
            (closed / name).symlink_to(package.parent / name)
    found = inspect_binaries(closed / package.name / "pginstall" / "bin")
    with tempfile.TemporaryDirectory(dir="/tmp") as base:
        Path(base).chmod(0o711)
        assert readable_binaries(found, None, Path(base)) == found
        copy = readable_binaries(found, account, Path(base))
        assert copy.folder.is_relative_to(base)
        assert account.may_run(copy.postgres)
        assert readable_binaries(found, account, Path(base)) == copy
        with new_server(copy) as server:
            assert server.running


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(REPOSITORY / "src")}


_CHILD = """
import sys, time
from remediate.postgres.server import Server
from remediate.postgres.workroom import memory_folder
server = Server(parent=memory_folder()).start()
print(server.folder, (server.folder / "data" / "postmaster.pid").read_text().split()[0], flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_parent_leaves_no_server(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=_environment()
    ) as child:
        assert child.stdout is not None
        folder, postmaster = child.stdout.readline().split()
        assert _runs(int(postmaster))
        child.send_signal(number)
    assert wait_until(lambda: not _runs(int(postmaster)), 5)
    assert wait_until(lambda: not (Path(folder) / "data").exists(), 5), "the data are removed with the server"
    with new_server():
        assert not Path(folder).exists(), "the next start sweeps what is left"


@pytest.mark.skipif(sys.platform != "linux", reason="finds the watcher in /proc")
def test_what_a_dead_process_left_is_swept_and_its_server_stopped(temporary: Path) -> None:
    server = Server().start()
    folder, postmaster = server.folder, _postmaster(server)
    assert server._process is not None
    assert server._room is not None
    # The worst case: the watcher is killed too, and the lock is gone with its process.
    shell = server._process.pid
    children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
    for process in {shell, *map(int, children)} - {postmaster}:
        os.kill(process, signal.SIGKILL)
    server._process.wait()
    server._room._lock.close()
    assert _runs(postmaster)
    with Server():
        assert not folder.exists()
        assert not _runs(postmaster)
    server._room = None


def test_the_living_are_not_swept(temporary: Path) -> None:
    with Server() as server, Server():
        assert server.running
        assert server.folder.is_dir()


def test_a_server_that_crashes_is_told_from_one_that_runs() -> None:
    with new_server() as server:
        os.kill(_postmaster(server), signal.SIGKILL)
        assert wait_until(lambda: not server.running, 5)
        with pytest.raises(RemediateError, match=r"cannot connect"):
            connect(server.endpoint, "postgres")


def test_a_folder_of_somebody_else_is_refused(temporary: Path) -> None:
    (temporary / f"remediate-{os.geteuid()}").symlink_to("/tmp")
    with pytest.raises(RemediateError, match="is not a folder of this user; remove it, or set TMPDIR"):
        find_base(None)


def test_a_path_too_long_for_a_socket_is_not_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    assert not find_base(None).is_relative_to(long)
    monkeypatch.setattr(workroom, "_LONGEST_FOLDER", 5)
    with pytest.raises(RemediateError, match="set TMPDIR to a folder with a short path"):
        find_base(None)


def test_no_binaries_is_one_line_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        RemediateError, match=r"not installed; install the extra: pip install 'knex-remediate\[prove\]'"
    ):
        new_server().start()


def test_a_full_disk_is_one_line_and_leaves_nothing(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, mode: int = 0o777) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    base = find_base(server_account())
    monkeypatch.setattr(Path, "mkdir", full)
    monkeypatch.setattr("remediate.postgres.server.find_base", lambda *arguments: base)
    with pytest.raises(RemediateError, match="No space left on device") as caught:
        new_server(find_binaries()).start()
    assert "\n" not in str(caught.value)
    assert [path.name for path in base.iterdir() if path.is_dir() and not path.name.startswith("postgres-")] == []


def test_what_the_server_says_is_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remediate.postgres.server._settings", lambda major: {"shared_buffers": "many"})
    with pytest.raises(RemediateError, match=r'PostgreSQL did not start: .*FATAL: .*"shared_buffers": "many"'):
        new_server().start()


def test_a_lock_is_let_go_when_its_room_is_left(temporary: Path) -> None:
    room = enter_room(temporary, None)
    assert room.path.is_dir()
    room.leave()
    room.leave()
    assert [path.name for path in temporary.iterdir()] == ["lock"]


def test_databases_are_copied_and_dropped_with_who_is_in_them(postgres: Server) -> None:
    with scratch_database(postgres.endpoint) as template:
        Database(postgres.endpoint, template).run('CREATE TABLE "a table"(); INSERT INTO "a table" DEFAULT VALUES')
        name = create_database(postgres.endpoint, 'quoted "name"', template=template)
        copy = Database(postgres.endpoint, name)
        connection = copy.connect()
        assert connection.execute('SELECT count(*) FROM "a table"').fetchone() == (1,)
        drop_database(postgres.endpoint, name)
        drop_database(postgres.endpoint, name)
        connection.close()
        with pytest.raises(RemediateError, match="does not exist"):
            copy.connect()
    with pytest.raises(RemediateError, match=r"CREATE DATABASE failed: template database .* does not exist"):
        create_database(postgres.endpoint, template=template)
