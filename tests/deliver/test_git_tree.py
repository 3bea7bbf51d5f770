"""A commit reads as a clean checkout of it does."""

from __future__ import annotations

import subprocess
from pathlib import PurePosixPath

import pytest

from remediate.config.model import Config
from remediate.deliver.git_tree import CommitTree
from remediate.deliver.repository import open_repository
from remediate.source.discover import discover
from remediate.source.tree import WorkingTree

UP = "export async function up(knex) { await knex.schema.createTable('t', t => t.uuid('id')); }\n"


@pytest.fixture
def platform(checkout):
    """Everything that the two trees have to agree on."""
    checkout.write(
        **{
            ".gitignore": "*.log\n/services/venue/generated/\n",
            "forced.log": "tracked although ignored\n",
            "services/.gitignore": "*.tmp.ts\n",
            "services/venue/generated/x.ts": "x\n",
            "services/venue/a.tmp.ts": "x\n",
            "services/venue/dist/migrations/001_a.js": "exports.up = 1",
            "services/venue/package.json": '{"name": "@x/venue", "dependencies": {"knex": "3"}}',
            "services/venue/knexfile.ts": "export default { client: 'pg', migrations: { tableName: 'k' } };",
            "services/venue/src/db.ts": "c.query(\"select set_config('app.t', $1, true)\", [x]);",
            "services/event/migrations/002_ü 'quoted'.ts": UP,
            "services/event/migrations/003_bad.ts": "\0",
            "services/event/migrations/004_c.ts": "// remediate-ignore missing-rls: known\n" + UP,
        }
    )
    (checkout.root / "services/link").symlink_to("venue")
    (checkout.root / "services/event/migrations/005_link.ts").symlink_to("004_c.ts")
    checkout("add", "--all", "--force")
    checkout("commit", "--quiet", "--message=more")
    return checkout


@pytest.mark.parametrize("below", ["", "services", "services/event"])
def test_both_trees_make_the_same_workspace(platform, below):
    root = platform.root / below
    repository = open_repository(root)
    commit = CommitTree(repository.top, repository.head, repository.prefix)
    working = WorkingTree(root)
    assert list(commit.files()) == list(working.files())
    assert all(commit.read(path) == working.read(path) for path in working.files())
    from_commit, from_files = discover(commit, Config()), discover(working, Config())
    assert from_commit.services == from_files.services
    assert from_commit.unresolved == from_files.unresolved
    assert from_commit.ignores == from_files.ignores
    assert from_commit.label != from_files.label
    commit.close()


def test_the_working_tree_has_no_say(platform):
    platform.write(**{"services/venue/migrations/001_a.ts": "edited", "services/venue/migrations/009_new.ts": UP})
    tree = CommitTree(platform.root, "HEAD", "services/venue")
    assert tree.read(PurePosixPath("migrations/001_a.ts")) != b"edited"
    with pytest.raises(FileNotFoundError):
        tree.read(PurePosixPath("migrations/009_new.ts"))


def test_modes_are_told(platform):
    tree = CommitTree(platform.root, "HEAD")
    assert tree.mode(PurePosixPath("services/event/run.sh")) == "100755"
    assert tree.mode(PurePosixPath("services/link")) == "120000"
    assert tree.mode(PurePosixPath("none")) is None


def test_a_submodule_is_named_and_not_entered(platform, tmp_path):
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "--quiet", platform.root, other], check=True)
    platform("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    platform("commit", "--quiet", "--message=sub")
    tree = CommitTree(platform.root, "HEAD")
    assert not [path for path in tree.files() if path.parts[0] == "sub"]
    assert tree.problems == ((PurePosixPath("sub"), "is a submodule; read it as a workspace of its own"),)


def test_no_folder_of_that_name_is_an_empty_tree(platform):
    assert list(CommitTree(platform.root, "HEAD", "none").files()) == []
