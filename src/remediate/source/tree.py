"""The working tree as a `FileTree`."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol, runtime_checkable

from remediate.errors import RemediateError
from remediate.source.gitignore import IgnoreRules, is_skipped_folder

# Nothing that people write is larger; a dump that lies beside the sources must not be held in memory.
LARGEST_FILE = 32 * 1024 * 1024


@runtime_checkable
class DescribedTree(Protocol):
    """What a tree may tell beyond `FileTree`."""

    @property
    def folder(self) -> str:
        """The name of the root folder: the same for the working tree and for its commits."""
        ...

    @property
    def problems(self) -> tuple[tuple[PurePosixPath, str], ...]:
        """Folders and links that could not be looked into, with the reason; complete once `files` has run."""
        ...


class WorkingTree:
    """The files under `root`, without what git ignores and without folders that never hold sources.

    Links are left out, whether they lead out of the tree, in circles, or to a file that is read anyway; the commit
    of the same tree reads alike. Raises RemediateError if `root` is not a folder.
    """

    def __init__(self, root: Path) -> None:
        try:
            self.root = root.resolve(strict=True)
        except FileNotFoundError:
            raise RemediateError("there is no such path", place=str(root), hint="give the folder to read") from None
        except (OSError, RuntimeError) as error:
            raise RemediateError(_reason(error), place=str(root)) from None
        if not self.root.is_dir():
            raise RemediateError("is a file", place=str(root), hint="give the folder that holds the services")
        self._problems: list[tuple[PurePosixPath, str]] = []
        self._files: tuple[PurePosixPath, ...] | None = None
        self._known: frozenset[PurePosixPath] = frozenset()

    @property
    def label(self) -> str:
        return str(self.root)

    @property
    def folder(self) -> str:
        return self.root.name

    @property
    def problems(self) -> tuple[tuple[PurePosixPath, str], ...]:
        return tuple(self._problems)

    def files(self) -> Iterator[PurePosixPath]:
        """Every file, sorted by path. The tree is walked once; later calls answer from memory."""
        if self._files is None:
            self._files = tuple(PurePosixPath(path) for path in sorted(self._walk()))
            self._known = frozenset(self._files)
        return iter(self._files)

    def read(self, path: PurePosixPath) -> bytes:
        """The bytes of a file; OSError if it cannot be read, EFBIG if it is larger than `LARGEST_FILE`."""
        full = self.root / path
        if path not in self._known and not full.resolve().is_relative_to(self.root):
            # A name that someone computed, or a link: what lies outside is not the workspace's.
            raise FileNotFoundError(errno.ENOENT, "lies outside of the workspace", str(full))
        with open(full, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > LARGEST_FILE:
                raise OSError(errno.EFBIG, f"too large to read ({size} bytes)", str(full))
            return stream.read()

    def _walk(self) -> Iterator[str]:
        base, rules = self._rules_above()
        pending = [("", rules)]
        while pending:
            folder, rules = pending.pop()
            try:
                with os.scandir(self.root / folder if folder else self.root) as scan:
                    entries = list(scan)
            except OSError as error:
                if not folder:
                    raise RemediateError(_reason(error), place=str(self.root)) from None
                self._problems.append((PurePosixPath(folder), f"cannot be opened: {_reason(error)}"))
                continue
            if any(entry.name == ".gitignore" for entry in entries):
                rules = self._with_file(rules, base, folder)
            prefix = f"{folder}/" if folder else ""
            for entry in entries:
                path = prefix + entry.name
                try:
                    path.encode()
                except UnicodeEncodeError:
                    shown = PurePosixPath(path.encode(errors="surrogateescape").decode(errors="replace"))
                    self._problems.append((shown, "its name is not UTF-8"))
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if not is_skipped_folder(entry.name) and not rules.ignores(base + path, is_folder=True):
                        pending.append((path, rules))
                elif entry.is_file(follow_symlinks=False) and not rules.ignores(base + path, is_folder=False):
                    yield path

    def _rules_above(self) -> tuple[str, IgnoreRules]:
        """The path of the root below the git top level (with a slash, or "") and the rules of the folders above it."""
        top = next((folder for folder in (self.root, *self.root.parents) if (folder / ".git").exists()), None)
        rules = IgnoreRules()
        if top is None:
            return "", rules
        exclude = _text(top / ".git" / "info" / "exclude")
        if exclude is not None:
            rules = rules.entered("", exclude)
        below = self.root.relative_to(top)
        for folder in reversed(below.parents):
            text = _text(top / folder / ".gitignore")
            if text is not None and folder != below:
                rules = rules.entered("" if folder == Path() else folder.as_posix(), text)
        return ("" if below == Path() else f"{below.as_posix()}/"), rules

    def _with_file(self, rules: IgnoreRules, base: str, folder: str) -> IgnoreRules:
        text = _text(self.root / folder / ".gitignore")
        return rules if text is None else rules.entered((base + folder).rstrip("/"), text)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _reason(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
