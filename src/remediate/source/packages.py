"""package.json files: which package a folder belongs to."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

_DATABASE_CLIENTS = ("knex", "pg", "objection")
_BUILT = re.compile(r"^(?:dist|build|lib|out)/(?:(?:cjs|esm|src|mjs|es)/)?")
_MOST_CONDITIONS = 4
_KNEXFILE_OPTION = re.compile(r"--knexfile[= ]+[\"']?([^\s\"']+)")


@dataclass(frozen=True)
class Package:
    """One package.json. `folder` is relative to the workspace, "" for its root; `content` {} if it is not JSON."""

    folder: str
    content: dict[str, Any]

    @property
    def name(self) -> str | None:
        """The name without scope."""
        name = self.content.get("name")
        return name.rpartition("/")[2] or None if isinstance(name, str) else None

    @property
    def full_name(self) -> str | None:
        name = self.content.get("name")
        return name if isinstance(name, str) and name else None

    @property
    def module_type(self) -> str | None:
        value = self.content.get("type")
        return value if isinstance(value, str) else None

    @cached_property
    def is_stub(self) -> bool:
        """A file that only sets the module form of a folder, or lies beside a knexfile: no package of its own."""
        parts = ("dependencies", "devDependencies", "peerDependencies", "workspaces")
        return not any(self.content.get(part) for part in parts) and (
            self.name in (None, "knexfile") or set(self.content) <= {"name", "type", "private", "version"}
        )

    @cached_property
    def uses_database(self) -> bool:
        parts = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
        return any(client in (self.content.get(part) or {}) for part in parts for client in _DATABASE_CLIENTS)

    @property
    def has_workspaces(self) -> bool:
        return bool(self.content.get("workspaces"))

    @cached_property
    def knexfiles(self) -> tuple[str, ...]:
        """The knexfiles that its scripts name, relative to the workspace."""
        scripts = self.content.get("scripts")
        texts = [text for text in scripts.values() if isinstance(text, str)] if isinstance(scripts, dict) else []
        found = dict.fromkeys(name for text in texts for name in _KNEXFILE_OPTION.findall(text))
        return tuple(posixpath.normpath(posixpath.join(self.folder, name)) for name in found)


class Packages:
    """The packages of a workspace, read when asked for."""

    def __init__(self, files: Iterable[PurePosixPath], read: Callable[[PurePosixPath], bytes | None]) -> None:
        self._read = read
        self._folders: dict[str, Package | None] = {}
        self._markers: set[str] = set()
        for file in files:
            if file.name == "package.json":
                self._folders[_folder(file)] = None
            elif file.name in ("pnpm-workspace.yaml", "lerna.json", "nx.json", "turbo.json", "rush.json"):
                self._markers.add(_folder(file))

    def at(self, folder: str) -> Package | None:
        if folder not in self._folders:
            return None
        package = self._folders[folder]
        if package is None:
            data = self._read(PurePosixPath(folder) / "package.json")
            package = self._folders[folder] = Package(folder, _json_object(data))
        return package

    def above(self, folder: str) -> Package | None:
        """The nearest package at or above a folder that is more than a stub."""
        for candidate in upwards(folder):
            package = self.at(candidate)
            if package is not None and not package.is_stub:
                return package
        return None

    def all(self) -> list[Package]:
        return [package for folder in sorted(self._folders) if (package := self.at(folder)) is not None]

    def entry_points(self, target: str) -> Iterator[str]:
        """Where the import of one of these packages, by its name, may lead: paths without or with another extension.

        What a package declares is often what its build will make of `src`.
        """
        parts = target.split("/")
        name = "/".join(parts[: 2 if target.startswith("@") else 1])
        package = self._by_name.get(name)
        if package is None:
            return
        inner = "/".join(parts[len(name.split("/")) :])
        folder = package.folder
        for declared in _declared(package.content, inner):
            yield posixpath.normpath(posixpath.join(folder, declared))
            source = _BUILT.sub("src/", declared.removeprefix("./"))
            yield posixpath.normpath(posixpath.join(folder, source))
        for base in ("src", ""):
            yield posixpath.normpath(posixpath.join(folder, base, inner or "index"))

    @cached_property
    def _by_name(self) -> dict[str, Package]:
        return {package.full_name: package for package in self.all() if package.full_name}

    def is_monorepo(self, package: Package) -> bool:
        """Whether it only holds other packages together."""
        return package.has_workspaces or package.folder in self._markers


def _declared(content: dict[str, Any], inner: str) -> Iterator[str]:
    """What `source`, `exports`, `module` and `main` say of an import, in this order."""
    exports = content.get("exports")
    if not inner and isinstance(content.get("source"), str):
        yield content["source"]
    if isinstance(exports, dict):
        wanted = f"./{inner}" if inner else "."
        for pattern, entry in exports.items():
            before, star, after = pattern.partition("*")
            if pattern == wanted or (not pattern.startswith(".") and not inner):
                yield from _targets(entry)
            elif star and wanted.startswith(before) and wanted.endswith(after):
                middle = wanted[len(before) : len(wanted) - len(after)]
                yield from (found.replace("*", middle) for found in _targets(entry))
    elif isinstance(exports, str) and not inner:
        yield exports
    for key in ("module", "main"):
        if not inner and isinstance(content.get(key), str):
            yield content[key]


def _targets(entry: Any) -> Iterator[str]:
    """The files of a conditional export, those of types left out; nested to no great depth."""
    waiting = [(entry, 0)]
    while waiting:
        item, depth = waiting.pop(0)
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict) and depth < _MOST_CONDITIONS:
            waiting += [(inner, depth + 1) for condition, inner in item.items() if condition != "types"]


def upwards(folder: str) -> list[str]:
    """The folder and those above it, up to the root, which is ""."""
    found = [folder]
    while folder:
        folder = posixpath.dirname(folder)
        found.append(folder)
    return found


def _folder(file: PurePosixPath) -> str:
    parent = file.parent.as_posix()
    return "" if parent == "." else parent


def _json_object(data: bytes | None) -> dict[str, Any]:
    try:
        value = json.loads((data or b"").decode("utf-8-sig"))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
