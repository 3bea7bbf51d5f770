"""`--write` writes all or nothing, and over nobody's work."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from remediate.deliver import working_tree
from remediate.deliver.working_tree import write
from remediate.errors import RemediateError


def content(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_files_are_added_and_edited(tmp_path, change):
    (tmp_path / "a.ts").write_text("old\n")
    (tmp_path / "a.ts").chmod(0o755)
    written = write(tmp_path, [change("new/folder/b.ts", "b\n"), change("a.ts", "a\n", "old\n")])
    assert written == ["new/folder/b.ts", "a.ts"]
    assert content(tmp_path) == {"a.ts": b"a\n", "new/folder/b.ts": b"b\n"}
    assert stat.S_IMODE((tmp_path / "a.ts").stat().st_mode) == 0o755


def test_what_is_written_already_is_left_as_it_is(tmp_path, change):
    (tmp_path / "a.ts").write_text("a\n")
    before = (tmp_path / "a.ts").stat().st_mtime_ns
    assert write(tmp_path, [change("a.ts", "a\n")]) == []
    assert (tmp_path / "a.ts").stat().st_mtime_ns == before


def test_a_byte_order_mark_survives(tmp_path, change):
    (tmp_path / "a.ts").write_bytes(b"\xef\xbb\xbfold\r\n")
    write(tmp_path, [change("a.ts", "new\r\n", "old\r\n")])
    assert (tmp_path / "a.ts").read_bytes() == b"\xef\xbb\xbfnew\r\n"


@pytest.mark.parametrize(
    ("path", "before", "message"),
    [
        ("a.ts", None, "is there already with other content; nothing was written"),
        ("a.ts", "other\n", "changed since it was read"),
        ("none.ts", "old\n", "changed since it was read"),
        ("../x.ts", None, "lies outside of the workspace"),
        ("link.ts", "old\n", "is a link"),
        ("out/x.ts", None, "lies outside of the workspace"),
        ("a.ts/x.ts", None, "cannot be written: Not a directory"),
    ],
)
def test_a_refusal_writes_nothing(tmp_path, change, path, before, message):
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.ts").write_text("old\n")
    (root / "link.ts").symlink_to("a.ts")
    (root / "out").symlink_to(tmp_path)
    were = content(root)
    with pytest.raises(RemediateError, match=message):
        write(root, [change("fine.ts", "x\n"), change(path, "x\n", before)])
    assert content(root) == were


@pytest.mark.parametrize("failing", ["link", "replace", "fsync", "chmod"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_failure_half_way_rolls_everything_back(tmp_path, change, monkeypatch, failing, number):
    (tmp_path / "a.ts").write_text("old\n")
    (tmp_path / "z.ts").write_text("old\n")
    were = content(tmp_path)
    real, calls = getattr(os, failing), []

    def sometimes(*arguments, **options):
        calls.append(arguments)
        if len(calls) >= 2 or failing in ("link",):
            if failing == "link":
                monkeypatch.setattr(
                    os, "replace", lambda *_: (_ for _ in ()).throw(OSError(number, os.strerror(number)))
                )
            raise OSError(number, os.strerror(number))
        return real(*arguments, **options)

    monkeypatch.setattr(working_tree.os, failing, sometimes)
    changes = [change("a.ts", "a\n", "old\n"), change("new/b.ts", "b\n"), change("z.ts", "z\n", "old\n")]
    with pytest.raises(RemediateError) as caught:
        write(tmp_path, changes)
    monkeypatch.undo()
    assert content(tmp_path) == were
    assert not (tmp_path / "new").exists()
    assert ("the disk is full" in str(caught.value)) == (number == errno.ENOSPC)
