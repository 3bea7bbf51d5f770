"""package.json files: which package a folder belongs to."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

_DATABASE_CLIENTS = ("knex", "pg", "objection")
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

    def is_monorepo(self, package: Package) -> bool:
        """Whether it only holds other packages together."""
        return package.has_workspaces or package.folder in self._markers


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
