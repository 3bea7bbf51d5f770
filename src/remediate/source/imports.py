"""Which files of the workspace a file imports."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator

from remediate.source.packages import Packages
from remediate.source.tsconfig import TsConfigs

# `from 'x'`, `import 'x'`, `import('x')`, `require('x')`, `import x = require('x')`.
_IMPORT = re.compile(rb"\b(?:from|import|require)\s*\(?\s*['\"]([^'\"\n]+)['\"]")
_ENDINGS = ("", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", "/index.ts", "/index.tsx", "/index.js", "/index.cjs")
# What compilers write in an import is the name of the file that they will produce.
_WRITTEN_AS = {".js": (".ts", ".tsx"), ".mjs": (".mts",), ".cjs": (".cts",), ".jsx": (".tsx",)}


class Imports:
    """Resolves imports against the files of a workspace: relative ones, aliases of tsconfig.json, its own packages by
    name, and `@/…` by custom where no tsconfig.json says what it is.
    """

    def __init__(self, files: Collection[str], packages: Packages, configs: TsConfigs) -> None:
        self._files = files
        self._packages = packages
        self._configs = configs
        self._known: dict[tuple[str, str], str | None] = {}

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
        folder = posixpath.dirname(file)
        if (folder, target) not in self._known:
            paths = (self._existing(posixpath.normpath(base)) for base in self._bases(folder, target))
            self._known[folder, target] = next((path for path in paths if path is not None), None)
        return self._known[folder, target]

    def _bases(self, folder: str, target: str) -> Iterator[str]:
        if target.startswith("."):
            yield posixpath.join(folder, target)
            return
        for aliases in self._configs.above(folder):
            yield from aliases.bases(target)
        if target.startswith(("@/", "~/")):
            package = self._packages.above(folder)
            above = package.folder if package else ""
            yield posixpath.join(above, "src", target[2:])
            yield posixpath.join(above, target[2:])
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
