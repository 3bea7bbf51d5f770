"""What this program is: its own code and that of what it computes with. An entry of another program is never found."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

import remediate

_ENGINES = ("postgast", "tree_sitter", "tree_sitter_typescript", "google.protobuf", "pathspec")
"""Packages whose answers end up in entries."""


def fingerprint() -> bytes:
    """A digest of the version, every file of this package, the parsers and Python.

    Contents and not times of files: a checkout that is edited, moved or reset must not meet what another one left.
    """
    digest = blake2b(f"{remediate.__version__}\0{sys.version}\0{sys.platform}".encode(), digest_size=16)
    root = Path(remediate.__file__).parent
    for name in sorted(_files(root)):
        data = (root / name).read_bytes()
        digest.update(f"\0{name}\0{len(data)}\0".encode())
        digest.update(data)
    for name in _ENGINES:
        digest.update(_identity(name).encode())
    return digest.digest()


def _files(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        if "__pycache__" in folders:
            folders.remove("__pycache__")
        yield from (os.path.relpath(os.path.join(folder, name), root) for name in names)


def _identity(package: str) -> str:
    """Installed packages are replaced, not edited: where one lies and when its files were put there identifies it."""
    spec = find_spec(package)
    found = [package]
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).iterdir()):
            status = path.stat()
            found.append(f"{path}\0{status.st_size}\0{status.st_mtime_ns}")
    return "\0".join(found)
