"""Where servers live: one folder for each, under a folder of this user, swept of what dead processes left.

A server's folder belongs to a process as long as that process holds the lock on `<name>.lock` beside it. The kernel
lets go of the lock when the process ends, however it ends, so nothing depends on process ids that may be taken again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from remediate.errors import RemediateError
from remediate.postgres.account import Account

# A socket's path has room for 103 bytes on macOS and 107 on Linux; PostgreSQL adds `/.s.PGSQL.5432`.
_LONGEST_FOLDER = 103 - len("/.s.PGSQL.5432")
_LONGEST_NAME = len("/12345678/socket")


@dataclass(slots=True)
class Room:
    """The folder of one server, ours until `leave`. `path` is mode 0700 and belongs to the server's account."""

    path: Path
    _lock: IO[str]

    def leave(self) -> None:
        """Remove the folder and let go of it; safe to call twice."""
        if self._lock.closed:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        Path(self._lock.name).unlink(missing_ok=True)
        self._lock.close()


def memory_folder(free: int = 2**30) -> Path | None:
    """A folder in memory with at least `free` bytes of room, where the machine has one.

    A server there makes and clones databases several times faster. It is a choice of the caller: large data fill the
    memory, and where systemd removes what a user leaves in memory at logout, it takes a running server's data too.
    """
    folder = Path("/dev/shm")
    if not folder.is_dir() or shutil.disk_usage(folder).free < free:
        return None
    return folder


def find_base(account: Account | None, preferred: Path | None = None) -> Path:
    """The folder of this user that all rooms stand in, made if needed: in `preferred`, else in a temporary folder.

    Its path is short enough for a socket, and `account` can pass through it. Raises `RemediateError` where no
    temporary folder of the machine allows that.
    """
    name = f"remediate-{os.geteuid()}"
    parents = [preferred, Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    candidates = dict.fromkeys(path.resolve() for path in parents if path)
    for parent in candidates:
        base = parent / name
        if len(os.fsencode(base)) + _LONGEST_NAME > _LONGEST_FOLDER or not os.access(parent, os.W_OK | os.X_OK):
            continue
        if account is None or account.may_enter(parent):
            return _own(base, 0o711 if account else 0o700)
    raise RemediateError(
        "no temporary folder is writable, short enough for a socket, and open to the account of the server",
        place=", ".join(map(str, candidates)),
        hint="set TMPDIR to a folder with a short path",
    )


def _own(base: Path, mode: int) -> Path:
    """Make `base`, or make sure that it is ours: in a shared folder anybody could have made it first."""
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700)
    status = base.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise RemediateError("is not a folder of this user", place=str(base), hint="remove it, or set TMPDIR")
    base.chmod(mode)
    return base


def enter_room(base: Path, account: Account | None) -> Room:
    """Sweep `base` of what dead processes left, then make a new room in it."""
    with locked(base):
        _sweep(base)
        path = base / secrets.token_hex(4)
        lock = _try_lock(path.with_suffix(".lock"))
        assert lock is not None, "a new name cannot be locked by anybody else"
        path.mkdir(mode=0o700)
        if account:
            os.chown(path, account.uid, account.gid)
    return Room(path, lock)


@contextlib.contextmanager
def locked(base: Path) -> Iterator[None]:
    """Hold the lock on `base` itself, against other processes and threads that make or sweep rooms."""
    import fcntl  # not on Windows, where this module has to be importable all the same

    with (base / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _try_lock(path: Path) -> IO[str] | None:
    import fcntl

    lock = path.open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _sweep(base: Path) -> None:
    for path in sorted(base.glob("????????.lock")):
        if lock := _try_lock(path):
            folder = path.with_suffix("")
            _stop_left_over(folder)
            Room(folder, lock).leave()


def _stop_left_over(folder: Path) -> None:
    """Stop the server that still runs in `folder`, if one does.

    Usually none does: a server stops with its process (see `server`). One remains if its watcher was killed too.
    """
    try:
        postmaster = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return
    if str(folder) not in _command_of(postmaster):
        return  # the id was taken by another process since
    for number, patience in ((signal.SIGQUIT, 6.0), (signal.SIGKILL, 2.0)):
        try:
            os.kill(postmaster, number)
        except ProcessLookupError:
            return
        if wait_until(lambda: str(folder) not in _command_of(postmaster), patience):
            return


def _command_of(process: int) -> str:
    """The command line of a process; empty if there is no such process."""
    listing = Path(f"/proc/{process}/cmdline")
    if listing.parent.parent.joinpath("self").exists():
        try:
            return listing.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    done = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(process)], capture_output=True, text=True)
    return done.stdout


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask `condition` every few milliseconds until it is true; False if it is not within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
