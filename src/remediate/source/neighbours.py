"""Folders beside a workspace that hold migrations too: they may share its database."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from remediate.source.gitignore import is_skipped_folder
from remediate.source.knexfile import NAME
from remediate.source.text import STRING_OR_COMMENT

_MIGRATIONS = (
    "migrations",
    "src/migrations",
    "db/migrations",
    "database/migrations",
    "src/db/migrations",
    "src/database/migrations",
)
_CODE = (".ts", ".js", ".cjs", ".mjs")
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
# Where services lie side by side there are dozens; a folder with thousands of others is no place of services.
_MOST_FOLDERS = 500
_MOST_BYTES = 64 * 1024 * 1024
_LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A folder that is not planned along. `words` holds what stands in strings of its code, in lower case."""

    name: str
    words: frozenset[str] = field(repr=False)


def neighbours(root: Path) -> tuple[Neighbour, ...]:
    """The folders beside `root`, and beside the folders around it within its git repository, by name.

    Looks for migrations no deeper than where they are usually kept, and not beyond the repository: without one,
    nowhere. Never raises: what cannot be read is not there. What is read of all of them is bounded.
    """
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    found: dict[str, Neighbour] = {}
    room = _MOST_BYTES
    current = root
    while top is not None and current != top:
        for folder in _folders(current.parent):
            if folder != current and folder.name not in found and _migrates(folder):
                words: set[str] = set()
                for text in _texts(folder):
                    room -= len(text)
                    if room < 0:
                        break
                    words.update(_WORD.findall(text.lower()))
                found[folder.name] = Neighbour(folder.name, frozenset(words))
        current = current.parent
    return tuple(sorted(found.values(), key=lambda neighbour: neighbour.name))


def _folders(parent: Path) -> Iterator[Path]:
    try:
        with os.scandir(parent) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return
    yield from (parent / name for name in names[:_MOST_FOLDERS] if not is_skipped_folder(name))


def _migrates(folder: Path) -> bool:
    try:
        if any(NAME.fullmatch(entry.name) for entry in folder.iterdir()):
            return True
        return any(
            any(file.suffix in _CODE for file in (folder / place).iterdir())
            for place in _MIGRATIONS
            if (folder / place).is_dir()
        )
    except OSError:
        return False


def _texts(folder: Path) -> Iterator[str]:
    """The strings of its code, and its SQL files."""
    for current, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_skipped_folder(name))
        for name in sorted(files):
            if not name.endswith((*_CODE, ".sql")):
                continue
            try:
                with open(Path(current, name), "rb") as stream:
                    text = stream.read(_LARGEST).decode("latin-1")
            except OSError:
                continue
            if name.endswith(".sql"):
                yield text
            else:
                found = STRING_OR_COMMENT.finditer(text)
                yield "\n".join(match.group() for match in found if match.group("comment") is None)
