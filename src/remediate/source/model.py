"""What discovery finds: services, their migrations, and the application code beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Literal, Protocol

from remediate.source.place import Place, Unresolved

Module = Literal["esm", "commonjs"]
Handle = Literal["knex", "pool"]

_WORDS = bytes(
    byte if chr(byte) in "abcdefghijklmnopqrstuvwxyz0123456789_" else byte + 32 if 65 <= byte <= 90 else 32
    for byte in range(256)
)


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


@dataclass(frozen=True)
class CodeFile:
    """Application code as far as it matters here; also a SQL file or a script in another language.

    `modules` gives the workspace files that it imports, by how the imports are written; `role` what kind of entry it
    is, judged by its path. `data` is the file itself.
    """

    service: str
    file: str
    role: Literal["request", "entry", "job", "seed", "script", "test"]
    writes: tuple[SettingWrite, ...] = ()
    modules: Mapping[str, str] = field(default_factory=dict)
    data: bytes = field(default=b"", repr=False, compare=False)

    @cached_property
    def imports(self) -> tuple[str, ...]:
        """The workspace files that it imports, sorted."""
        return tuple(sorted(set(self.modules.values())))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every identifier-like word of the file, in lower case. Strings are not told apart: cutting them out of a file
        by patterns goes wrong behind a quote in a regular expression, and a word that is missed is an access missed.
        """
        return frozenset(self.data.translate(_WORDS).decode("ascii").split())


@dataclass(frozen=True, slots=True)
class SearchPath:
    """The schemas in which the connections of a service look for names, as its knexfile says, and where it says so."""

    schemas: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Service:
    """One unit with its own migrations. `reasons` says for each derived fact (name, directories, database) why.

    `table_schema` is what the knexfile says of the schema of Knex's table; without it, that is the first of the search
    path. `configured` are those of its `directories` that a knexfile names: only there does Knex find a new file.
    `search_path` is None where connections have the server's own.
    `code` is application code that is known to use its database, its own files first; `around` what may use it as well:
    code that belongs to no service, SQL files and scripts.
    """

    name: str
    path: str
    directories: tuple[str, ...]
    migrations: tuple[MigrationSource, ...] = field(repr=False)
    database: str
    table_name: str = "knex_migrations"
    table_schema: str | None = None
    search_path: SearchPath | None = None
    module: Module = "esm"
    depends_on: tuple[str, ...] = ()
    configured: tuple[str, ...] = ()
    code: tuple[CodeFile, ...] = field(default=(), repr=False)
    around: tuple[CodeFile, ...] = field(default=(), repr=False)
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
