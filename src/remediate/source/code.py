"""Application code beside the migrations, as far as it matters: settings, names of tables, imports."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from remediate.source.imports import Imports
from remediate.source.model import CodeFile, FileTree
from remediate.source.packages import Packages, upwards
from remediate.source.place import Place, Unresolved
from remediate.source.role import role_of
from remediate.source.settings import may_write_settings, setting_writes, surely_writes_settings
from remediate.source.text import strings

# Larger files are bundles and data.
LARGEST_CODE = 1024 * 1024

_EXTENSIONS = (".ts", ".tsx", ".js", ".jsx", ".cjs", ".mjs", ".mts", ".cts")
_NOT_CODE = (".d.ts", ".d.mts", ".d.cts", ".min.js")
_WORD = re.compile(rb"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Code:
    """`services` by name: their own files, then the shared ones that they import. `shared` belongs to no service."""

    services: Mapping[str, tuple[CodeFile, ...]]
    shared: tuple[CodeFile, ...]
    unresolved: tuple[Unresolved, ...]


def read_code(
    tree: FileTree,
    files: Iterable[PurePosixPath],
    paths: Mapping[str, str],
    migration_folders: Collection[str],
    packages: Packages,
) -> Code:
    """Reads the code of a workspace; `paths` maps services to their folders ("" for the root).

    Code outside of every service is read when a service imports it, and when it sets a custom setting.
    """
    names = [path for file in files if _is_code(path := file.as_posix(), migration_folders)]
    reader = _Reader(tree, frozenset(names), packages, {folder: name for name, folder in paths.items()})
    for name in names:
        if reader.service_of(name):
            reader.read(name)
    pending = [target for code in list(reader.found.values()) for target in code.imports]
    while pending:
        target = pending.pop()
        if target not in reader.found and target in reader.names:
            code = reader.read(target)
            pending += code.imports if code else ()
    for name in names:
        if name not in reader.found:
            reader.read(name, only_writers=True)
    return reader.result(list(paths))


def _is_code(path: str, migration_folders: Collection[str]) -> bool:
    if not path.endswith(_EXTENSIONS) or path.endswith(_NOT_CODE):
        return False
    return not any(folder in migration_folders for folder in upwards(posixpath.dirname(path)))


class _Reader:
    def __init__(self, tree: FileTree, names: frozenset[str], packages: Packages, services: Mapping[str, str]) -> None:
        self.names = names
        self.found: dict[str, CodeFile] = {}
        self._tree = tree
        self._imports = Imports(names, packages)
        self._services = services
        self._unresolved: list[Unresolved] = []
        self._skipped: set[str] = set()

    def service_of(self, path: str) -> str:
        """The service whose folder is the nearest above a file, "" if none is."""
        folders = upwards(posixpath.dirname(path))
        return next((self._services[folder] for folder in folders if folder in self._services), "")

    def read(self, path: str, *, only_writers: bool = False) -> CodeFile | None:
        if path in self._skipped:
            return None
        service = self.service_of(path)
        data = self._bytes(path, service)
        if data is None:
            self._skipped.add(path)
            return None
        suspect = may_write_settings(data)
        if only_writers and not suspect:
            return None
        writes, unresolved = setting_writes(path, data, self._load, self._imports.resolve) if suspect else ((), ())
        if only_writers and not writes and not unresolved:
            return None
        inner = path[len(folder) :] if (folder := self._folder(service)) else path
        code = CodeFile(service, path, role_of(inner), writes, _words(data), self._imports.of(path, data), data)
        self.found[path] = code
        if code.role != "test":
            self._unresolved += [replace(place, service=service) for place in unresolved]
        return code

    def _folder(self, service: str) -> str:
        return next((f"{folder}/" for folder, name in self._services.items() if name == service and folder), "")

    def _bytes(self, path: str, service: str) -> bytes | None:
        try:
            data = self._tree.read(PurePosixPath(path))
        except OSError as error:
            self._unresolved.append(Unresolved(service, Place(path), f"cannot be read: {error.strerror or error}"))
            return None
        if len(data) > LARGEST_CODE:
            if surely_writes_settings(data):
                reason = f"may set a custom setting, and is too large to read ({len(data)} bytes)"
                self._unresolved.append(Unresolved(service, Place(path), reason))
            return None
        return None if b"\0" in data else data

    def _load(self, path: str) -> bytes | None:
        try:
            return self._tree.read(PurePosixPath(path))
        except OSError:
            return None

    def result(self, services: Sequence[str]) -> Code:
        shared = {path: code for path, code in self.found.items() if not code.service}
        by_service: dict[str, tuple[CodeFile, ...]] = {}
        used: set[str] = set()
        for name in services:
            own = [code for code in self.found.values() if code.service == name]
            reached = self._reached(own)
            used |= reached.keys()
            if len(services) == 1:
                # An application beside its only database is that database's application.
                reached |= {path: code for path, code in shared.items() if code.writes}
            by_service[name] = (*sorted(own, key=_path), *sorted(reached.values(), key=_path))
        kept = [code for path, code in shared.items() if path in used or code.writes]
        return Code(by_service, tuple(sorted(kept, key=_path)), tuple(self._unresolved))

    def _reached(self, own: Sequence[CodeFile]) -> dict[str, CodeFile]:
        """The shared files that these import, directly or through other shared files."""
        reached: dict[str, CodeFile] = {}
        pending = [target for code in own if code.role != "test" for target in code.imports]
        while pending:
            target = pending.pop()
            code = self.found.get(target)
            if code is not None and not code.service and target not in reached:
                reached[target] = code
                pending += code.imports
        return reached


def _path(code: CodeFile) -> str:
    return code.file


def _words(data: bytes) -> frozenset[str]:
    text = b" ".join(strings(data)).lower()
    return frozenset(word.decode() for word in set(_WORD.findall(text)))
