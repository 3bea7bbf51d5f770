"""The file: SQLite in WAL mode, which several processes may read and write at once.

Whatever goes wrong with it (a full disk, a damaged file, a lock that nobody gives up) costs time and nothing else: a
damaged file is thrown away, and after any other failure the run goes on without a cache.
"""

from __future__ import annotations

import os
import pickle
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

from remediate.cache.codec import UnreadableEntryError, decode, encode
from remediate.cache.fingerprint import fingerprint
from remediate.cache.folder import UnusableError, prepare, require_own

FILE_NAME = "cache-1.sqlite3"
"""The number is that of the table's layout."""

LARGEST_ENTRY = 64 * 1024 * 1024
LARGEST_FILE = 512 * 1024 * 1024
"""Bytes of entries; what was used longest ago goes first."""

_DAY = 24 * 3600
_PATIENCE = 2.0
"""Seconds to wait for another process's write."""

_DAMAGED = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""Result codes of a file that is no database, is damaged, or has other tables than ours."""
_PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL})

_T = TypeVar("_T")

_LAYOUT = """
CREATE TABLE IF NOT EXISTS entries (
  key BLOB PRIMARY KEY, size INTEGER NOT NULL, used INTEGER NOT NULL, digest BLOB NOT NULL, value BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_by_use ON entries (used, size);
"""


class Cache:
    """Entries by key. `problem` is the reason why it is not used (any more), or None.

    A `Cache` belongs to the thread that made it only as far as SQLite goes: one thread at a time may use it.
    """

    def __init__(self, folder: Path, *, largest: int = LARGEST_FILE) -> None:
        self.folder = folder
        self.problem: str | None = None
        self._largest = largest
        self._connection: sqlite3.Connection | None = None
        self._written = False

    @cached_property
    def _fingerprint(self) -> bytes:
        return fingerprint()

    def key(self, kind: str, *parts: bytes) -> bytes:
        """The key of what is computed from these bytes by this program."""
        digest = blake2b(self._fingerprint, digest_size=32)
        for part in (kind.encode(), *parts):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
        return digest.digest()

    def load(self, key: bytes, kind: type[_T]) -> _T | None:
        """The entry, None where there is none that is whole and of that type."""
        row = self._run(lambda connection: self._select(connection, key))
        if row is None:
            return None
        value, digest = row
        if digest != _digest(key, value):
            return None
        try:
            found = decode(value)
        except UnreadableEntryError:
            return None
        return found if isinstance(found, kind) else None

    def save(self, key: bytes, value: object) -> None:
        """Keeps plain data; what is no plain data, or too much of it, is not kept."""
        try:
            data = encode(value)
        except (pickle.PicklingError, TypeError, AttributeError, RecursionError):
            return
        if len(data) <= LARGEST_ENTRY:
            self._run(lambda connection: self._insert(connection, key, data))

    def close(self) -> None:
        """Ends the use of it; what is too much goes. It opens again when it is used again."""
        if self._written:
            self._run(self._evict)
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection, self._written = None, False

    # ------------------------------------------------------------------------------------------------- statements

    @staticmethod
    def _select(connection: sqlite3.Connection, key: bytes) -> tuple[bytes, bytes] | None:
        row = connection.execute("SELECT value, digest, used FROM entries WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        value, digest, used = row
        if not isinstance(value, bytes) or not isinstance(digest, bytes):
            return None
        now = int(time.time())
        if not isinstance(used, int) or abs(now - used) > _DAY:
            with _unless_it_is_taken():
                connection.execute("UPDATE entries SET used = ? WHERE key = ?", (now, key))
        return value, digest

    def _insert(self, connection: sqlite3.Connection, key: bytes, data: bytes) -> None:
        row = (key, len(data), int(time.time()), _digest(key, data), data)
        with _unless_it_is_taken():
            connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", row)
            self._written = True

    def _evict(self, connection: sqlite3.Connection) -> None:
        with _unless_it_is_taken():
            total = connection.execute("SELECT coalesce(sum(size), 0) FROM entries").fetchone()[0]
            if total <= self._largest:
                return
            oldest = connection.execute("SELECT rowid, size FROM entries ORDER BY used, size DESC").fetchall()
            gone = []
            for rowid, size in oldest:
                if total <= self._largest * 3 // 4:
                    break
                total -= size
                gone.append((rowid,))
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM entries WHERE rowid = ?", gone)
            connection.execute("COMMIT")

    # ------------------------------------------------------------------------------------------------- connection

    def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """Works on the file; once more on a new one where it is damaged."""
        for again in (True, False):
            if self.problem is not None:
                return None
            try:
                if self._connection is None:
                    self._connection = self._open()
                return work(self._connection)
            except UnusableError as error:
                self.problem = str(error)
            except (sqlite3.Error, ValueError) as error:
                # ValueError: damage in what should be text, met while SQLite's own complaint is read.
                damaged = not isinstance(error, sqlite3.Error) or _result_code(error) in _DAMAGED
                if not (again and damaged and self._throw_away()):
                    self.problem = str(error)
            except OSError as error:
                self.problem = error.strerror or str(error)
        return None

    def _open(self) -> sqlite3.Connection:
        prepare(self.folder)
        path = self.folder / FILE_NAME
        # Made by us, so that it is the user's alone to read, too: it holds what migrations say.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        require_own(path)
        connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_LAYOUT)
        except BaseException:
            connection.close()
            raise
        return connection

    def _throw_away(self) -> bool:
        """Removes a damaged file. Others that have it open go on with theirs."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        try:
            for suffix in ("", "-wal", "-shm"):
                (self.folder / (FILE_NAME + suffix)).unlink(missing_ok=True)
        except OSError:
            return False
        return True


def _result_code(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code; None for what the module itself complains of (a connection that was closed)."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


@contextmanager
def _unless_it_is_taken() -> Iterator[None]:
    """Another process writes for longer than we wait, or there is no room: then this once nothing is written."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if _result_code(error) not in _PASSING:
            raise


def _digest(key: bytes, value: bytes) -> bytes:
    return blake2b(value, digest_size=16, key=key).digest()
