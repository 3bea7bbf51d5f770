"""From a tree of files to its services, their migrations and the application code beside them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pathspec import GitIgnoreSpec

from remediate.config.model import Config
from remediate.errors import RemediateError
from remediate.source.code import read_code
from remediate.source.database import databases, identity_of
from remediate.source.folders import (
    Folder,
    Folders,
    MigrationFile,
    matching_extensions,
    name_order,
    table_name,
    table_schema,
)
from remediate.source.ignores import ignores_in
from remediate.source.knexfile import unfollowed
from remediate.source.model import FileTree, MigrationSource, Service, Workspace
from remediate.source.module import module_of
from remediate.source.order import Need, Order, dependency_order, needs_of, scan
from remediate.source.owners import Owner, owners_of
from remediate.source.packages import Packages
from remediate.source.place import Place, Unresolved
from remediate.source.search_path import OPTION, search_path, sent_by
from remediate.source.text import without_comments
from remediate.source.tree import DescribedTree

_SQL_FILE = re.compile(rb"[\w.-]+\.sql\b")


class NoServicesError(RemediateError):
    """There is nothing to replay here; who can do without catches it."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A service before it is known how it stands to the others."""

    owner: Owner
    folders: tuple[Folder, ...]
    files: tuple[MigrationFile, ...]
    reasons: dict[str, str]


def discover(tree: FileTree, config: Config) -> Workspace:
    """The services of a tree in dependency order, with their migrations in the order in which Knex runs them.

    What cannot be read is in `unresolved`. Raises RemediateError if there is no service, saying where it looked.
    """
    files = _included(tree.files(), config)
    tree_name = tree.folder if isinstance(tree, DescribedTree) else "workspace"
    packages = Packages(files, lambda path: _bytes(tree, path))
    folders = Folders(tree, files, packages, tree_name)
    found = folders.find()
    if not found:
        raise _nothing_found(tree, files, folders, config)
    owners = owners_of(found, packages, files, config.workspace.services, tree_name)
    if not owners:
        raise _nothing_found(tree, files, folders, config)
    drafts = {owner.name: _draft(owner, [found[path] for path in paths]) for owner, paths in owners.items()}
    # One service needs nothing of itself, and the scan is what takes longest.
    several = len(drafts) > 1
    needs = needs_of({name: scan(file.text for file in draft.files) for name, draft in drafts.items() if several})
    identities = {
        name: identity_of(folder.knexfile for folder in draft.folders if folder.knexfile)
        for name, draft in drafts.items()
    }
    homes = databases(sorted(drafts), identities, needs, config.workspace.database)
    needs = [need for need in needs if homes[need.service][0] == homes[need.owner][0]]
    order, strangers = _configured_order(dependency_order(sorted(drafts), needs), drafts, config)
    texts = {knexfile.file: _text_without_comments(tree, knexfile.file) for knexfile in folders.knexfiles}
    searched = {name: search_path(draft.folders, config.workspace.environment, texts) for name, draft in drafts.items()}
    services = tuple(
        replace(_service(drafts[name], homes[name], needs, order, packages), search_path=searched[name])
        for name in order.services
    )
    paths = {name: draft.owner.path for name, draft in drafts.items()}
    code = read_code(tree, files, paths, set(found), packages, _sql_files_in(services))
    services = tuple(
        replace(service, code=code.services[service.name], around=code.around[service.name]) for service in services
    )
    ignores, wrong = ignores_in(migration for service in services for migration in service.migrations)
    unresolved = [
        replace(place, service=draft.owner.name)
        for draft in drafts.values()
        for folder in draft.folders
        for place in folder.unresolved
    ]
    if isinstance(tree, DescribedTree):
        unresolved += [Unresolved("", Place(path.as_posix()), reason) for path, reason in tree.problems]
    options = [
        place
        for name, draft in drafts.items()
        for place in _unfollowed(name, draft, texts)
        if searched[name] is None or not place.reason.startswith(OPTION)
    ]
    unresolved += [*wrong, *options, *code.unresolved]
    return Workspace(
        tree.label, services, tuple(sorted(unresolved)), tuple(ignores), code.shared, (*folders.notes, *strangers)
    )


def _sql_files_in(services: Iterable[Service]) -> frozenset[str]:
    """The names of SQL files that migrations speak of."""
    found = {
        name.decode(errors="replace")
        for service in services
        for migration in service.migrations
        for name in _SQL_FILE.findall(migration.data)
    }
    return frozenset(found)


def _included(files: Iterable[PurePosixPath], config: Config) -> list[PurePosixPath]:
    if not config.workspace.exclude:
        return list(files)
    spec = GitIgnoreSpec.from_lines(config.workspace.exclude)
    return [file for file in files if not spec.match_file(file.as_posix())]


def _bytes(tree: FileTree, path: PurePosixPath) -> bytes | None:
    try:
        return tree.read(path)
    except OSError:
        return None


def _draft(owner: Owner, folders: Sequence[Folder]) -> _Found:
    """Puts the migrations of one service in order: those of its knexfiles first, then folders that none names."""
    reasons = {"name": owner.reason}
    ordered: list[MigrationFile] = []
    named = [folder for folder in folders if folder.knexfile is not None]
    by_knexfile: dict[str, list[Folder]] = {}
    for folder in named:
        if folder.knexfile is not None:
            by_knexfile.setdefault(folder.knexfile.file, []).append(folder)
    for group in by_knexfile.values():
        group.sort(key=lambda folder: folder.rank)
        environment = group[0].environment
        kept = [matching_extensions(folder.files, folder.environment) for folder in group]
        if environment is not None and environment.sort_directories_separately:
            ordered += [file for files in kept for file in files]
        else:
            ordered += sorted((file for files in kept for file in files), key=_by_name)
    others = sorted((folder for folder in folders if folder.knexfile is None), key=lambda folder: folder.path)
    for folder in others:
        ordered += sorted(folder.files, key=_by_name)
    notes = [f"{', '.join(folder.path for folder in group)}: named by {file}" for file, group in by_knexfile.items()]
    if others:
        why = "no knexfile names it" if named else "by its name; no knexfile names an existing folder"
        notes.append(f"{', '.join(folder.path for folder in others)}: {why}")
    reasons["directories"] = "; ".join(notes)
    in_order = [folder for group in by_knexfile.values() for folder in group] + others
    return _Found(owner, tuple(in_order), tuple(ordered), reasons)


def _unfollowed(service: str, draft: _Found, texts: Mapping[str, str]) -> Iterator[Unresolved]:
    """Options of its knexfiles that may give its tables other names than the migrations say."""
    for file in dict.fromkeys(folder.knexfile.file for folder in draft.folders if folder.knexfile):
        sent = sent_by(texts[file])
        own = [] if sent is None or sent[1] else [(sent[0], f"{OPTION} (by SQL)")]
        for line, option in [*unfollowed(texts[file]), *own]:
            reason = f"{option} in the knexfile is not followed: tables may have other names or schemas than was read"
            yield Unresolved(service, Place(file, line, 1), reason)


def _text_without_comments(tree: FileTree, file: str) -> str:
    return without_comments((_bytes(tree, PurePosixPath(file)) or b"").decode("utf-8", "replace"))


def _by_name(file: MigrationFile) -> tuple[bytes, str]:
    return name_order(posixpath.basename(file.path)), file.path


def _service(
    draft: _Found,
    home: tuple[str, str],
    needs: Sequence[Need],
    order: Order,
    packages: Packages,
) -> Service:
    name = draft.owner.name
    package = packages.at(draft.owner.path)
    module, reason = module_of(draft.files, package.module_type if package else None)
    mine = [need for need in needs if need.service == name and need.weight > 1]
    reasons = {**draft.reasons, "database": home[1], "module": reason}
    if mine:
        reasons["depends_on"] = "; ".join(_needed(owner, mine) for owner in sorted({need.owner for need in mine}))
    cut = [owner for service, owner in order.cut if service == name]
    if cut:
        reasons["order"] = f"runs before {', '.join(cut)} although it uses what they create: they need each other"
    return Service(
        name=name,
        path=draft.owner.path or ".",
        directories=tuple(folder.path for folder in draft.folders),
        migrations=tuple(
            MigrationSource(name, file.path, posixpath.dirname(file.path), posixpath.basename(file.path), file.data)
            for file in draft.files
        ),
        database=home[0],
        table_name=table_name(draft.folders) or "knex_migrations",
        table_schema=table_schema(draft.folders),
        module=module,
        depends_on=tuple(sorted({need.owner for need in mine})),
        configured=tuple(folder.path for folder in draft.folders if folder.knexfile is not None),
        reasons=reasons,
    )


def _needed(owner: str, needs: Sequence[Need]) -> str:
    uses = sorted((-need.weight, need.subject, need.how) for need in needs if need.owner == owner)
    shown = ", ".join(f"{subject} ({how})" for _, subject, how in uses[:4])
    return f"{owner}: {shown}{f' and {len(uses) - 4} more' if len(uses) > 4 else ''}"


def _configured_order(derived: Order, drafts: Mapping[str, _Found], config: Config) -> tuple[Order, list[str]]:
    """The order that is configured, then the services that it leaves out; and what it names that is no service.

    A service may also be named by its folder. A name that is none is no error: the same configuration serves a part
    of the platform, too.
    """
    wanted = config.workspace.order
    if not wanted:
        return derived, []
    folders = {posixpath.basename(draft.owner.path): name for name, draft in drafts.items()}
    known = [name if name in drafts else folders.get(name, "") for name in wanted]
    strangers = [
        f"workspace.order names {name}, which is no service"
        for name, found in zip(wanted, known, strict=True)
        if not found
    ]
    chosen = [name for name in dict.fromkeys(known) if name]
    rest = [name for name in derived.services if name not in chosen]
    return Order((*chosen, *rest), ()), strangers


def _nothing_found(tree: FileTree, files: Sequence[PurePosixPath], folders: Folders, config: Config) -> NoServicesError:
    looked: list[str] = []
    if folders.knexfiles:
        names = [knexfile.file for knexfile in folders.knexfiles]
        looked.append(f"knexfiles {', '.join(names[:3])}{', …' if len(names) > 3 else ''}")
    else:
        looked.append("no knexfile")
    looked.append("no folder named migrations holds a file that exports up")
    looked += folders.notes[:2]
    if config.workspace.services:
        looked.append(f"workspace.services is {', '.join(config.workspace.services)}")
    return NoServicesError(
        f"no services found in {len(files)} files ({'; '.join(looked)})",
        place=tree.label,
        hint="give the folder that holds the services, or name their folders in workspace.services of remediate.toml",
    )
