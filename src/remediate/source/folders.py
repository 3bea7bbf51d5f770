"""Where the migrations are: folders that knexfiles name, and folders that are named like it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from remediate.source.exports import (
    exports_up,
    forwards_module,
    is_loadable,
    is_numbered,
    is_test_name,
    other_tool,
    shows_knex,
)
from remediate.source.knexfile import NAME, Environment, Knexfile, read_knexfile
from remediate.source.model import FileTree
from remediate.source.packages import Packages
from remediate.source.place import Place, Unresolved
from remediate.source.text import Unreadable, read_text

_FOLDER_NAME = re.compile(r"(?:(?:knex|db|database|pg|postgres|sql|schema)[-_.]?)?migrations?", re.IGNORECASE)
NO_UP = "exports no up"
_TEST_FOLDERS = frozenset(
    {"test", "tests", "__tests__", "__mocks__", "__fixtures__", "fixtures", "spec", "specs", "e2e"}
)
# Beside migrations, and never migrations themselves.
_HELPER_FOLDERS = frozenset(
    {"utils", "util", "helpers", "helper", "lib", "common", "shared", "templates", "seeds", "data"}
)


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """A file that is a migration by its text."""

    path: str
    data: bytes
    text: str


@dataclass(slots=True)
class Folder:
    """A migration folder: its files in name order, and the knexfile that names it, if one does."""

    path: str
    files: list[MigrationFile]
    unresolved: list[Unresolved]
    knexfile: Knexfile | None = None
    environment: Environment | None = None
    rank: int = 0


class Folders:
    """Finds and reads migration folders of a tree."""

    def __init__(self, tree: FileTree, files: Iterable[PurePosixPath], packages: Packages, tree_name: str = "") -> None:
        self._tree = tree
        self._tree_name = tree_name
        self._packages = packages
        self._by_folder: dict[str, list[str]] = {}
        self._all = {file.as_posix() for file in files}
        for path in sorted(self._all):
            self._by_folder.setdefault(posixpath.dirname(path), []).append(path)
        self.knexfiles = tuple(self._read_knexfiles())
        self.notes: list[str] = []
        self._foreign: set[str] = set()

    def find(self) -> dict[str, Folder]:
        """The migration folders by path: those of knexfiles in their order, then those found by name."""
        found: dict[str, Folder] = {}
        for knexfile in self.knexfiles:
            for rank, (path, environment) in enumerate(self._named_by(knexfile)):
                if path in found:
                    continue
                folder = self._read(path)
                if folder is not None:
                    folder.knexfile, folder.environment, folder.rank = knexfile, environment, rank
                    found[path] = folder
        for path in sorted(self._by_folder):
            if path not in found and self._is_named_like_migrations(path):
                folder = self._read(path)
                if folder is not None and not self._is_of_nothing(folder):
                    found[path] = folder
        return {path: folder for path, folder in found.items() if folder.knexfile or not self._is_foreign(folder)}

    def _is_of_nothing(self, folder: Folder) -> bool:
        """Whether its files were read, and none of them exports `up`: the migrations of something else."""
        if folder.files or any(one.reason != NO_UP for one in folder.unresolved):
            return False
        self.notes.append(f"{folder.path} holds numbered files, none of which exports up")
        return True

    def _is_foreign(self, folder: Folder) -> bool:
        """Whether it stands among folders of another tool's migrations, and nothing in it says Knex."""
        beside = posixpath.dirname(folder.path)
        return beside in self._foreign and not any(shows_knex(file.text) for file in folder.files)

    def _read_knexfiles(self) -> Iterator[Knexfile]:
        named = {name for package in self._packages.all() for name in package.knexfiles if name in self._all}
        for path in sorted(self._all):
            file = PurePosixPath(path)
            if path in named or (NAME.fullmatch(file.name) and not is_test_name(file.name) and not _in_tests(path)):
                yield read_knexfile(file, self.bytes_of)

    def bytes_of(self, path: PurePosixPath) -> bytes | None:
        if path.as_posix() not in self._all:
            return None
        try:
            return self._tree.read(path)
        except OSError:
            return None

    def _named_by(self, knexfile: Knexfile) -> Iterator[tuple[str, Environment | None]]:
        """The folders that a knexfile names and that exist, in its order."""
        if not knexfile.environments:
            # It could not be read, or leaves everything to Knex, whose default this is.
            yield from ((path, None) for path in self._resolved(knexfile, "./migrations"))
        seen = set()
        for environment in knexfile.environments:
            for name in environment.directories if environment.directories is not None else ("./migrations",):
                for path in self._resolved(knexfile, name):
                    if path not in seen:
                        seen.add(path)
                        yield path, environment

    def _resolved(self, knexfile: Knexfile, name: str) -> list[str]:
        """Knex resolves against the knexfile's folder; people also write it as seen from the package."""
        package = self._packages.above(knexfile.folder)
        for base in (knexfile.folder, package.folder if package else ""):
            path = posixpath.normpath(posixpath.join(base, name))
            path = "" if path == "." else path
            if not name.startswith("/") and path in self._by_folder:
                return [path]
        return []

    def _is_named_like_migrations(self, path: str) -> bool:
        if _in_tests(path):
            return False
        # Someone may give the very folder of the migrations.
        name = posixpath.basename(path) or self._tree_name
        if _FOLDER_NAME.fullmatch(name):
            return True
        # `migrations/core/*.ts`: Knex does not look into sub-folders unless a knexfile names them, but a knexfile that
        # nobody can read may.
        parent = posixpath.dirname(path)
        return (
            _FOLDER_NAME.fullmatch(posixpath.basename(parent)) is not None
            and name not in _HELPER_FOLDERS
            and not any(is_loadable(posixpath.basename(file)) for file in self._by_folder.get(parent, ()))
        )

    def _read(self, path: str) -> Folder | None:
        """The folder if it holds a migration, or what looks like one and cannot be read."""
        folder = Folder(path, [], [])
        foreign: list[str] = []
        for file in self._by_folder[path]:
            name = posixpath.basename(file)
            if not is_loadable(name):
                continue
            try:
                data, text = read_text(self._tree, PurePosixPath(file))
            except Unreadable as error:
                folder.unresolved.append(Unresolved("", Place(file), str(error)))
                continue
            tool = other_tool(text)
            if tool is not None:
                foreign.append(tool)
            elif exports_up(text) or (is_numbered(name) and forwards_module(text)):
                folder.files.append(MigrationFile(file, data, text))
            elif is_numbered(name):
                reason = NO_UP if text.strip() else "is empty"
                folder.unresolved.append(Unresolved("", Place(file), reason))
        if foreign and not folder.files:
            self.notes.append(f"{path} holds migrations of another tool (up takes {foreign[0]})")
            self._foreign.add(posixpath.dirname(path))
            return None
        if not folder.files and not any(is_numbered(posixpath.basename(u.place.file)) for u in folder.unresolved):
            return None
        self._drop_compiled(folder)
        return folder

    @staticmethod
    def _drop_compiled(folder: Folder) -> None:
        """Leaves out `001_a.js` beside `001_a.ts`: the compiler wrote it, and both are one migration."""
        sources = {file.path[:-3] for file in folder.files if file.path.endswith(".ts")}
        folder.files = [
            file for file in folder.files if file.path.endswith(".ts") or file.path.rpartition(".")[0] not in sources
        ]


def matching_extensions(files: Iterable[MigrationFile], environment: Environment | None) -> list[MigrationFile]:
    """The files that Knex would load; all of them where `loadExtensions` names none of those that are there."""
    every = list(files)
    wanted = environment.extensions if environment else ()
    kept = [file for file in every if file.path.endswith(wanted)] if wanted else every
    return kept or every


def name_order(name: str) -> bytes:
    """A sort key for file names as JavaScript sorts strings: by UTF-16 code unit."""
    return name.encode("utf-16-be", errors="surrogatepass")


def _in_tests(path: str) -> bool:
    return any(part in _TEST_FOLDERS for part in path.split("/")[:-1]) or posixpath.basename(path) in _TEST_FOLDERS


def table_name(folders: Iterable[Folder]) -> str | None:
    """The migrations table that the knexfiles of these folders agree on; the one of production where they differ."""
    for folder in folders:
        main = folder.knexfile.main if folder.knexfile else None
        if main is not None and main.table_name:
            return main.table_name
    return None


def table_schema(folders: Iterable[Folder]) -> str | None:
    """The schema of that table, where a knexfile names one."""
    mains = (folder.knexfile.main for folder in folders if folder.knexfile)
    return next((main.schema_name for main in mains if main is not None and main.schema_name), None)
