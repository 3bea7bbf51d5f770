"""Which service a migration folder belongs to."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pathspec import GitIgnoreSpec

from remediate.errors import RemediateError
from remediate.source.database import is_same_run
from remediate.source.folders import Folder
from remediate.source.knexfile import Knexfile
from remediate.source.packages import Packages, upwards

# Folders inside a service that do not make a service of their own.
_INNER = frozenset({"src", "lib", "app", "source", "db", "database", "data", "knex", "sql", "schema", "postgres", "pg"})


@dataclass(frozen=True, slots=True)
class Owner:
    """A service by its folder ("" for the root), with its unique name and why it has it."""

    path: str
    name: str
    reason: str


def owners_of(
    folders: Mapping[str, Folder],
    packages: Packages,
    files: Iterable[PurePosixPath],
    configured: Sequence[str],
    tree_name: str,
) -> dict[Owner, list[str]]:
    """The services, with the paths of their migration folders in the order in which they were found.

    With `configured` (the globs of `workspace.services`) only what they match is a service; a glob that matches no
    folder raises RemediateError.
    """
    groups: dict[str, list[str]] = {}
    for path in folders:
        owner = _configured_owner(path, configured) if configured else _owner(path, packages)
        if owner is not None:
            groups.setdefault(owner, []).append(path)
    if configured:
        _check_globs(configured, files)
    else:
        groups = _split(groups, folders)
    found = {owner: groups[owner.path] for owner in _named(sorted(groups), packages, tree_name)}
    return {run: paths for owner, whole in found.items() for run, paths in _runs(owner, whole, folders)}


def _runs(owner: Owner, paths: Sequence[str], folders: Mapping[str, Folder]) -> Iterator[tuple[Owner, list[str]]]:
    """The folders that one run of Knex takes together, each as a service: knexfiles of other databases, or with other
    tables of migrations, are other runs. A folder that no knexfile names goes with the plain `knexfile`."""
    runs: list[list[Knexfile]] = []
    for knexfile in {
        folder.knexfile.file: folder.knexfile for path in paths if (folder := folders[path]).knexfile
    }.values():
        same = next((run for run in runs if all(is_same_run(knexfile, other) for other in run)), None)
        if same is None:
            runs.append([knexfile])
        else:
            same.append(knexfile)
    if len(runs) < 2:
        yield owner, list(paths)
        return
    main = next((run for run in runs if any(not _suffix(knexfile) for knexfile in run)), runs[0])
    for run in runs:
        files = {knexfile.file for knexfile in run}
        mine = [
            path for path in paths if _named_by(folders[path]) in files or (run is main and not folders[path].knexfile)
        ]
        label = _suffix(run[0]) or posixpath.basename(mine[0])
        name = owner.name if run is main else f"{owner.name}-{label}"
        reason = (
            owner.reason if run is main else f"{owner.reason}, and {run[0].file}, which names another database or table"
        )
        yield Owner(owner.path, name, reason), mine


def _named_by(folder: Folder) -> str | None:
    return folder.knexfile.file if folder.knexfile else None


def _suffix(knexfile: Knexfile) -> str:
    """`newdb` of `knexfile-newdb.js`."""
    return re.sub(r"^knex(?:file|[-.]config)|\.[a-z]+$", "", posixpath.basename(knexfile.file)).strip("-.")


def _owner(path: str, packages: Packages) -> str:
    package = packages.above(path)
    if package is not None and not packages.is_monorepo(package) and (package.folder or package.uses_database):
        return package.folder
    folder = _outside(path)
    # A package above that only holds others together never reaches below a folder with its own migrations.
    return folder if package is None or folder.startswith(package.folder) else package.folder


def _outside(path: str) -> str:
    """The nearest folder above a migration folder that is a unit of its own, not a layer of one."""
    folder = posixpath.dirname(path)
    while folder:
        name = posixpath.basename(folder)
        if name.lower() not in _INNER and not name.startswith(".") and "migration" not in name.lower():
            return folder
        folder = posixpath.dirname(folder)
    return ""


def _split(groups: dict[str, list[str]], folders: Mapping[str, Folder]) -> dict[str, list[str]]:
    """Services without a package.json of their own: several knexfiles below one package, each with its folder."""
    result: dict[str, list[str]] = {}
    for owner, paths in groups.items():
        homes = {}
        for path in paths:
            knexfile = folders[path].knexfile
            homes[path] = _outside(knexfile.file) if knexfile else _outside(path)
        inside = {home for home in homes.values() if home != owner and home.startswith(f"{owner}/" if owner else "")}
        split = len({home for path, home in homes.items() if folders[path].knexfile}) > 1 and len(inside) > 1
        for path in paths:
            result.setdefault(homes[path] if split and homes[path] in inside else owner, []).append(path)
    return result


def _configured_owner(path: str, globs: Sequence[str]) -> str | None:
    for folder in reversed(upwards(posixpath.dirname(path))):
        if _matches(globs, folder):
            return folder
    return None


def _matches(globs: Sequence[str], folder: str) -> bool:
    if not folder:
        return any(glob.strip("/") in ("", ".") for glob in globs)
    lines = [f"/{glob.removeprefix('./').strip('/')}/" for glob in globs if glob.strip("/") not in ("", ".")]
    return GitIgnoreSpec.from_lines(lines).match_file(f"{folder}/")


def _check_globs(globs: Sequence[str], files: Iterable[PurePosixPath]) -> None:
    every = {folder for file in files for folder in upwards(posixpath.dirname(file.as_posix()))}
    for glob in globs:
        if not any(_matches([glob], folder) for folder in every):
            close = difflib.get_close_matches(glob.strip("/"), sorted(every), n=1)
            hint = f"the nearest folder is {close[0]}" if close else "paths are relative to the workspace"
            raise RemediateError(f"{glob} matches no folder", place="remediate.toml, key workspace.services", hint=hint)


def _named(paths: Sequence[str], packages: Packages, tree_name: str) -> list[Owner]:
    """Gives each service a unique name: package.json's without scope, else the folder's; equal ones by their path."""
    chosen: dict[str, tuple[str, str]] = {}
    for path in paths:
        package = packages.at(path)
        if package is not None and package.name:
            chosen[path] = (package.name, f"name in {posixpath.join(path, 'package.json')}")
        else:
            chosen[path] = (posixpath.basename(path) or tree_name, "name of the folder")
    names = [name for name, _ in chosen.values()]
    result = []
    for path in paths:
        name, reason = chosen[path]
        if names.count(name) > 1:
            name, reason = path.replace("/", "-") or tree_name, f"its folder, because several are called {name}"
        result.append((path, name, reason))
    taken: set[str] = set()
    owners = []
    for path, name, reason in result:
        unique, number = name, 2
        while unique in taken:
            unique, number = f"{name}-{number}", number + 1
        taken.add(unique)
        owners.append(Owner(path, unique, reason))
    return owners
