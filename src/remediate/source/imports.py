"""Which files of the workspace a file imports."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator

from remediate.source.packages import Packages

# `from 'x'`, `import 'x'`, `import('x')`, `require('x')`, `import x = require('x')`.
_IMPORT = re.compile(rb"\b(?:from|import|require)\s*\(?\s*['\"]([^'\"\n]+)['\"]")
_ENDINGS = ("", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", "/index.ts", "/index.tsx", "/index.js", "/index.cjs")
# What compilers write in an import is the name of the file that they will produce.
_WRITTEN_AS = {".js": (".ts", ".tsx"), ".mjs": (".mts",), ".cjs": (".cts",), ".jsx": (".tsx",)}


class Imports:
    """Resolves imports against the files of a workspace: relative ones, `@/…`, and its own packages by name."""

    def __init__(self, files: Collection[str], packages: Packages) -> None:
        self._files = files
        self._packages = packages

    def of(self, file: str, data: bytes) -> dict[str, str]:
        """The workspace paths that a file imports, by how they are written; imports of other code are left out."""
        found = {}
        for target in sorted(set(_IMPORT.findall(data))):
            written = target.decode(errors="replace")
            path = self.resolve(file, written)
            if path is not None and path != file:
                found[written] = path
        return found

    def resolve(self, file: str, target: str) -> str | None:
        for base in self._bases(file, target):
            path = self._existing(posixpath.normpath(base))
            if path is not None:
                return path
        return None

    def _bases(self, file: str, target: str) -> Iterator[str]:
        if target.startswith("."):
            yield posixpath.join(posixpath.dirname(file), target)
        elif target.startswith(("@/", "~/")):
            package = self._packages.above(posixpath.dirname(file))
            folder = package.folder if package else ""
            yield posixpath.join(folder, "src", target[2:])
            yield posixpath.join(folder, target[2:])
        else:
            yield from self._packages.entry_points(target)

    def _existing(self, base: str) -> str | None:
        for ending in _ENDINGS:
            if base + ending in self._files:
                return base + ending
        stem, extension = posixpath.splitext(base)
        for written in _WRITTEN_AS.get(extension, ()):
            if stem + written in self._files:
                return stem + written
        return None
