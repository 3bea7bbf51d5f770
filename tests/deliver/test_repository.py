"""Finding the repository of a workspace."""

from __future__ import annotations

import datetime
import subprocess

import pytest

from remediate.deliver.differs import differing_files
from remediate.deliver.repository import open_repository, resolve_commit
from remediate.errors import RemediateError


def test_what_is_known_of_a_repository(checkout):
    checkout("-c", "user.name=x", "commit", "--quiet", "--amend", "--no-edit", "--date=2020-01-01T00:00:00")
    repository = open_repository(checkout.root / "services" / "venue")
    assert repository.top == checkout.root
    assert repository.prefix == "services/venue/"
    assert repository.branch == "main"
    assert repository.head == checkout("rev-parse", "HEAD").strip()
    assert abs((repository.date - datetime.datetime.now(datetime.UTC).date()).days) <= 1, "the committer's date"


def test_paths_with_spaces_and_quotes(checkout):
    checkout.write(**{"my 'odd' \"ü\" folder/x": "x"})
    assert open_repository(checkout.root / "my 'odd' \"ü\" folder").prefix == "my 'odd' \"ü\" folder/"


def test_a_bare_repository_is_no_workspace(checkout, tmp_path):
    subprocess.run(["git", "clone", "--quiet", "--bare", checkout.root, tmp_path / "bare"], check=True)
    with pytest.raises(RemediateError, match="is a bare repository; give a checkout of it"):
        open_repository(tmp_path / "bare")


def test_a_repository_of_someone_else_is_explained(checkout, monkeypatch):
    # How git itself is tested: as if the folder belonged to another user.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(RemediateError) as caught:
        open_repository(checkout.root)
    assert "git does not trust this repository" in str(caught.value)
    assert f"git config --global --add safe.directory {checkout.root}" in caught.value.hint


def test_a_commit_is_found_by_any_of_its_names(checkout):
    repository = open_repository(checkout.root)
    assert resolve_commit(repository, "main") == repository.head
    for name in ("none", "--all", "main:README.md"):
        with pytest.raises(RemediateError, match="there is no commit"):
            resolve_commit(repository, name)


def test_where_the_working_tree_differs(checkout):
    checkout.write(
        **{
            "README.md": "edited\n",
            "services/venue/migrations/001_a.ts": "edited\n",
            "services/venue/migrations/002_new ü.ts": "new\n",
            "services/venue/staged.ts": "staged\n",
            ".gitignore": "*.log\n",
            "services/venue/x.log": "ignored\n",
        }
    )
    (checkout.root / "services/event/run.sh").unlink()
    checkout("add", "services/venue/staged.ts")
    before = checkout.everything()
    repository = open_repository(checkout.root / "services")
    assert differing_files(repository, repository.head) == (
        "event/run.sh",
        "venue/migrations/001_a.ts",
        "venue/migrations/002_new ü.ts",
        "venue/staged.ts",
    )
    assert differing_files(repository, repository.head, ["event"]) == ("event/run.sh",)
    whole = open_repository(checkout.root)
    assert "README.md" in differing_files(whole, whole.head)
    assert "README.md" in differing_files(whole, whole.head, ["."])
    assert checkout.everything() == before


def test_a_clean_working_tree_does_not_differ(checkout):
    repository = open_repository(checkout.root)
    assert differing_files(repository, repository.head) == ()
