"""Diffs that git takes: whatever the path is called, and whatever the file ends with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from remediate.plan.model import Change
from remediate.report.diff import unified_diff

PATHS = [
    "migrations/001_a.ts",
    "with space/a b.ts",
    'a "quoted" name.ts',
    "back\\slash.ts",
    "tab\there.ts",
    "line\nfeed.ts",
    "ünïcode/日本.ts",
    " leading.ts",
    "trailing .ts",
    "it's.ts",
    "$HOME/`x`.ts",
    "\a\b\f\v.ts",
    "-dash.ts",
]
TEXTS = ["a\nb\n", "a\nb", "\n", "a\r\nb\r\n", "page\fbreak\x0b\x1c\u2028\x85 and more\n", "no end", "++ a\n-- b\n"]


def apply(root: Path, diff: str) -> None:
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    done = subprocess.run(["git", "apply"], cwd=root, input=diff.encode(), capture_output=True, check=False)
    assert done.returncode == 0, (diff, done.stderr)


@pytest.mark.parametrize("path", PATHS)
def test_files_of_any_name_are_added_and_edited(path: str, tmp_path: Path) -> None:
    apply(tmp_path, unified_diff(Change("a", path, "migration", "first\n")))
    assert (tmp_path / path).read_text() == "first\n"
    apply(tmp_path, unified_diff(Change("a", path, "rewrite", "first\nsecond\n", before="first\n")))
    assert (tmp_path / path).read_text() == "first\nsecond\n"


@pytest.mark.parametrize("after", TEXTS)
@pytest.mark.parametrize("before", [None, *TEXTS])
def test_texts_of_any_kind(before: str | None, after: str, tmp_path: Path) -> None:
    if before == after:
        assert "@@" not in unified_diff(Change("a", "f", "rewrite", after, before=before))
        return
    if before is not None:
        (tmp_path / "f").write_bytes(before.encode())
    apply(tmp_path, unified_diff(Change("a", "f", "migration", after, before=before)))
    assert (tmp_path / "f").read_bytes() == after.encode()


def test_a_prefix_leads_to_the_workspace(tmp_path: Path) -> None:
    diff = unified_diff(Change("a", "b/c.ts", "migration", "x\n"), "sub folder/")
    apply(tmp_path, diff)
    assert (tmp_path / "sub folder/b/c.ts").read_text() == "x\n"
    assert diff.splitlines()[-1] == "+x"


def test_an_edit_far_down_keeps_three_lines_around_it() -> None:
    before = "".join(f"{number}\n" for number in range(100))
    diff = unified_diff(Change("a", "f", "rewrite", before.replace("50\n", "fifty\n"), before=before))
    assert diff.splitlines()[3:] == [
        "@@ -48,7 +48,7 @@", " 47", " 48", " 49", "-50", "+fifty", " 51", " 52", " 53",
    ]  # fmt: skip
