"""What discovery finds: services, their migrations, and the application code beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal, Protocol

from remediate.source.place import Place, Unresolved

Module = Literal["esm", "commonjs"]
Handle = Literal["knex", "pool"]


class FileTree(Protocol):
    """A read-only tree of files: the working tree, or the tree of a commit. Paths are POSIX, relative to its root."""

    @property
    def label(self) -> str:
        """What an error message calls it: a folder, or a folder at a commit."""
        ...

    def files(self) -> Iterator[PurePosixPath]:
        """Every file that is not ignored, in sorted order; links are left out."""
        ...

    def read(self, path: PurePosixPath) -> bytes:
        """The bytes of one file. Raises OSError (with its reason in strerror) if it cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class MigrationSource:
    """One migration file. `name` is its file name with extension: the identity that Knex records."""

    service: str
    file: str
    directory: str
    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SettingWrite:
    """One place in application code that sets a custom setting (`app.…`).

    `form`: "set" (SET x = …), "set_config", "bind" (SET with a bind parameter, a syntax error at run time),
    "interpolated" (a value pasted into SQL). `local`: ends with the transaction.
    """

    name: str
    place: Place
    form: Literal["set", "set_config", "bind", "interpolated"]
    local: bool


@dataclass(frozen=True, slots=True)
class CodeFile:
    """Application code of a service as far as it matters here.

    `words` holds every identifier-like word that stands in a string of the file, lower-cased (table names among them);
    `imports` the workspace paths of the files it imports; `role` what kind of entry it is, judged by its path. `data`
    is the file itself, for questions about a single word of it.
    """

    service: str
    file: str
    role: Literal["request", "entry", "job", "seed", "script", "test"]
    writes: tuple[SettingWrite, ...] = ()
    words: frozenset[str] = frozenset()
    imports: tuple[str, ...] = ()
    data: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Service:
    """One unit with its own migrations. `reasons` says for each derived fact (name, directories, database) why.

    `table_schema` is what the knexfile says of the schema of Knex's table; without it, that is the first of the search
    path. `configured` are those of its `directories` that a knexfile names: only there does Knex find a new file.
    """

    name: str
    path: str
    directories: tuple[str, ...]
    migrations: tuple[MigrationSource, ...] = field(repr=False)
    database: str
    table_name: str = "knex_migrations"
    table_schema: str | None = None
    module: Module = "esm"
    depends_on: tuple[str, ...] = ()
    configured: tuple[str, ...] = ()
    code: tuple[CodeFile, ...] = field(default=(), repr=False)
    reasons: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Everything that was read. `services` stand in dependency order.

    `code` is application code that lies in no service and matters: shared code, which the services that import it also
    list, and files that set a custom setting. `notes` are folders that look like migrations and were left out, and why.
    """

    label: str
    services: tuple[Service, ...]
    unresolved: tuple[Unresolved, ...] = ()
    ignores: tuple[IgnoreComment, ...] = ()
    code: tuple[CodeFile, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IgnoreComment:
    """`// remediate-ignore rule[, rule] [until 2027-01-31]: reason` in a migration.

    It holds for the statement below it, or the one on its own line.
    """

    place: Place
    rules: tuple[str, ...]
    reason: str
    until: str | None = None
