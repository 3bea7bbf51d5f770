"""`remediate apply`: the branch, its commits, and that nothing else changes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from cli.conftest import EXAMPLE
from cli.running import command, one_line, run
from cli.workspaces import PLATFORM, Repository, contents, repository, write

NEW = [
    "services/accounts/migrations/20250301000000_enable_row_level_security.ts",
    "services/orders/migrations/003_repair_tenant_isolation.ts",
]
PLACES = ["", "sub folder/plat'form", 'a "quoted" näme']
"""Where the workspace lies below the git top level."""


def test_a_branch_with_a_commit_for_each_service(repo: Repository) -> None:
    head = repo("rev-parse", "HEAD").strip()
    result = command("apply", repo.root, "--branch", "repair/tenants")
    assert (result.code, result.err) == (0, "")
    assert result.last == "Branch repair/tenants has 2 commits. Review it with: git log -p HEAD..repair/tenants"
    assert repo("log", "--format=%s", f"{head}..repair/tenants").splitlines() == [
        "fix(orders): repair tenant isolation in the database",
        "fix(accounts): repair missing-rls in the database",
    ]
    assert repo("diff", "--name-status", "HEAD", "repair/tenants").split() == ["A", NEW[0], "A", NEW[1]]
    for commit, own in (("repair/tenants~1", "accounts"), ("repair/tenants", "orders")):
        changed = repo("show", "--name-only", "--format=", commit).split()
        assert all(path.startswith(f"services/{own}/") for path in changed)


def test_rules_and_findings_are_in_the_trailers(repo: Repository) -> None:
    findings = json.loads(run("plan", repo.root, "--format", "json").out)["findings"]
    run("apply", repo.root, "--branch", "fix")
    for commit, own in (("fix~1", "accounts"), ("fix", "orders")):
        trailers = repo("log", "-1", "--format=%(trailers:only)", commit).split("\n")
        ids = {line.removeprefix("Remediate-Finding: ") for line in trailers if line.startswith("Remediate-Finding")}
        rules = {line.removeprefix("Remediate-Rule: ") for line in trailers if line.startswith("Remediate-Rule")}
        repaired = [one for one in findings if one["service"] == own and one["fix"]["changes"]]
        assert ids == {one["id"] for one in repaired}
        assert rules == {one["rule"] for one in repaired}
        assert ids


@pytest.mark.parametrize("place", PLACES)
def test_the_patch_is_what_apply_commits(tmp_path: Path, place: str) -> None:
    """On a clean tree: applied at the top level, it gives the tree of the branch, whatever the folder is called."""
    files = {f"{place}/{path}" if place else path: text for path, text in PLATFORM.items()}
    repo = repository(tmp_path / "top level", files)
    workspace = repo.root / place
    options = ("--unsafe", "--rewrite")
    patch = command("plan", workspace, "--format", "patch", *options).out
    subprocess.run(["git", "apply", "--check"], cwd=repo.root, input=patch.encode(), check=True)
    run("apply", workspace, "--branch", "fix", *options)
    assert repo("status", "--porcelain") == ""
    repo("apply", "--index", stdin=patch.encode())
    assert repo("write-tree") == repo("rev-parse", "fix^{tree}")


def test_what_the_user_is_doing_stays_as_it_is(repo: Repository) -> None:
    """Edited, staged, deleted and new files, before and after; and what differs is named."""
    planned = run("plan", repo.root, "--format", "patch").out
    migrations = repo.root / "services/orders/migrations"
    write(repo.root, {"README.md": "# Edited\n", "staged.txt": "staged\n", "services/orders/new.ts": "export {};\n"})
    repo("add", "staged.txt", "README.md")
    write(repo.root, {"README.md": "# Edited again\n"})
    (migrations / "001_create_orders.ts").write_text("export const up = () => {};\n")
    (migrations / "002_protect.ts").unlink()
    before = repo.state()
    result = command("apply", repo.root, "--branch", "fix")
    assert result.code == 0
    assert repo.state() == before
    assert (
        f"Planned from the commit {repo('rev-parse', 'HEAD')[:10]}; your working tree differs in "
        "services/orders/migrations/001_create_orders.ts, services/orders/migrations/002_protect.ts, "
        "services/orders/new.ts.\n"
    ) in result.out
    committed = repo("diff", "HEAD", "fix")
    assert [line for line in committed.splitlines() if line[:1] in "+-"] == [
        line for line in planned.splitlines() if line[:1] in "+-"
    ], "the commit is planned from, not the edited files"


def test_planning_on_the_branch_has_no_change_left(repo: Repository, tmp_path: Path) -> None:
    run("apply", repo.root, "--branch", "fix", "--unsafe", "--rewrite")
    clone = Repository(tmp_path / "clone")
    repo("clone", "-q", "--branch", "fix", repo.root, clone.root)
    for options in ((), ("--unsafe", "--rewrite")):
        document = json.loads(run("plan", clone.root, "--format", "json", *options).out)
        assert document["changes"] == []
        assert all(one["waiting"] for one in document["findings"])
    result = run("plan", clone.root)
    assert result.code == 0, "what only waits does not count"
    assert "→ waits: " in result.out
    again = run("apply", clone.root, "--branch", "again", "--unsafe", "--rewrite")
    assert (again.code, again.out) == (0, "Nothing to change: no branch was made.\n")
    assert clone("branch", "--list", "again") == ""


@pytest.mark.parametrize(
    "options",
    [
        (),
        pytest.param(("--unsafe",), marks=pytest.mark.long),
        pytest.param(("--unsafe", "--rewrite"), marks=pytest.mark.long),
    ],
    ids=" ".join,
)
def test_the_example_on_its_branch(tmp_path: Path, options: tuple[str, ...]) -> None:
    """The patch is what is committed, and planning on the branch has no change left."""
    files = {
        f"examples/{path.relative_to(EXAMPLE)}": path.read_bytes() for path in EXAMPLE.rglob("*") if path.is_file()
    }
    repo = repository(tmp_path / "repository", files)
    workspace = repo.root / "examples"
    patch = run("plan", workspace, "--format", "patch", *options).out
    before = repo.state()
    assert run("apply", workspace, "--branch", "fix", *options).code == 0
    assert repo.state() == before
    repo("apply", "--check", stdin=patch.encode())
    repo("apply", "--index", stdin=patch.encode())
    assert repo("write-tree") == repo("rev-parse", "fix^{tree}")
    document = json.loads(run("plan", workspace, "--format", "json", *options).out)
    assert [change["path"] for change in document["changes"]] == []
    services = {path.split("/")[2] for path in repo("diff", "--name-only", "HEAD", "fix").split()}
    assert repo("rev-list", "--count", "HEAD..fix").strip() == str(len(services))


def test_the_same_commit_gives_the_same_files(repo: Repository) -> None:
    run("apply", repo.root, "--branch", "one")
    run("apply", repo.root, "--branch", "two")
    assert repo("rev-parse", "one^{tree}") == repo("rev-parse", "two^{tree}")


def test_options_choose_what_is_committed(repo: Repository) -> None:
    run("apply", repo.root, "--branch", "service", "--service", "orders")
    assert repo("diff", "--name-only", "main", "service").split() == [NEW[1]]
    run("apply", repo.root, "--branch", "rule", "--rule", "rls-not-forced", "--date", "2031-01-31")
    assert repo("diff", "--name-only", "main", "rule").split() == [
        "services/orders/migrations/003_force_row_level_security.ts"
    ]


def test_the_configuration_is_that_of_the_commit(repo: Repository) -> None:
    write(repo.root, {"remediate.toml": "[rules.missing-rls]\nenabled = false\n"})
    run("apply", repo.root, "--branch", "before")
    assert "invitations" in repo("diff", "main", "before")
    repo.commit("Configuration")
    run("apply", repo.root, "--branch", "after")
    assert "invitations" not in repo("diff", "main", "after", "--", "services")


def test_write_puts_the_files_into_the_working_tree(repo: Repository) -> None:
    patch = run("plan", repo.root, "--format", "patch").out
    before, index = contents(repo.root), (repo.root / ".git/index").read_bytes()
    result = command("apply", repo.root, "--write")
    left = "Not asked for: the repair of 3 findings with --unsafe, 1 finding with --rewrite."
    assert (result.code, result.out.splitlines()) == (0, [*NEW, left, "2 files written."])
    assert (repo.root / ".git/index").read_bytes() == index
    after = contents(repo.root)
    assert {path for path in after if path not in before} == {str(repo.root / path) for path in NEW}
    assert {path: after[path] for path in before} == before
    repo("add", "-A")
    written = repo("write-tree")
    repo("reset", "-q", "--hard")
    repo("apply", "--index", stdin=patch.encode())
    assert repo("write-tree") == written
    again = run("apply", repo.root, "--write").out
    assert again == f"{left}\n0 files written.\n"


def test_write_needs_no_git(tmp_path: Path) -> None:
    write(tmp_path, PLATFORM)
    assert run("apply", tmp_path, "--write").code == 0
    assert (tmp_path / NEW[1]).is_file()


def test_write_into_a_tree_that_has_edits_plans_from_them(repo: Repository) -> None:
    (repo.root / "services/orders/migrations/002_protect.ts").unlink()
    run("apply", repo.root, "--write")
    assert (repo.root / "services/orders/migrations/002_enable_row_level_security.ts").is_file()


def test_a_detached_head(repo: Repository) -> None:
    repo("checkout", "-q", "--detach")
    before = repo.state()
    assert run("apply", repo.root, "--branch", "fix").code == 0
    assert repo.state() == before
    assert repo("diff", "--name-only", "HEAD", "fix").split() == NEW


def test_a_shallow_clone(repo: Repository, tmp_path: Path) -> None:
    write(repo.root, {"README.md": "# Second\n"})
    repo.commit("Second")
    clone = Repository(tmp_path / "clone")
    repo("clone", "-q", "--depth", "1", repo.root.as_uri(), clone.root)
    assert clone("rev-list", "--count", "HEAD").strip() == "1"
    assert run("plan", clone.root).out == run("plan", repo.root).out
    clone("config", "user.name", "Someone")
    clone("config", "user.email", "someone@example.com")
    assert run("apply", clone.root, "--branch", "fix").code == 0
    assert clone("diff", "--name-only", "HEAD", "fix").split() == NEW


def test_a_linked_worktree_of_a_bare_repository(repo: Repository, tmp_path: Path) -> None:
    bare = Repository(tmp_path / "platform.git")
    repo("clone", "-q", "--bare", repo.root, bare.root)
    bare("config", "user.name", "Someone")
    bare("config", "user.email", "someone@example.com")
    tree = Repository(tmp_path / "tree")
    bare("worktree", "add", "-q", tree.root, "main")
    before = tree.state()
    assert run("apply", tree.root, "--branch", "fix").code == 0
    assert tree.state() == before
    assert bare("diff", "--name-only", "main", "fix").split() == NEW
    assert "is a bare repository" in one_line(run("apply", write(bare.root, PLATFORM), "--branch", "other"))


def test_a_repository_below_another_branch_of_git_variables(repo: Repository, tmp_path: Path) -> None:
    """Called from a git hook or alias, git's variables name another index and folder."""
    other = repository(tmp_path / "other", {"a": "b"})
    env = {**os.environ, "GIT_DIR": str(other.root / ".git"), "GIT_INDEX_FILE": str(other.root / ".git/index")}
    assert command("apply", repo.root, "--branch", "fix", env=env).code == 0
    assert other("branch", "--list", "fix") == ""
    assert repo("diff", "--name-only", "HEAD", "fix").split() == NEW


def test_hooks_and_signing_of_the_user_are_respected_or_named(repo: Repository) -> None:
    """No hook runs (the commits are not the user's work yet); a signature that cannot be made is an error."""
    hook = repo.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert run("apply", repo.root, "--branch", "one").code == 0
    repo("config", "commit.gpgsign", "true")
    repo("config", "gpg.program", "/nonexistent")
    before = repo.state()
    assert "could not be signed" in one_line(run("apply", repo.root, "--branch", "two"))
    assert repo.state() == before
    assert repo("branch", "--list", "two") == ""


def test_windows_line_ends_stay(tmp_path: Path) -> None:
    """A file that is edited keeps its line ends, and git takes the patch."""
    files = {path: text.replace("\n", "\r\n") if path.endswith(".ts") else text for path, text in PLATFORM.items()}
    repo = repository(tmp_path / "windows", files)
    repo("config", "core.autocrlf", "false")
    patch = run("plan", repo.root, "--format", "patch", "--unsafe", "--rewrite").out
    run("apply", repo.root, "--branch", "fix", "--unsafe", "--rewrite")
    repo("apply", "--index", stdin=patch.encode())
    assert repo("write-tree") == repo("rev-parse", "fix^{tree}")
    edited = repo("show", "fix:services/orders/migrations/001_create_orders.ts")
    assert edited.count("\n") == edited.count("\r\n")
    assert "$guard$" in edited, "it was edited"
