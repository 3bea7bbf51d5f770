"""The tree of a commit as a `FileTree`: what a branch is planned from, whatever the working tree holds."""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from remediate.deliver.repository import Git, GitError, explained
from remediate.source.gitignore import IgnoreRules, is_skipped_folder
from remediate.source.tree import LARGEST_FILE

_LINK = "120000"
_SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    name: str
    size: int


class CommitTree:
    """The files of a commit below `prefix` ("services/", or "" for all), as `WorkingTree` would see a clean checkout.

    Reads objects only: neither index nor working tree is touched, and a shallow clone or a detached HEAD is as good.
    Links are left out; submodules are left out and named in `problems`.
    """

    def __init__(self, repo: Path, commit: str, prefix: str = "") -> None:
        self._git = Git(repo)
        self._repo = repo
        self._commit = commit
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._entries: dict[str, _Entry] | None = None
        self._every: dict[str, _Entry] = {}
        self._problems: list[tuple[PurePosixPath, str]] = []

    @property
    def label(self) -> str:
        return f"{self._repo / self._prefix} at {self._commit[:10]}"

    @property
    def folder(self) -> str:
        return posixpath.basename(self._prefix.rstrip("/")) or self._repo.name

    @property
    def problems(self) -> tuple[tuple[PurePosixPath, str], ...]:
        return tuple(self._problems)

    def files(self) -> Iterator[PurePosixPath]:
        """Every file, sorted by path. Raises RemediateError if the commit cannot be read."""
        return iter([PurePosixPath(path) for path in sorted(self._load())])

    def read(self, path: PurePosixPath) -> bytes:
        """The bytes of a file; FileNotFoundError if the commit has none, OSError if git cannot give it."""
        entry = self._entry(path)
        if entry is None or entry.mode in (_LINK, _SUBMODULE):
            raise FileNotFoundError(errno.ENOENT, "no such file in the commit", str(path))
        if entry.size > LARGEST_FILE:
            raise OSError(errno.EFBIG, f"too large to read ({entry.size} bytes)", str(path))
        try:
            return self._git.object(entry.name)
        except GitError as error:
            raise OSError(errno.EIO, str(error), str(path)) from None

    def mode(self, path: PurePosixPath) -> str | None:
        """The mode of an entry as git writes it ("100644", "100755", "120000" for a link); None if there is none."""
        entry = self._entry(path)
        return entry.mode if entry else None

    def has_folder(self, path: PurePosixPath) -> bool:
        """Whether the commit has a folder of this name, also one whose files are left out."""
        self._load()
        start = f"{self._prefix}{path.as_posix()}/"
        return any(name.startswith(start) for name in self._every)

    def close(self) -> None:
        """Ends the git process that reads objects."""
        self._git.close()

    def _load(self) -> dict[str, _Entry]:
        if self._entries is None:
            every = self._every = self._listed()
            ignored = _Ignored(self._git, self._commit, self._prefix, self._repo, every)
            self._entries = {}
            for path, entry in every.items():
                if ignored.has(path):
                    continue
                inner = path[len(self._prefix) :]
                if entry.mode == _SUBMODULE:
                    self._problems.append((PurePosixPath(inner), "is a submodule; read it as a workspace of its own"))
                elif entry.mode != _LINK:
                    self._entries[inner] = entry
        return self._entries

    def _entry(self, path: PurePosixPath) -> _Entry | None:
        """An entry by its path, also one that `files` leaves out: who asks for a file by name is answered."""
        self._load()
        return self._every.get(self._prefix + path.as_posix())

    def _listed(self) -> dict[str, _Entry]:
        arguments = ["--", self._prefix] if self._prefix else []
        try:
            output = self._git.output("ls-tree", "-r", "-z", "-l", "--full-tree", self._commit, *arguments)
        except GitError as error:
            raise explained(error, self._repo) from None
        found: dict[str, _Entry] = {}
        for line in output.split(b"\0"):
            about, _, raw = line.partition(b"\t")
            fields = about.decode().split()
            if len(fields) != 4:
                continue
            mode, kind, name, size = fields
            try:
                path = raw.decode()
            except UnicodeDecodeError:
                self._problems.append((PurePosixPath(raw.decode(errors="replace")), "its name is not UTF-8"))
                continue
            if kind != "tree":  # a submodule is a "commit"
                found[path] = _Entry(mode, name, int(size) if size.isdigit() else 0)
        return found


class _Ignored:
    """Which paths of a commit are left alone, by the .gitignore files of that commit. Paths from the top level."""

    def __init__(self, git: Git, commit: str, prefix: str, top: Path, entries: dict[str, _Entry]) -> None:
        self._git = git
        self._prefix = prefix
        self._files = {path: entry.name for path, entry in entries.items() if path.endswith(".gitignore")}
        self._rules: dict[str, IgnoreRules | None] = {}
        rules = IgnoreRules()
        try:
            exclude = Path(git.run("rev-parse", "--git-common-dir"))
            rules = rules.entered("", (top / exclude / "info" / "exclude").read_text(errors="replace"))
        except (GitError, OSError):
            pass  # there need not be one
        above = [""] if prefix else []
        parts = prefix.rstrip("/").split("/")
        above += ["/".join(parts[:count]) for count in range(1, len(parts))]
        for folder in above:
            try:
                text = git.run("show", f"{commit}:{posixpath.join(folder, '.gitignore')}")
            except GitError:
                continue
            rules = rules.entered(folder, text)
        self._rules[prefix.rstrip("/")] = self._entered(prefix.rstrip("/"), rules)

    def has(self, path: str) -> bool:
        rules = self._of(posixpath.dirname(path))
        return rules is None or rules.ignores(path, is_folder=False)

    def _of(self, folder: str) -> IgnoreRules | None:
        """The rules inside a folder; None if the folder itself is left alone."""
        if folder not in self._rules:
            above = self._of(posixpath.dirname(folder))
            if above is None or is_skipped_folder(posixpath.basename(folder)) or above.ignores(folder, is_folder=True):
                self._rules[folder] = None
            else:
                self._rules[folder] = self._entered(folder, above)
        return self._rules[folder]

    def _entered(self, folder: str, rules: IgnoreRules) -> IgnoreRules:
        name = self._files.get(posixpath.join(folder, ".gitignore"))
        if name is None:
            return rules
        return rules.entered(folder, self._git.object(name).decode(errors="replace"))
