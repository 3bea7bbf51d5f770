"""Commits on a new branch, made from objects: neither the user's index nor working tree nor HEAD is touched."""

from __future__ import annotations

import datetime
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from remediate.deliver.changes import CommitResult, CommitSpec, FileChange, encoded, same_text
from remediate.deliver.git_tree import CommitTree
from remediate.deliver.repository import Git, GitError, Repository, explained, open_repository
from remediate.errors import RemediateError

_REGULAR = ("100644", "100755")


def write_branch(
    root: Path,
    branch: str,
    commits: Sequence[CommitSpec],
    *,
    base: str | None = None,
    date: datetime.datetime | None = None,
) -> list[CommitResult]:
    """Makes the commits one after another on `base` (default: HEAD) and then the branch that names the last of them.

    `root` is the workspace; it may lie below the git top level. The branch comes last and in one step, so that an
    error leaves nothing that anybody sees. `date` is the commits' date (default: now), for commits that are the same
    each time. Raises RemediateError: no repository, a branch that is there already or a name that cannot be one, no
    identity, a file that is not as planned, a repository that cannot be written, a full disk.
    """
    repository = open_repository(root)
    check_branch(repository, branch)
    git = Git(repository.top)
    environment = _identity(git, date)
    parent = base or repository.head
    results: list[CommitResult] = []
    try:
        with tempfile.TemporaryDirectory(prefix="remediate-") as scratch:
            for spec in commits:
                if not spec.changes:
                    continue
                index = Path(scratch) / f"index-{len(results)}"
                parent = _commit(git, repository, parent, spec, {**environment, "GIT_INDEX_FILE": str(index)})
                results.append(CommitResult(spec.service, parent, tuple(change.path for change in spec.changes)))
            if results:
                _create(git, repository, branch, parent)
    except GitError as error:
        raise explained(error, repository.top) from None
    except OSError as error:
        raise explained(GitError(error.strerror or str(error)), repository.top) from None
    return results


def check_branch(repository: Repository, branch: str) -> None:
    """Raises RemediateError if a branch of this name exists or cannot exist."""
    git = Git(repository.top)
    try:
        if branch.startswith("-") or branch == "HEAD":
            raise GitError(branch)
        git.run("check-ref-format", f"refs/heads/{branch}")
    except GitError:
        hint = "use letters, digits, - and /, for example remediate/tenant-isolation"
        raise RemediateError(f"{branch!r} cannot be the name of a branch", hint=hint) from None
    existing = git.run("for-each-ref", "--format=%(refname)", "refs/heads/").splitlines()
    taken = f"refs/heads/{branch}"
    if taken in existing:
        raise RemediateError(
            f"the branch {branch} exists already",
            place=str(repository.top),
            hint=f"choose another name, or delete it: git branch -D {branch}",
        )
    # git keeps branches as paths: `a` and `a/b` cannot both be.
    for name in existing:
        if taken.startswith(f"{name}/") or name.startswith(f"{taken}/"):
            short = name.removeprefix("refs/heads/")
            raise RemediateError(
                f"the branch {branch} cannot stand beside the branch {short}",
                place=str(repository.top),
                hint="choose another name",
            )


def _identity(git: Git, date: datetime.datetime | None) -> dict[str, str]:
    """The environment that fixes who commits and when. What git would guess from the machine's name is no identity."""
    try:
        for role in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            git.run("-c", "user.useConfigOnly=true", "var", role)
    except GitError:
        raise RemediateError(
            "git does not know who you are",
            place=str(git.folder),
            hint='run: git config user.name "Your Name" && git config user.email you@example.com',
        ) from None
    if date is None:
        return {}
    stamp = date.astimezone(date.tzinfo or datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S%z")
    return {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}


def _commit(git: Git, repository: Repository, parent: str, spec: CommitSpec, environment: dict[str, str]) -> str:
    """One commit in a private index; its full name."""
    tree = CommitTree(repository.top, parent, repository.prefix)
    try:
        entries = [_entry(git, tree, change, repository.prefix) for change in spec.changes]
    finally:
        tree.close()
    private = ("-c", "core.splitIndex=false", "-c", "index.sparse=false", "-c", "core.untrackedCache=false")
    git.run(*private, "read-tree", parent, environment=environment)
    with tempfile.TemporaryFile() as listing:
        listing.write(b"".join(entries))
        listing.seek(0)
        git.run(*private, "update-index", "-z", "--index-info", stdin=listing, environment=environment)
    written = git.run(*private, "write-tree", environment=environment)
    with tempfile.TemporaryFile() as message:
        message.write(spec.message.encode())
        message.seek(0)
        signing = ["-S"] if _signs(git) else []
        try:
            return git.run(
                *("-c", "i18n.commitEncoding=UTF-8", "commit-tree", *signing, "-p", parent, "-F", "-", written),
                stdin=message,
                environment=environment,
            )
        except GitError as error:
            if not signing:
                raise
            raise RemediateError(
                f"the commit could not be signed ({error})",
                place=str(git.folder),
                hint="make the key available, or run: git config commit.gpgsign false",
            ) from None


def _entry(git: Git, tree: CommitTree, change: FileChange, prefix: str) -> bytes:
    """The line for `update-index --index-info` that puts a change into the index; writes its blob."""
    path = _inside(change.path)
    mode = tree.mode(path)
    current: bytes | None = None
    if mode is not None:
        if mode not in _REGULAR:
            raise RemediateError("is a link or a submodule in the commit", place=change.path)
        current = tree.read(path)
    # git would put the one in place of the other without a word.
    for above in path.parents[:-1]:
        if tree.mode(above) is not None:
            raise RemediateError(f"{above} is no folder in the commit", place=change.path, hint="nothing was written")
    if mode is None and tree.has_folder(path):
        raise RemediateError("is a folder in the commit", place=change.path, hint="nothing was written")
    if change.before is None and current is not None:
        raise RemediateError(
            "is there already in the commit", place=change.path, hint="nothing was written; plan again"
        )
    if change.before is not None and (current is None or not same_text(current, change.before)):
        raise RemediateError("is not as it was planned from", place=change.path, hint="nothing was written; plan again")
    with tempfile.TemporaryFile() as content:
        content.write(encoded(change.text, current))
        content.seek(0)
        # The text comes from a blob, or is new: what git would convert for a checkout does not apply to it.
        blob = git.run("hash-object", "-w", "--no-filters", "--stdin", stdin=content)
    full = os.fsencode(prefix + path.as_posix())
    return f"{mode or _REGULAR[0]} {blob}\t".encode() + full + b"\0"


def _inside(path: str) -> PurePosixPath:
    found = PurePosixPath(path)
    if found.is_absolute() or ".." in found.parts or ".git" in found.parts:
        raise RemediateError("lies outside of the workspace", place=path)
    return found


def _signs(git: Git) -> bool:
    try:
        return git.run("config", "--type=bool", "--get", "commit.gpgsign") == "true"
    except GitError:
        return False


def _create(git: Git, repository: Repository, branch: str, commit: str) -> None:
    """Creates the branch if nobody else did in the meantime."""
    with tempfile.TemporaryFile() as commands:
        commands.write(f"create refs/heads/{branch}\0{commit}\0".encode())
        commands.seek(0)
        try:
            git.run("update-ref", "-m", "remediate: created", "--stdin", "-z", stdin=commands)
        except GitError as error:
            if "already exists" in str(error):
                raise RemediateError(f"the branch {branch} exists already", place=str(repository.top)) from None
            raise
