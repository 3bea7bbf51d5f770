"""Whose database the code uses that lies in no service."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

from remediate.source.model import CodeFile
from remediate.source.packages import Packages, upwards


class Belonging:
    """Code by what it imports and what imports it.

    A file that a service imports runs in that service. A package that imports a service's files is an application of
    that service's database, and so is everything beside the only service. What is tied to no service may use any of
    the databases; what is tied to some uses no other.
    """

    def __init__(self, files: Sequence[CodeFile], services: Mapping[str, str], packages: Packages) -> None:
        """`services` maps names to folders."""
        self._services = list(services)
        self._folders = {folder: name for name, folder in services.items()}
        self._packages = packages
        self._files = {file.file: file for file in files}
        self._own = {name: [file for file in files if file.service == name] for name in services}
        self._shared = [file for file in files if not file.service]
        self._package = {file.file: self._package_of(file.file) for file in self._shared}
        self._names = {package.full_name: package.folder for package in packages.all() if package.full_name}
        self._imported = {name: self._imports_of(self._own[name]) for name in services}
        self._uses = self._packages_by_service()

    def code_of(self, service: str) -> tuple[CodeFile, ...]:
        """A service's own files, then those of no service that are known to use its database."""
        alone = len(self._services) == 1
        others = [
            file
            for file in self._shared
            if alone or file.file in self._imported[service] or service in self._uses.get(self._package[file.file], ())
        ]
        return (*sorted(self._own[service], key=_path), *sorted(others, key=_path))

    def around(self, service: str, scripts: Iterable[CodeFile]) -> tuple[CodeFile, ...]:
        """Files that may use a service's database: those of no service, of others that import it, and scripts."""
        known = {file.file for file in self.code_of(service)}
        tied = self._tied()
        found = [file for file in self._shared if service in tied.get(self._package[file.file], {service})]
        for other in self._services:
            if other != service:
                found += [file for file in self._own[other] if self._reaches(file, service)]
        found += [script for script in scripts if script.service in ("", service)]
        return tuple(sorted((file for file in found if file.file not in known), key=_path))

    def shared(self) -> tuple[CodeFile, ...]:
        """Files of no service that services import, and those that set a custom setting."""
        used = frozenset().union(*self._imported.values()) if self._imported else frozenset()
        return tuple(sorted((file for file in self._shared if file.file in used or file.writes), key=_path))

    def _imports_of(self, own: Iterable[CodeFile]) -> frozenset[str]:
        """The files of no service that these import, directly or through other such files."""
        reached: set[str] = set()
        pending = [target for code in own if code.role != "test" for target in code.imports]
        while pending:
            target = pending.pop()
            code = self._files.get(target)
            if code is not None and not code.service and target not in reached:
                reached.add(target)
                pending += code.imports
        return frozenset(reached)

    def _packages_by_service(self) -> dict[str, set[str]]:
        """The services whose files a package of no service imports, directly or through other such packages."""
        services: dict[str, set[str]] = {}
        packages: dict[str, set[str]] = {}
        for folder in set(self._package.values()):
            for target in self._dependencies(folder):
                if target in self._folders:
                    services.setdefault(folder, set()).add(self._folders[target])
                else:
                    packages.setdefault(folder, set()).add(target)
        for file in self._shared:
            for target in file.imports if file.role != "test" else ():
                imported = self._files.get(target)
                if imported is not None and imported.service:
                    services.setdefault(self._package[file.file], set()).add(imported.service)
                elif imported is not None:
                    packages.setdefault(self._package[file.file], set()).add(self._package[target])
        changed = True
        while changed:
            changed = False
            for package, targets in packages.items():
                through = set().union(*(services.get(target, set()) for target in targets))
                if not through <= services.get(package, set()):
                    services.setdefault(package, set()).update(through)
                    changed = True
        return services

    def _package_of(self, path: str) -> str:
        """The folder of the nearest package that is one of its own: a package.json may only set the module form."""
        for folder in upwards(posixpath.dirname(path)):
            package = self._packages.at(folder)
            if package is not None and (package.name or not package.is_stub):
                return folder
        return ""

    def _dependencies(self, folder: str) -> Iterator[str]:
        """The folders of the workspace's own packages that a package.json names."""
        package = self._packages.at(folder)
        for part in ("dependencies", "devDependencies", "peerDependencies") if package is not None else ():
            named = package.content.get(part) if package is not None else None
            for name in named if isinstance(named, dict) else ():
                if name in self._names and self._names[name] != folder:
                    yield self._names[name]

    def _tied(self) -> dict[str, set[str]]:
        """The services that a package of no service imports, or that import it."""
        tied = {package: set(services) for package, services in self._uses.items()}
        for service, imported in self._imported.items():
            for path in imported:
                tied.setdefault(self._package[path], set()).add(service)
        return tied

    def _reaches(self, file: CodeFile, service: str) -> bool:
        return file.role != "test" and any(
            (target := self._files.get(path)) is not None and target.service == service for path in file.imports
        )


def _path(code: CodeFile) -> str:
    return code.file
