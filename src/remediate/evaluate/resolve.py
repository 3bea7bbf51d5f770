"""Which file an import means: relative paths, missing extensions, index files, and the path aliases of tsconfig."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import cached_property
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import TypeAlias

from remediate.source.model import FileTree
from remediate.source.packages import Packages
from remediate.source.tsconfig import TsConfigs

_EXTENSIONS = (".ts", ".tsx", ".js", ".cjs", ".mjs", ".mts", ".cts", ".json")
_COMPILED = {".js": (".ts", ".tsx"), ".mjs": (".mts",), ".cjs": (".cts",), ".jsx": (".tsx",)}

Reads: TypeAlias = tuple[tuple[str, bytes], ...]
"""What was asked of a tree and a digest of what it said: files, folders with a slash at their end, and `_PACKAGES`."""

_PACKAGES = "**/package.json"
"""Stands for all of them: any may say what the name of a package means."""


class Files:
    """Reads files of a tree, each once, and finds what imports mean.

    `touched` is what it was asked for, in the form of `Reads`; who wants to know empties it before.
    """

    def __init__(self, tree: FileTree) -> None:
        self.tree = tree
        self.touched: set[str] = set()
        self._digests: dict[str, bytes] = {}
        self._contents: dict[str, bytes | None] = {}
        self._names: list[str] | None = None

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, None when there is none that can be read."""
        self.touched.add(path)
        if path not in self._contents:
            data: bytes | None = None
            if path and not path.startswith("..") and "\0" not in path:
                try:
                    data = self.tree.read(PurePosixPath(path))
                except (OSError, ValueError, KeyError):
                    data = None
            self._contents[path] = data
        return self._contents[path]

    def children(self, directory: str) -> list[str]:
        """The names in a directory, sorted, as readdir gives them; empty when there is no such directory."""
        prefix = directory.strip("/") + "/" if directory.strip("/") not in ("", ".") else ""
        self.touched.add(prefix or "/")
        if self._names is None:
            self._names = [str(path) for path in self.tree.files()]
        return sorted({name[len(prefix) :].split("/")[0] for name in self._names if name.startswith(prefix)})

    def reads(self) -> Reads:
        """`touched` with what there is now."""
        return tuple((asked, self._digest(asked)) for asked in sorted(self.touched))

    def are_same(self, reads: Reads) -> bool:
        """Whether the tree would answer as it did then."""
        return all(self._digest(asked) == digest for asked, digest in reads)

    def _digest(self, asked: str) -> bytes:
        known = self._digests.get(asked)
        if known is None:
            outside, self.touched = self.touched, set()
            data: bytes | None
            if asked == _PACKAGES:
                found = (f"{path}\0".encode() + (self.read(path.as_posix()) or b"") for path in self._package_files())
                data = b"\0".join(found)
            elif asked.endswith("/"):
                data = "\0".join(self.children(asked)).encode()
            else:
                data = self.read(asked)
            self.touched = outside
            known = self._digests[asked] = b"" if data is None else blake2b(data, digest_size=16).digest()
        return known

    def resolve(self, source: str, importer: str) -> str | None:
        """The file that `source` means in the file `importer`; None for a package, or when it is not in the tree."""
        if source.startswith("."):
            return self._find(posixpath.normpath(posixpath.join(posixpath.dirname(importer), source)))
        if source.startswith("/"):
            return self._find(posixpath.normpath(source.lstrip("/")))
        for base in self._bases(source, importer):
            found = self._find(base)
            if found is not None:
                return found
        self.touched.add(_PACKAGES)
        return next((found for base in self._packages.entry_points(source) if (found := self._find(base))), None)

    @cached_property
    def _packages(self) -> Packages:
        """The packages of the workspace, which import each other by name."""
        return Packages(self._package_files(), lambda path: self.read(path.as_posix()))

    def _package_files(self) -> Iterator[PurePosixPath]:
        return (path for path in self.tree.files() if path.name == "package.json")

    def _find(self, path: str) -> str | None:
        stem, extension = posixpath.splitext(path)
        if extension in _EXTENSIONS and self.read(path) is not None:
            return path
        for other in _COMPILED.get(extension, ()):
            if self.read(stem + other) is not None:
                return stem + other
        for candidate in (path, posixpath.join(path, "index")):
            for other in _EXTENSIONS:
                if self.read(candidate + other) is not None:
                    return candidate + other
        return None

    def _bases(self, source: str, importer: str) -> Iterator[str]:
        for aliases in self._configs.above(posixpath.dirname(importer)):
            self.touched |= aliases.asked
            yield from aliases.bases(source)

    @cached_property
    def _configs(self) -> TsConfigs:
        return TsConfigs(self._contents_of)

    def _contents_of(self, path: str) -> bytes | None:
        """A file that is asked for once for all, so that whoever makes use of it has to say so."""
        outside, self.touched = self.touched, set()
        data = self.read(path)
        self.touched = outside
        return data
