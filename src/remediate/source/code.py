"""Application code beside the migrations: whose it is, what it imports, which settings it sets."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from remediate.source.belonging import Belonging
from remediate.source.imports import Imports
from remediate.source.model import CodeFile, FileTree
from remediate.source.packages import Packages, upwards
from remediate.source.place import Place, Unresolved
from remediate.source.role import role_of
from remediate.source.settings import may_write_settings, setting_writes, surely_writes_settings
from remediate.source.tsconfig import TsConfigs

# Larger files are bundles and data.
LARGEST_CODE = 1024 * 1024

EXTENSIONS = (".ts", ".tsx", ".js", ".jsx", ".cjs", ".mjs", ".mts", ".cts")
_NOT_CODE = (".d.ts", ".d.mts", ".d.cts", ".min.js")
# What may hold SQL, and is looked at for the names of tables only.
_SQL = (".sql", ".psql", ".pgsql", ".prisma")
SCRIPTS = (*_SQL, ".sh", ".bash", ".ps1", ".py", ".rb", ".go", ".php", ".java", ".kt", ".rs", ".cs")
_DUMP = b"-- PostgreSQL database dump"


@dataclass(frozen=True, slots=True)
class Code:
    """`services` by name: their own files, then the others that are known to use their database; `around` what may.

    `shared` belongs to no service and is imported by one, or sets a custom setting.
    """

    services: Mapping[str, tuple[CodeFile, ...]]
    around: Mapping[str, tuple[CodeFile, ...]]
    shared: tuple[CodeFile, ...]
    unresolved: tuple[Unresolved, ...]


def read_code(
    tree: FileTree,
    files: Iterable[PurePosixPath],
    paths: Mapping[str, str],
    migration_folders: Collection[str],
    packages: Packages,
    part_of_migrations: Collection[str] = (),
) -> Code:
    """Reads the code of a workspace; `paths` maps services to their folders ("" for the root), of which several
    services may have the same one: then each may run all of its code.

    `part_of_migrations` are the names of SQL files that migrations read: what those say is replayed.
    """
    every = [file.as_posix() for file in files]
    names = [path for path in every if is_code(path) and not _is_migration(path, migration_folders)]
    first = {folder: name for name, folder in reversed(list(paths.items()))}
    reader = _Reader(tree, frozenset(names), packages, first)
    read = [code for name in names if (code := reader.read(name)) is not None]
    scripts = [
        code
        for path in every
        if path.endswith(SCRIPTS) and not _is_migration(path, migration_folders)
        if posixpath.basename(path) not in part_of_migrations
        if (code := reader.read_script(path)) is not None
    ]
    belonging = Belonging(read, {name: folder for folder, name in first.items()}, packages)
    services = {name: belonging.code_of(first[folder]) for name, folder in paths.items()}
    around = {name: belonging.around(first[folder], scripts) for name, folder in paths.items()}
    return Code(services, around, belonging.shared(), tuple(reader.unresolved))


def is_code(path: str) -> bool:
    return path.endswith(EXTENSIONS) and not path.endswith(_NOT_CODE)


def _is_migration(path: str, migration_folders: Collection[str]) -> bool:
    return any(folder in migration_folders for folder in upwards(posixpath.dirname(path)))


class _Reader:
    def __init__(self, tree: FileTree, names: frozenset[str], packages: Packages, services: Mapping[str, str]) -> None:
        self.unresolved: list[Unresolved] = []
        self._tree = tree
        self._imports = Imports(names, packages, TsConfigs(self._load))
        self._services = services

    def read(self, path: str) -> CodeFile | None:
        """One file of code; None if there is nothing to read."""
        service = self._service_of(path)
        data = self._bytes(path, service)
        if data is None:
            return None
        code = code_file(service, path, self._inner(path, service), data, self._load, self._imports)
        if code[0].role != "test":
            self.unresolved += [replace(place, service=service) for place in code[1]]
        return code[0]

    def read_script(self, path: str) -> CodeFile | None:
        """One SQL file or script; what cannot be read has no SQL. Dumps of a database say what is there."""
        data = self._load(path)
        if data is None or len(data) > LARGEST_CODE or b"\0" in data or _DUMP in data[:400]:
            return None
        service = self._service_of(path)
        role = role_of(self._inner(path, service))
        return CodeFile(service, path, "script" if role == "request" else role, data=data)

    def _service_of(self, path: str) -> str:
        """The service whose folder is the nearest above a file, "" if none is."""
        folders = upwards(posixpath.dirname(path))
        return next((self._services[folder] for folder in folders if folder in self._services), "")

    def _inner(self, path: str, service: str) -> str:
        folder = next((f"{folder}/" for folder, name in self._services.items() if name == service and folder), "")
        return path[len(folder) :]

    def _bytes(self, path: str, service: str) -> bytes | None:
        try:
            data = self._tree.read(PurePosixPath(path))
        except OSError as error:
            self.unresolved.append(Unresolved(service, Place(path), f"cannot be read: {error.strerror or error}"))
            return None
        if len(data) > LARGEST_CODE:
            if surely_writes_settings(data):
                reason = f"may set a custom setting, and is too large to read ({len(data)} bytes)"
                self.unresolved.append(Unresolved(service, Place(path), reason))
            return None
        return None if b"\0" in data else data

    def _load(self, path: str) -> bytes | None:
        try:
            return self._tree.read(PurePosixPath(path))
        except OSError:
            return None


def code_file(
    service: str, path: str, inner: str, data: bytes, load: Callable[[str], bytes | None], imports: Imports
) -> tuple[CodeFile, tuple[Unresolved, ...]]:
    """A file of code and the writes in it that cannot be told; `inner` is its path within its service."""
    suspect = may_write_settings(data)
    writes, unresolved = setting_writes(path, data, load, imports.resolve) if suspect else ((), ())
    return CodeFile(service, path, role_of(inner), writes, imports.of(path, data), data), unresolved
