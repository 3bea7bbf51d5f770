"""The git repository around a workspace, and the one way in which git is called."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from remediate.errors import RemediateError

if TYPE_CHECKING:
    from git.cmd import Git as _Git

# git sets these for its hooks and aliases; inherited, they would lead every command to another repository or index.
_LOCATION_VARIABLES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_QUARANTINE_PATH",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
)
# No hook runs, no daemon is asked, and no command rewrites the user's index on the way.
_OPTIONS = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "LANGUAGE": "C"}


class GitError(Exception):
    """A git command that failed; the message is git's own, on one line."""


class Git:
    """Runs git commands in one folder. Never through a shell."""

    def __init__(self, folder: Path) -> None:
        try:
            from git.cmd import Git as Command
        except ImportError:
            raise RemediateError("git was not found", hint="install git; without it only plan works") from None
        # Where it may not enter the folder, GitPython would run git in the current one: in another repository.
        if not os.access(folder, os.X_OK):
            raise RemediateError("cannot be opened", place=str(folder))
        self.folder = folder
        # A path as text would have `$HOME` and `~` in it replaced.
        self._command: _Git = Command(folder)

    def run(self, *arguments: str, stdin: BinaryIO | None = None, environment: Mapping[str, str] | None = None) -> str:
        """The output of a command without the line break at its end. Raises GitError."""
        return (
            self.output(*arguments, stdin=stdin, environment=environment).decode(errors="surrogateescape").rstrip("\n")
        )

    def output(
        self, *arguments: str, stdin: BinaryIO | None = None, environment: Mapping[str, str] | None = None
    ) -> bytes:
        """The output of a command as it is. Raises GitError."""
        from git.exc import GitCommandNotFound

        with _own_location():
            try:
                # Its return type depends on its flags in more ways than its annotations say.
                result: Any = self._command.execute(
                    ["git", "-C", str(self.folder), *_OPTIONS, *arguments],
                    istream=stdin,
                    with_extended_output=True,
                    with_exceptions=False,
                    stdout_as_string=False,
                    strip_newline_in_stdout=False,
                    env={**_ENVIRONMENT, **(environment or {})},
                )
            except GitCommandNotFound:
                raise RemediateError("git was not found", hint="install git; without it only plan works") from None
        status, output, errors = result
        if status:
            raise GitError(_message(errors))
        return output if isinstance(output, bytes) else str(output).encode()

    def object(self, name: str) -> bytes:
        """The bytes of a blob, read through one process that stays open. Raises GitError."""
        with _own_location():
            try:
                data = self._command.get_object_data(name)[3]
            except ValueError as error:
                raise GitError(" ".join(str(error).split())) from None
        return data

    def close(self) -> None:
        """Ends the process that `object` keeps open."""
        self._command.clear_cache()


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository that a workspace lies in.

    `prefix` is the workspace below the top level, with a slash at its end, or "". `head` is the full name of HEAD's
    commit and `date` the day of that commit, in the time zone of its committer; `branch` is None for a detached HEAD.
    """

    top: Path
    prefix: str
    head: str
    branch: str | None
    date: datetime.date


def open_repository(workspace: Path) -> Repository:
    """The repository around a workspace. Raises RemediateError, saying what to do, if there is none to build on."""
    folder = workspace.resolve()
    git = Git(folder)
    try:
        top, prefix = _location(git)
    except GitError as error:
        raise _not_usable(str(error), folder) from None
    git = Git(top)
    try:
        head, day = git.run("show", "--no-patch", "--no-show-signature", "--format=%H%n%cI", "HEAD^{commit}").split(
            "\n"
        )
    except GitError:
        hint = "commit the services first; the branch is built on that commit"
        raise RemediateError("the repository has no commit yet", place=str(top), hint=hint) from None
    try:
        branch: str | None = git.run("symbolic-ref", "--quiet", "--short", "HEAD")
    except GitError:
        branch = None
    return Repository(top, prefix, head, branch, datetime.date.fromisoformat(day[:10]))


def _location(git: Git) -> tuple[Path, str]:
    """The top level and the path below it. Each call of git takes as long as a few files, so it is asked once."""
    lines = git.output("rev-parse", "--show-toplevel", "--show-prefix").decode(errors="surrogateescape").split("\n")
    if len(lines) == 3:
        return Path(lines[0]), lines[1]
    # A folder's name may hold a line break.
    return Path(git.run("rev-parse", "--show-toplevel")), git.run("rev-parse", "--show-prefix")


def resolve_commit(repository: Repository, name: str) -> str:
    """The full name of a commit that the user named. Raises RemediateError if there is none."""
    try:
        return Git(repository.top).run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except GitError:
        raise RemediateError(f"there is no commit {name}", place=str(repository.top)) from None


def explained(error: GitError, place: Path) -> RemediateError:
    """What a failed command means for the user: a full disk, a read-only repository, or git's own words."""
    text = str(error)
    if re.search(r"No space left on device|Out of diskspace|Disk quota exceeded", text):
        return RemediateError("the disk is full", place=str(place), hint="nothing was written; free some room")
    if re.search(r"Read-only file system|Permission denied|insufficient permission|unable to (?:create|write)", text):
        return RemediateError(
            f"the repository cannot be written to ({text})", place=str(place), hint="no branch was created"
        )
    return RemediateError(f"git failed: {text}", place=str(place), hint="no branch was created")


def _not_usable(text: str, folder: Path) -> RemediateError:
    if "dubious ownership" in text or "safe.directory" in text:
        found = re.search(r"(?:repository at|safe\.directory) '?([^'\s]+)'?", text)
        where = found.group(1) if found else str(folder)
        return RemediateError(
            "git does not trust this repository, because it belongs to another user",
            place=where,
            hint=f"if you do, run: git config --global --add safe.directory {where}",
        )
    if "must be run in a work tree" in text:
        return RemediateError("is a bare repository", place=str(folder), hint="give a checkout of it")
    if "not a git repository" in text or "No such file" in text:
        return RemediateError(
            "is not in a git repository",
            place=str(folder),
            hint="plan works without one; for a branch run git init and commit first, or use --write",
        )
    return RemediateError(f"git cannot use it: {text}", place=str(folder))


def _message(errors: object) -> str:
    """What git said, without `fatal:` and its hints, on one line."""
    text = errors.decode(errors="replace") if isinstance(errors, bytes) else str(errors)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("hint:", "warning:"))]
    return " ".join(" ".join(lines).removeprefix("fatal: ").removeprefix("error: ").split()) or "no reason given"


@contextmanager
def _own_location() -> Iterator[None]:
    """Calls git as if from a plain shell. GitPython adds to the environment and cannot take away from it."""
    hidden = {name: os.environ.pop(name) for name in _LOCATION_VARIABLES if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
