"""The file of the cache: what is kept comes back, and whatever else happens to it costs time and nothing more."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediate.cache import fingerprint as fingerprints
from remediate.cache.codec import UnreadableEntryError, decode, encode
from remediate.cache.folder import UnusableError, cache_folder, prepare
from remediate.cache.store import FILE_NAME, Cache
from remediate.evaluate.values import UNDEFINED, Assumed, Unknown
from remediate.source.place import Place, Unresolved


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


VALUE = (Unresolved("orders", Place("a.ts", 3), "why"), {"a": [1, 2.5, None, True]}, b"\0")


def kept(folder: Path) -> bytes:
    """Keeps `VALUE`, and gives its key."""
    cache = Cache(folder)
    key = cache.key("test", b"one")
    cache.save(key, VALUE)
    cache.close()
    assert cache.problem is None
    return key


def read(folder: Path, key: bytes) -> object:
    cache = Cache(folder)
    found = cache.load(key, tuple)
    cache.close()
    assert cache.problem is None
    return found


def statement(folder: Path, text: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.execute(text, values)
        connection.commit()


def test_what_is_kept_comes_back(folder: Path) -> None:
    assert read(folder, kept(folder)) == VALUE


def test_another_type_than_is_wanted_is_nothing(folder: Path) -> None:
    key = kept(folder)
    assert Cache(folder).load(key, dict) is None


def test_keys_tell_parts_apart(folder: Path) -> None:
    cache = Cache(folder)
    keys = [cache.key(*parts) for parts in (("a", b"bc"), ("a", b"b", b"c"), ("ab", b"c"), ("a", b"bc", b""))]
    assert len(set(keys)) == 4


def test_a_program_that_was_changed_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "remediate"
    package.mkdir()
    (package / "__init__.py").write_text("a = 1\n")
    monkeypatch.setattr(fingerprints.remediate, "__file__", str(package / "__init__.py"))
    before = fingerprints.fingerprint()
    assert fingerprints.fingerprint() == before
    times = os.stat(package / "__init__.py")
    (package / "__init__.py").write_text("a = 2\n")
    os.utime(package / "__init__.py", ns=(times.st_atime_ns, times.st_mtime_ns))
    changed = fingerprints.fingerprint()
    (package / "other.py").write_text("")
    assert len({before, changed, fingerprints.fingerprint()}) == 3


# ------------------------------------------------------------------------------------------------------------ damage


@settings(deadline=None)
@given(st.binary(max_size=2000), st.integers(0, 20_000))
def test_a_damaged_file_is_made_anew(tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    key = kept(folder)
    file = folder / FILE_NAME
    data = file.read_bytes()
    file.write_bytes(data[:at] + junk + data[at + len(junk) :])
    # The bytes that were hit may be of no consequence; whatever is answered is right.
    assert read(folder, key) in (VALUE, None)
    assert kept(folder) == key
    assert read(folder, key) == VALUE


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough for a header", b"\0" * 100_000])
def test_a_file_that_is_no_database_is_replaced(folder: Path, content: bytes) -> None:
    folder.mkdir(mode=0o700)
    (folder / FILE_NAME).write_bytes(content)
    assert read(folder, kept(folder)) == VALUE


def test_a_database_of_other_tables_is_replaced(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    statement(folder, "CREATE TABLE entries (key TEXT, value TEXT)")
    assert read(folder, kept(folder)) == VALUE


def test_the_folder_may_go_at_any_time(folder: Path) -> None:
    cache = Cache(folder)
    key = cache.key("test", b"one")
    cache.save(key, VALUE)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    cache.load(key, tuple)
    cache.save(key, VALUE)
    cache.close()
    assert read(folder, kept(folder)) == VALUE


@pytest.mark.parametrize("column", ["value", "digest", "used", "size"])
@pytest.mark.parametrize("junk", [None, b"", b"junk", "text", 7, -(2**62)])
def test_an_entry_that_was_tampered_with_is_nothing_or_right(folder: Path, column: str, junk: object) -> None:
    key = kept(folder)
    try:
        statement(folder, f"UPDATE entries SET {column} = ?", junk)
    except sqlite3.IntegrityError:
        return  # NOT NULL
    assert read(folder, key) == (VALUE if column in ("used", "size") else None)
    assert read(folder, kept(folder)) == VALUE


def test_a_value_does_not_pass_for_another(folder: Path) -> None:
    """The digest is that of the key, too."""
    cache = Cache(folder)
    one, two = cache.key("test", b"one"), cache.key("test", b"two")
    cache.save(one, (1,))
    cache.save(two, (2,))
    cache.close()
    statement(folder, "UPDATE entries SET value = (SELECT value FROM entries WHERE key = ?), "
              "digest = (SELECT digest FROM entries WHERE key = ?)", one, one)  # fmt: skip
    assert read(folder, one) == (1,)
    assert read(folder, two) is None


# ---------------------------------------------------------------------------------------------------------- security


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/remediate-was-here",)


def test_reading_an_entry_runs_nothing() -> None:
    data = pickle.dumps(Hostile())
    with pytest.raises(UnreadableEntryError, match="system is no plain data"):
        decode(data)


@pytest.mark.parametrize(
    "name",
    [
        "builtins.eval",
        "remediate.source.place.dataclass",  # imported there, not ours
        "remediate.evaluate.values.HostObject",
        "remediate.deliver.own_files.replace_whole",
        "remediate.replay.catalog.Any",
    ],
)
def test_nothing_but_plain_data_can_be_named(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    data = b"\x80\x04" + b"".join(
        b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, attribute)
    ) + b"\x93."  # fmt: skip
    with pytest.raises(UnreadableEntryError, match="no plain data"):
        decode(data)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_end_in_data_or_in_that_error(data: bytes) -> None:
    with suppress(UnreadableEntryError):
        decode(data)


def test_undefined_stays_itself() -> None:
    found = decode(encode((UNDEFINED, Assumed("r", None, True, UNDEFINED), Unknown("x"))))
    assert found[0] is UNDEFINED
    assert found[1].value is UNDEFINED


def test_what_is_no_plain_data_is_not_kept(folder: Path) -> None:
    cache = Cache(folder)
    key = cache.key("test")
    cache.save(key, (lambda: None,))
    assert cache.load(key, tuple) is None
    assert cache.problem is None


def test_the_folder_and_the_file_are_the_users_alone(folder: Path) -> None:
    kept(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / FILE_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_may_write_to_is_not_used(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    cache = Cache(folder)
    cache.save(cache.key("test"), VALUE)
    assert cache.problem == "others may write to cache"
    assert list(folder.iterdir()) == []


def test_a_file_that_others_may_write_to_is_not_used(folder: Path) -> None:
    key = kept(folder)
    (folder / FILE_NAME).chmod(0o666)
    cache = Cache(folder)
    assert cache.load(key, tuple) is None
    assert cache.problem == f"others may write to {FILE_NAME}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give files away")
def test_a_folder_of_somebody_else_is_not_used(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    with pytest.raises(UnusableError, match="belongs to another user"):
        prepare(folder)


# ------------------------------------------------------------------------------------------------- where it may not be


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "cache")
    cache.save(cache.key("test"), VALUE)
    assert cache.load(cache.key("test"), tuple) is None
    cache.close()
    assert cache.problem == "Not a directory"


def test_where_it_lies(tmp_path: Path) -> None:
    assert cache_folder({"REMEDIATE_CACHE_DIR": str(tmp_path)}) == tmp_path
    if sys.platform != "win32":
        assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "remediate"
        assert cache_folder({"XDG_CACHE_HOME": "relative"}) == Path.home() / ".cache" / "remediate"


# --------------------------------------------------------------------------------------------------------- many of them


def _write_and_read(folder: Path, number: int) -> None:
    for turn in range(30):
        cache = Cache(folder)
        for entry in range(5):
            key = cache.key("test", str(entry).encode())
            found = cache.load(key, tuple)
            assert found is None or found == (entry, "x" * 10_000)
            cache.save(key, (entry, "x" * 10_000))
        cache.close()
        assert cache.problem is None, (number, turn, cache.problem)


def test_several_processes_at_once(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_and_read, args=(folder, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]


def test_a_process_that_was_killed_in_the_middle_leaves_it_whole(folder: Path) -> None:
    key = kept(folder)
    script = (
        "import os, sys; from pathlib import Path; from remediate.cache.store import Cache; "
        "cache = Cache(Path(sys.argv[1])); cache.save(cache.key('test', b'two'), (2,)); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(folder)], check=False).returncode == 9
    assert read(folder, key) == VALUE


def test_a_writer_that_takes_too_long_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remediate.cache.store._PATIENCE", 0.01)
    key = kept(folder)
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        cache = Cache(folder)
        assert cache.load(key, tuple) == VALUE
        cache.save(cache.key("test", b"two"), (2,))
        assert cache.load(cache.key("test", b"two"), tuple) is None
        cache.close()
    assert cache.problem is None
    assert read(folder, kept(folder)) == VALUE


def test_what_was_used_longest_ago_goes_first(folder: Path) -> None:
    cache = Cache(folder)
    keys = [cache.key("test", bytes([number])) for number in range(11)]
    for key in keys[:10]:
        cache.save(key, ("x" * 10_000,))
    cache.close()
    statement(folder, "UPDATE entries SET used = rowid")
    smaller = Cache(folder, largest=50_000)
    assert smaller.load(keys[0], tuple) is not None  # which makes it one of the latest
    smaller.save(keys[10], ("x" * 10_000,))
    smaller.close()
    left = [number for number, key in enumerate(keys) if smaller.load(key, tuple) is not None]
    smaller.close()
    assert left == [0, 9, 10]  # three quarters of what fits
