"""Writes changes into the working tree, for `--write`: all of them or none."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from remediate.deliver.changes import FileChange, encoded, same_text
from remediate.errors import RemediateError


@dataclass(slots=True)
class _Step:
    """One file: what is there now (None: nothing), what is to be there, and the finished file beside it."""

    change: FileChange
    target: Path
    before: bytes | None
    mode: int | None
    temporary: Path | None = None
    done: bool = False


@dataclass(slots=True)
class _Undo:
    """The folders that were made."""

    folders: list[Path] = field(default_factory=list)


def write(root: Path, changes: Sequence[FileChange]) -> list[str]:
    """Writes every change below the workspace `root`; the paths that were written, in order.

    A file that already holds the text is left as it is. Raises RemediateError, with everything as it was, if a file to
    add is there with other content, a file to edit is not as it was planned from, or writing fails.
    """
    base = root.resolve()
    steps = [step for change in changes if (step := _planned(base, change)) is not None]
    undo = _Undo()
    place = ""
    try:
        for action in (_prepare, _put):
            for step in steps:
                place = step.change.path
                action(step, undo)
    except OSError as error:
        _roll_back(steps, undo)
        raise _explained(error, place) from None
    except BaseException:
        _roll_back(steps, undo)
        raise
    return [step.change.path for step in steps]


def _planned(base: Path, change: FileChange) -> _Step | None:
    path = PurePosixPath(change.path)
    target = base / path
    if path.is_absolute() or ".." in path.parts or not target.parent.resolve().is_relative_to(base):
        raise RemediateError("lies outside of the workspace", place=change.path)
    if target.is_symlink():
        raise RemediateError("is a link", place=change.path, hint="nothing was written")
    try:
        data: bytes | None = target.read_bytes()
        mode: int | None = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        data = mode = None
    except OSError as error:
        raise _explained(error, change.path) from None
    if data is not None and same_text(data, change.text):
        return None
    if change.before is None and data is not None:
        raise RemediateError("is there already with other content", place=change.path, hint="nothing was written")
    if change.before is not None and (data is None or not same_text(data, change.before)):
        raise RemediateError("changed since it was read", place=change.path, hint="nothing was written; plan again")
    return _Step(change, target, data, mode)


def _prepare(step: _Step, undo: _Undo) -> None:
    """Writes the finished file beside its target, so that what remains is a rename."""
    missing = [folder for folder in step.target.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        undo.folders.append(folder)
    descriptor, name = tempfile.mkstemp(prefix=".remediate-", dir=step.target.parent)
    step.temporary = Path(name)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(encoded(step.change.text, step.before))
        stream.flush()
        os.fsync(stream.fileno())
    os.chmod(name, step.mode if step.mode is not None else 0o666 & ~_umask())


def _put(step: _Step, undo: _Undo) -> None:
    assert step.temporary is not None
    if step.before is None:
        _put_new(step.temporary, step.target)
    else:
        if step.target.read_bytes() != step.before:
            raise RemediateError("changed since it was read", place=step.change.path, hint="nothing was written")
        os.replace(step.temporary, step.target)
    step.done = True


def _put_new(temporary: Path, target: Path) -> None:
    """Gives the file its name, and fails if someone else took it in the meantime."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links: the check and the rename are then two steps.
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        os.replace(temporary, target)
        return
    temporary.unlink()


def _roll_back(steps: Sequence[_Step], undo: _Undo) -> None:
    for step in reversed(steps):
        with contextlib.suppress(OSError):
            if step.done and step.before is None:
                step.target.unlink(missing_ok=True)
            elif step.done and step.before is not None:
                step.target.write_bytes(step.before)
        if step.temporary is not None:
            with contextlib.suppress(OSError):
                step.temporary.unlink(missing_ok=True)
    for folder in reversed(undo.folders):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _umask() -> int:
    # There is no way to ask without setting it.
    current = os.umask(0)
    os.umask(current)
    return current


def _explained(error: OSError, path: str) -> RemediateError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RemediateError("the disk is full", place=path, hint="nothing was written; free some room")
    return RemediateError(f"cannot be written: {error.strerror or error}", place=path, hint="nothing was written")
