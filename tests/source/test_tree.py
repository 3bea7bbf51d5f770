"""The working tree: what is a file of it, and what is left alone."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

import pytest

from remediate.errors import RemediateError
from remediate.source.tree import LARGEST_FILE, WorkingTree


def listed(root) -> list[str]:
    return [path.as_posix() for path in WorkingTree(root).files()]


def test_files_are_sorted_by_path(lay_out):
    assert listed(lay_out({"b/x.ts": "", "a.ts": "", "a/z.ts": "", "B.ts": ""})) == ["B.ts", "a.ts", "a/z.ts", "b/x.ts"]


def test_gitignore_files_hold_at_every_level(lay_out):
    root = lay_out(
        {
            ".gitignore": "*.log\n/only-here\n!keep.log\nfolder/\n",
            "a.log": "",
            "keep.log": "",
            "only-here/x": "",
            "sub/only-here/x": "",
            "folder/x": "",
            "sub/.gitignore": "!b.log\nc.txt\n",
            "sub/b.log": "",
            "sub/c.txt": "",
            "c.txt": "",
        }
    )
    assert listed(root) == [".gitignore", "c.txt", "keep.log", "sub/.gitignore", "sub/b.log", "sub/only-here/x"]


def test_gitignore_files_above_the_workspace_hold_too(lay_out):
    root = lay_out(
        {".gitignore": "*.gen.ts\n/apps/api/tmp\n", "apps/api/a.gen.ts": "", "apps/api/tmp/x": "", "apps/api/b.ts": ""}
    )
    (root / ".git").mkdir()
    assert listed(root / "apps" / "api") == ["b.ts"]


def test_folders_that_hold_no_sources_are_never_entered(lay_out):
    files = {
        f"{name}/x.ts": "" for name in ("node_modules", "dist", "build", "coverage", ".next", "vendor", ".git", "src")
    }
    assert listed(lay_out(files)) == ["src/x.ts"]


def test_links_are_left_out_whether_they_loop_or_leave(lay_out, tmp_path):
    root = lay_out({"a/x.ts": ""})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.ts").write_text("")
    (root / "a" / "loop").symlink_to(root)
    (root / "self").symlink_to("self")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "out.ts").symlink_to(tmp_path / "outside" / "secret.ts")
    assert listed(root) == ["a/x.ts"]


def test_the_root_itself_may_be_a_link(lay_out, tmp_path):
    root = lay_out({"x.ts": ""})
    (tmp_path / "link").symlink_to(root)
    assert listed(tmp_path / "link") == ["x.ts"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser opens every folder")
def test_a_folder_that_cannot_be_opened_is_noted(lay_out):
    root = lay_out({"closed/x.ts": "", "open.ts": ""})
    (root / "closed").chmod(0)
    try:
        tree = WorkingTree(root)
        assert [path.name for path in tree.files()] == ["open.ts"]
        assert tree.problems == ((PurePosixPath("closed"), "cannot be opened: Permission denied"),)
    finally:
        (root / "closed").chmod(0o700)


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_no_utf8_is_noted(lay_out):
    root = lay_out({"a.ts": ""})
    try:
        with open(os.path.join(os.fsencode(root), b"b\xff.ts"), "wb"):
            pass
    except OSError:
        pytest.skip("this file system takes no such name")
    tree = WorkingTree(root)
    assert [path.name for path in tree.files()] == ["a.ts"]
    assert [reason for _, reason in tree.problems] == ["its name is not UTF-8"]


def test_a_huge_file_is_not_read(lay_out):
    root = lay_out({"dump.ts": ""})
    with open(root / "dump.ts", "wb") as stream:
        stream.truncate(LARGEST_FILE + 1)
    with pytest.raises(OSError, match="too large to read"):
        WorkingTree(root).read(PurePosixPath("dump.ts"))


def test_wrong_roots_are_one_line(lay_out):
    root = lay_out({"x.ts": ""})
    with pytest.raises(RemediateError, match="there is no such path; give the folder to read"):
        WorkingTree(root / "none")
    with pytest.raises(RemediateError, match="is a file"):
        WorkingTree(root / "x.ts")
    (root / "loop").symlink_to("loop")
    with pytest.raises(RemediateError):
        WorkingTree(root / "loop")


def test_what_lies_outside_is_not_read(lay_out, tmp_path):
    root = lay_out({"x.ts": ""})
    (tmp_path / "secret").write_text("s")
    (root / "link").symlink_to(tmp_path / "secret")
    tree = WorkingTree(root)
    for path in ("../secret", "link", str(tmp_path / "secret")):
        with pytest.raises(FileNotFoundError):
            tree.read(PurePosixPath(path))
