"""A branch is made of objects: what the user has at hand stays as it is, and an error leaves nothing."""

from __future__ import annotations

import datetime
import os
import subprocess

import pytest

from remediate.deliver.branch import write_branch
from remediate.deliver.changes import CommitSpec
from remediate.errors import RemediateError

UP = "export async function up(knex) {}\n"
NEW = "services/venue/migrations/002_b.ts"


def spec(*changes, service="venue", subject="Force RLS on venues", body=""):
    return CommitSpec(service, subject, changes, body)


def test_files_arrive_on_a_new_branch_one_commit_a_service(checkout, change):
    results = write_branch(
        checkout.root,
        "remediate/rls",
        [
            spec(change(NEW, "new\n"), body="Why it matters."),
            spec(change("services/event/migrations/002_b.ts", "two\n"), service="event", subject="Add policies"),
        ],
    )
    assert [result.service for result in results] == ["venue", "event"]
    assert checkout("rev-parse", "remediate/rls").strip() == results[1].commit
    assert checkout("log", "--format=%s", "main..remediate/rls").split("\n")[:2] == [
        "Add policies",
        "Force RLS on venues",
    ]
    assert checkout("show", f"remediate/rls:{NEW}") == "new\n"
    assert checkout("diff", "--stat", "main", "remediate/rls").count("|") == 2
    assert checkout("rev-parse", "remediate/rls~2") == checkout("rev-parse", "main")


def test_the_message_names_rules_and_findings_in_trailers(checkout, change):
    one = change(NEW, "new\n", rules=("rls-not-forced", "missing-rls"), findings=("bbb", "aaa"))
    write_branch(checkout.root, "b", [spec(one, body="Why.\n\nAnd more.")])
    assert checkout("log", "-1", "--format=%B", "b").strip() == (
        "Force RLS on venues\n\nWhy.\n\nAnd more.\n\n"
        "Remediate-Rule: missing-rls\nRemediate-Rule: rls-not-forced\nRemediate-Finding: aaa\nRemediate-Finding: bbb"
    )
    trailers = checkout("log", "-1", "--format=%(trailers:key=Remediate-Rule,valueonly)", "b")
    assert trailers.split() == ["missing-rls", "rls-not-forced"]


def test_nothing_that_the_user_has_at_hand_changes(checkout, change):
    checkout.write(
        **{"README.md": "edited\n", "services/venue/migrations/001_a.ts": "staged\n", "new.txt": "untracked\n"}
    )
    checkout("add", "services/venue/migrations/001_a.ts")
    checkout.write(**{"services/venue/migrations/001_a.ts": "staged and edited\n"})
    (checkout.root / "services/event/run.sh").unlink()
    checkout("status")
    status, before = checkout("status", "--porcelain=v2", "--branch"), checkout.everything()
    write_branch(
        checkout.root, "b", [spec(change(NEW, "new\n"), change("services/venue/migrations/001_a.ts", "x\n", UP))]
    )
    assert checkout.everything() == before
    assert checkout("status", "--porcelain=v2", "--branch") == status
    assert checkout("show", "b:services/venue/migrations/001_a.ts") == "x\n"
    assert checkout("show", "b:README.md") == "read me\n"


def test_a_workspace_below_the_top_level(checkout, change):
    write_branch(checkout.root / "services", "b", [spec(change("venue/migrations/002_b.ts", "new\n"))])
    assert checkout("show", f"b:{NEW}") == "new\n"
    assert checkout("diff", "--name-only", "main", "b").split() == [NEW]


def test_modes_are_kept_and_new_files_are_plain(checkout, change):
    write_branch(
        checkout.root, "b", [spec(change("services/event/run.sh", "x\n", "#!/bin/sh\n"), change(NEW, "new\n"))]
    )
    modes = {line.split("\t")[1]: line.split()[0] for line in checkout("ls-tree", "-r", "b").splitlines()}
    assert modes["services/event/run.sh"] == "100755"
    assert modes[NEW] == "100644"


def test_two_commits_may_build_on_each_other(checkout, change):
    path = "services/venue/migrations/001_a.ts"
    write_branch(checkout.root, "b", [spec(change(path, "one\n", UP)), spec(change(path, "two\n", "one\n"))])
    assert checkout("show", f"b:{path}") == "two\n"


def test_line_ends_and_byte_order_marks_survive(checkout, change):
    path = "services/venue/migrations/001_a.ts"
    checkout("config", "core.autocrlf", "true")
    checkout.write(**{path: "\ufeffa\r\nb\r\n", ".gitattributes": "* -text\n"})
    checkout("add", "--all")
    checkout("commit", "--quiet", "--message=marks")
    write_branch(checkout.root, "b", [spec(change(path, "a\r\nc\r\n", "a\r\nb\r\n"))])
    shown = subprocess.run(["git", "show", f"b:{path}"], cwd=checkout.root, capture_output=True, check=True)
    assert shown.stdout == b"\xef\xbb\xbfa\r\nc\r\n"


def test_a_fixed_date_gives_the_same_commit_each_time(checkout, change):
    date = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
    first = write_branch(checkout.root, "a", [spec(change(NEW, "new\n"))], date=date)
    second = write_branch(checkout.root, "b", [spec(change(NEW, "new\n"))], date=date)
    assert first[0].commit == second[0].commit
    assert checkout("log", "-1", "--format=%cI %aI", "a").split()[0].startswith("2026-01-31T12:00:00")


def test_an_older_commit_may_be_the_base(checkout, change):
    base = checkout("rev-parse", "HEAD").strip()
    checkout.write(**{NEW: "already here\n"})
    checkout("add", "--all")
    checkout("commit", "--quiet", "--message=second")
    write_branch(checkout.root, "b", [spec(change(NEW, "new\n"))], base=base)
    assert checkout("rev-parse", "b~1").strip() == base


def test_hooks_do_not_run(checkout, change):
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-index-change"):
        hook = checkout.root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
    write_branch(checkout.root, "b", [spec(change(NEW, "new\n"))])
    assert checkout("show", f"b:{NEW}") == "new\n"


def test_a_detached_head_and_a_shallow_clone_are_as_good(checkout, change, tmp_path):
    checkout.write(x="x")
    checkout("add", "--all")
    checkout("commit", "--quiet", "--message=second")
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", f"file://{checkout.root}", tmp_path / "shallow"], check=True
    )
    shallow = type(checkout)(tmp_path / "shallow")
    shallow("config", "user.name", "Ada")
    shallow("config", "user.email", "ada@example.com")
    shallow("checkout", "--quiet", "--detach")
    write_branch(shallow.root, "b", [spec(change(NEW, "new\n"))])
    assert shallow("show", f"b:{NEW}") == "new\n"
    assert shallow("rev-parse", "--abbrev-ref", "HEAD").strip() == "HEAD"


def test_a_linked_working_tree_is_as_good(checkout, change, tmp_path):
    checkout("worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "other")
    write_branch(tmp_path / "linked", "b", [spec(change(NEW, "new\n"))])
    assert checkout("show", f"b:{NEW}") == "new\n"


def test_the_variables_that_git_sets_for_hooks_do_not_mislead(checkout, change, monkeypatch, tmp_path):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other-index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    write_branch(checkout.root, "b", [spec(change(NEW, "new\n"))])
    assert os.environ["GIT_DIR"] == str(tmp_path / "elsewhere")
    monkeypatch.undo()
    assert not (tmp_path / "other-index").exists()
    assert checkout("show", f"b:{NEW}") == "new\n"


def refused(checkout, branch, *specs, root=None):
    """What an attempt is told; nothing may be left of it."""
    refs = checkout("for-each-ref", check=False)
    with pytest.raises(RemediateError) as caught:
        write_branch(root or checkout.root, branch, specs)
    assert checkout("for-each-ref", check=False) == refs
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_branch_that_exists_is_left_alone(checkout, change):
    assert "the branch main exists already; choose another name" in refused(checkout, "main", spec(change(NEW, "x")))


@pytest.mark.parametrize("name", ["", "a b", "-x", "a..b", "HEAD", "x.lock", "a/", "a\nb", "a~1", "@{u}"])
def test_a_name_that_cannot_be_a_branch(checkout, change, name):
    assert "cannot be the name of a branch" in refused(checkout, name, spec(change(NEW, "x")))


def test_a_name_below_another_branch(checkout, change):
    assert "cannot stand beside the branch main" in refused(checkout, "main/x", spec(change(NEW, "x")))


def test_nobody_is_guessed(checkout, change):
    checkout("config", "--unset", "user.name")
    checkout("config", "--unset", "user.email")
    text = refused(checkout, "b", spec(change(NEW, "x")))
    assert 'git does not know who you are; run: git config user.name "Your Name"' in text


def test_no_repository_says_what_to_do(checkout, change, tmp_path):
    (tmp_path / "plain").mkdir()
    text = refused(checkout, "b", spec(change(NEW, "x")), root=tmp_path / "plain")
    assert "is not in a git repository; plan works without one; for a branch run git init" in text


def test_a_repository_without_a_commit(empty, change):
    assert "the repository has no commit yet; commit the services first" in refused(empty, "b", spec(change(NEW, "x")))


def test_a_file_that_is_there_already(checkout, change):
    text = refused(checkout, "b", spec(change("services/venue/migrations/001_a.ts", "x")))
    assert "001_a.ts: is there already in the commit; nothing was written" in text


def test_a_file_that_is_not_as_planned_from(checkout, change):
    text = refused(checkout, "b", spec(change(NEW, "x")), spec(change("README.md", "x", "other\n")))
    assert "README.md: is not as it was planned from" in text


@pytest.mark.parametrize("path", ["../outside.ts", "/etc/x", ".git/hooks/pre-commit"])
def test_a_path_outside_of_the_workspace(checkout, change, path):
    assert "lies outside of the workspace" in refused(checkout, "b", spec(change(path, "x")))


def test_a_file_and_a_folder_do_not_replace_each_other(checkout, change):
    text = refused(checkout, "b", spec(change("README.md/x.ts", "x")))
    assert "README.md is no folder in the commit" in text
    assert "is a folder in the commit" in refused(checkout, "b", spec(change("services/venue", "x")))


def test_a_link_is_not_written_through(checkout, change):
    (checkout.root / "link.ts").symlink_to("README.md")
    checkout("add", "--all")
    checkout("commit", "--quiet", "--message=link")
    assert "is a link or a submodule" in refused(checkout, "b", spec(change("link.ts", "x", "README.md")))


def test_a_commit_that_cannot_be_signed(checkout, change):
    checkout("config", "commit.gpgsign", "true")
    checkout("config", "gpg.program", "false")
    assert "the commit could not be signed" in refused(checkout, "b", spec(change(NEW, "x")))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_repository_that_cannot_be_written(checkout, change):
    folders = [path for path in (checkout.root / ".git").rglob("*") if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert "the repository cannot be written to" in refused(checkout, "b", spec(change(NEW, "x")))
    finally:
        for folder in folders:
            folder.chmod(0o755)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("fatal: unable to write loose object file: No space left on device", "the disk is full"),
        ("error: insufficient permission for adding an object to repository", "cannot be written to"),
        ("fatal: unable to create temporary file: Read-only file system", "cannot be written to"),
    ],
)
def test_what_the_system_refuses_is_one_line(checkout, change, monkeypatch, said, told):
    from remediate.deliver import repository

    real = repository.Git.output

    def failing(self, *arguments, **options):
        if "hash-object" in arguments:
            raise repository.GitError(said)
        return real(self, *arguments, **options)

    monkeypatch.setattr(repository.Git, "output", failing)
    assert told in refused(checkout, "b", spec(change(NEW, "x")))
