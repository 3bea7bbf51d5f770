"""What the application code around a database does: which files name a table, and under which conditions.

Code is not understood here, only looked at: its role, the words in its strings and the calls around them, the settings
that it writes, the files that it imports. So every doubt counts as an obstacle: what is not known is unsafe.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Literal

from remediate.detect.found import listed
from remediate.detect.model import Facts
from remediate.detect.settings import writes
from remediate.replay.catalog import QName
from remediate.source.model import CodeFile, SettingWrite
from remediate.source.surroundings import calls_around, functions_around, imported_names

_BACKGROUND = ("job", "seed", "script")
_CONNECTION = re.compile(
    r"^(db|database|knex|pool|pg|postgres|postgresql|connection|conn|data-?source|sql)s?$", re.IGNORECASE
)
# Whoever takes a transaction leaves it to the caller to open it for a tenant.
_HANDED_OVER = re.compile(r"(^|[._])(trx|tx|txn|transaction)$|Trx$|Transaction$")
_NO_DATABASE = frozenset({"console", "logger", "log", "res", "reply", "expect", "describe", "it", "test", "Error"})

Way = Literal["tenant", "caller"]


class Code:
    """The application code of all services of one database, indexed by the tables that it names."""

    def __init__(self, facts: Facts) -> None:
        services = {service.name: [file for file in service.code if file.role != "test"] for service in facts.services}
        self._files = {file.file: file for code in services.values() for file in code}
        # Shared code is listed by every service that imports it, so a file's own `service` does not tell whose it is.
        self._own = {name: frozenset(file.file for file in code) for name, code in services.items()}
        self._setting_functions = {
            function.name.name.lower(): frozenset(write.setting for write in writes(function.body))
            for function in facts.replayed.catalog.functions.values()
        }
        self._tables = frozenset(table.name.lower() for table in facts.replayed.catalog.tables)
        self._calls: dict[str, dict[str, list[tuple[str, ...]]]] = {}
        self._naming: dict[str, list[CodeFile]] = {}
        for file in self._files.values():
            for word in sorted(self._tables & file.words):
                self._naming.setdefault(word, []).append(file)
        self._reached: dict[str, frozenset[str]] = {}
        self._setters: dict[str, dict[str, frozenset[str]]] = {}
        self._writers: dict[str, dict[str, tuple[str, ...]]] = {}

    # --------------------------------------------------------------------------------------- who sets what

    def is_known(self, service: str) -> bool:
        """Whether any application code of a service is in the workspace."""
        return bool(self._own.get(service))

    def written(self, service: str) -> frozenset[str]:
        """The settings that a service's code sets, itself, through database functions or in files that it imports.

        Whether they hold where they are needed is asked file by file; a SET that fails sets nothing anywhere.
        """
        reached: frozenset[str] = frozenset().union(*(self._closure(file) for file in self._own.get(service, ())))
        files = [self._files[path] for path in reached]
        direct = {write.name for file in files for write in file.writes if write.form != "bind"}
        return frozenset(direct).union(*(self._set_by_functions(file) for file in files))

    def _sets(self, file: CodeFile) -> frozenset[str]:
        """The settings that one file sets so that they hold for what follows."""
        return frozenset(write.name for write in file.writes if _holds(write)) | self._set_by_functions(file)

    def _set_by_functions(self, file: CodeFile) -> frozenset[str]:
        called = self._setting_functions.keys() & file.words
        return frozenset(setting for name in called for setting in self._setting_functions[name])

    def _setter_functions(self, file: CodeFile) -> dict[str, frozenset[str]]:
        """The functions of a file that set something, with what they set."""
        if file.file not in self._setters:
            found: dict[str, set[str]] = {}
            for write in file.writes:
                if _holds(write):
                    for name in functions_around(file.data, write.place.start):
                        found.setdefault(name, set()).add(write.name)
            for called in sorted(self._setting_functions.keys() & file.words):
                at = file.data.lower().find(called.encode())
                for name in functions_around(file.data, at) if at >= 0 else ():
                    found.setdefault(name, set()).update(self._setting_functions[called])
            self._setters[file.file] = {name: frozenset(settings) for name, settings in found.items()}
        return self._setters[file.file]

    def writers(self, setting: str) -> dict[str, tuple[str, ...]]:
        """Where code sets a setting, by service: places in reading order."""
        known = self._writers.get(setting)
        if known is not None:
            return known
        found: dict[str, list[str]] = {}
        for service, own in self._own.items():
            for path in sorted(own):
                found.setdefault(service, []).extend(
                    str(w.place) for w in self._files[path].writes if w.name == setting
                )
        writers = {service: tuple(dict.fromkeys(places)) for service, places in found.items() if places}
        self._writers[setting] = writers
        return writers

    # --------------------------------------------------------------------------------------- obstacles

    def obstacles(self, table: QName, service: str, settings: frozenset[str]) -> Iterator[str]:
        """Why code may stop working once only sessions that set one of `settings` reach the table's rows."""
        own = self._own.get(service, frozenset())
        if not own:
            yield f"No application code of {service} is in the workspace: how it sets the tenant is not known."
        elif not self.written(service) & settings:
            names = listed(sorted(settings)) or "a setting"
            yield f"No code of {service} sets {names}, which it takes to reach the table's rows."
        naming = [file for file in self._naming.get(table.name.lower(), []) if self._mentions(file, table.name)]
        others = sorted(file.file for file in naming if file.file not in own)
        if others:
            yield f"Code of other services names the table: {listed(others)}."
        left_to_caller: set[str] = set()
        for file in naming:
            if file.file not in own:
                continue
            way = self._way(file, table.name, settings)
            if way == "caller":
                left_to_caller.add(file.file)
            elif way != "tenant":
                yield way
        yield from self._behind_jobs(left_to_caller, settings)
        yield from self._callers(left_to_caller, settings)

    def _way(self, file: CodeFile, table: str, settings: frozenset[str]) -> Way | str:
        """How a file of the table's own service reaches it: for a tenant, as its caller does, or a doubt."""
        if file.role == "entry":
            return f"{file.file} names the table, and by its name runs before the tenant is known."
        imported = imported_names(file.data)
        if self._sets(file) & settings:
            # Where it sets the tenant is not followed, but what goes out on the plain connection has none.
            nearest = [calls[0] for calls in self._mentions(file, table) if calls]
            plain = next((name for name in nearest if self._is_plain(file, name, imported)), None)
            return f"{file.file} names the table, and reaches it through {plain} too." if plain else "tenant"
        if file.role != "request":
            return f"{file.file} names the table, and sets no tenant itself."
        setters = self._imported_setters(file, imported, settings)
        ways = [self._call(file, calls, imported, setters) for calls in self._mentions(file, table)]
        doubt = next((way for way in ways if way not in ("tenant", "caller")), None)
        if doubt:
            return f"{file.file} names the table, and reaches it through {doubt}, which sets no tenant."
        return "caller" if "caller" in ways else "tenant"

    def _mentions(self, file: CodeFile, table: str) -> list[tuple[str, ...]]:
        """The calls around each mention of a table that may be an access: no module's name, no log message."""
        if file.file not in self._calls:
            self._calls[file.file] = calls_around(file.data, self._tables & file.words)
        around = self._calls[file.file].get(table.lower(), [])
        return [calls for calls in around if not (calls and calls[0] in _NO_DATABASE)]

    def _call(self, file: CodeFile, calls: tuple[str, ...], imported: dict[str, str], setters: frozenset[str]) -> str:
        """How one mention of a table reaches it: "tenant", "caller", or the name of what speaks against it."""
        if not calls:
            # A name in a constant is a query elsewhere: in this file if it has a connection, else where it is imported.
            has_connection = any(self._is_plain(file, name, imported) for name in imported)
            return "a name that stands in no query itself" if has_connection else "caller"
        for name in calls:
            # The nearest decides: a plain connection used inside a function that sets the tenant is still a plain one.
            if name in setters:
                return "tenant"
            if self._is_plain(file, name, imported):
                return name
        return "caller" if _HANDED_OVER.search(calls[0]) else calls[0]

    def _is_plain(self, file: CodeFile, name: str, imported: dict[str, str]) -> bool:
        """Whether it is a connection that nobody has set a tenant for: imported, made here, or kept in `this`."""
        root = name.split(".")[0]
        if root in imported:
            return self._is_connection(file, imported[root])
        if root == "this":
            return not _HANDED_OVER.search(name)
        declared = rb"^(?:export\s+)?(?:const|let|var)\s+" + re.escape(root.encode()) + rb"\s*[:=]"
        return re.search(declared, file.data, re.MULTILINE) is not None

    def _imported_setters(self, file: CodeFile, imported: dict[str, str], settings: frozenset[str]) -> frozenset[str]:
        """The imported functions that set one of the settings for the work that they are given."""
        found = set()
        for path in file.imports:
            if path not in self._files:
                continue
            functions = self._setter_functions(self._files[path])
            found |= {name for name in imported if functions.get(name, frozenset()) & settings}
        return frozenset(found)

    def _is_connection(self, file: CodeFile, module: str) -> bool:
        """Whether an imported module looks like the one that opens the database: by its name, by reading the knexfile,
        or because it sets settings.
        """
        stem = posixpath.basename(module).split(".")[0]
        if _CONNECTION.match(stem) or stem == "knexfile":
            return True
        for path in file.imports:
            if posixpath.basename(path).split(".")[0] == stem and path in self._files:
                target = self._files[path]
                reads_knexfile = any(posixpath.basename(name).startswith("knexfile") for name in target.imports)
                return reads_knexfile or bool(target.writes)
        return False

    def _behind_jobs(self, left_to_caller: Iterable[str], settings: frozenset[str]) -> Iterator[str]:
        """Jobs that reach the table through a file which leaves it to its caller to set the tenant."""
        open_files = frozenset(left_to_caller)
        for file in self._files.values() if open_files else ():
            if file.role not in (*_BACKGROUND, "entry") or self._sets(file) & settings:
                continue
            through = sorted(open_files & self._closure(file.file) - {file.file})
            if through:
                yield f"{file.file} sets no tenant, and reaches the table through {through[0]}."

    def _callers(self, left_to_caller: Iterable[str], settings: frozenset[str]) -> Iterator[str]:
        """Files that may hand a plain connection to one that takes what its caller gives it."""
        open_files = frozenset(left_to_caller)
        for file in self._files.values() if open_files else ():
            through = sorted(open_files.intersection(file.imports))
            if file.role != "request" or not through or self._sets(file) & settings:
                continue
            imported = imported_names(file.data)
            setters = self._imported_setters(file, imported, settings)
            plain = sorted(name for name in imported.keys() - setters if self._is_connection(file, imported[name]))
            if plain:
                yield f"{file.file} may hand {plain[0]}, which sets no tenant, to {through[0]}, which names the table."

    def _closure(self, path: str) -> frozenset[str]:
        """Every known file that a file imports, directly or not; with itself."""
        if path not in self._reached:
            seen: set[str] = set()
            pending = [path]
            while pending:
                current = pending.pop()
                if current in self._files and current not in seen:
                    seen.add(current)
                    pending.extend(self._files[current].imports)
            self._reached[path] = frozenset(seen)
        return self._reached[path]

    def background_files_naming(self, word: str) -> tuple[str, ...]:
        """The jobs, seeds and scripts that name something, say a function that they call."""
        found = (file for file in self._files.values() if file.role in _BACKGROUND and word.lower() in file.words)
        return tuple(sorted(file.file for file in found))


def _holds(write: SettingWrite) -> bool:
    """Whether a write holds for the statements that follow, and for no other request.

    SET with a bind parameter is a syntax error. What outlives its transaction stands on one connection of a pool, and
    the next statement may go to another.
    """
    return write.form != "bind" and write.local
