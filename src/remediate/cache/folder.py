"""Where the cache lies, and whether it may be used there."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "REMEDIATE_CACHE_DIR"


class UnusableError(Exception):
    """The cache cannot or must not be used; the message is the reason."""


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """`REMEDIATE_CACHE_DIR`, else `remediate` in the folder for caches: `XDG_CACHE_HOME` (if absolute), `~/.cache`;
    on Windows `%LOCALAPPDATA%`. Raises `UnusableError` where there is no home."""
    if named := environment.get(VARIABLE):
        return Path(named).absolute()
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    base = environment.get(variable, "")
    if os.path.isabs(base):
        return Path(base, "remediate")
    try:
        return Path.home() / ".cache" / "remediate"
    except RuntimeError:
        raise UnusableError(f"there is no home folder; {VARIABLE} names another place") from None


def prepare(folder: Path) -> None:
    """Makes the folder, for its user alone. Raises `UnusableError` if somebody else could write into it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        require_own(folder)
    except OSError as error:
        raise UnusableError(error.strerror or str(error)) from None


def require_own(path: Path) -> None:
    """Raises `UnusableError` unless the file or folder is the user's, and nobody else's to write. OSError as `stat`."""
    if sys.platform == "win32":
        return  # there it inherits the rights of the user's profile
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise UnusableError(f"{path.name} belongs to another user")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UnusableError(f"others may write to {path.name}")
