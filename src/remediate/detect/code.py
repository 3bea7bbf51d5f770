"""What the application code around a database does: which settings it sets, and how it reaches tables.

Whether an access is for one tenant is for `source.access` to prove; every doubt counts as an obstacle: what is not
known is unsafe.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

from remediate.detect.found import listed
from remediate.detect.model import Facts
from remediate.detect.settings import writes
from remediate.replay.catalog import QName
from remediate.source.access.access import Accesses, accesses_of
from remediate.source.access.relations import Relation
from remediate.source.model import CodeFile
from remediate.source.text import strings

# One doubt decides; a handful of them is what reports show. Nobody reads as many as this.
_MOST = 500
_BACKGROUND = ("job", "seed", "script")


class Code:
    """The application code of all services of one database."""

    def __init__(self, facts: Facts) -> None:
        services = {service.name: [file for file in service.code if file.role != "test"] for service in facts.services}
        self._files = {file.file: file for code in services.values() for file in code}
        # Shared code is listed by every service that imports it, so a file's own `service` does not tell whose it is.
        self._own = {name: frozenset(file.file for file in code) for name, code in services.items()}
        self._around = [file for service in facts.services for file in service.around if file.role != "test"]
        self._setting_functions = {
            function.name.name.lower(): frozenset(write.setting for write in writes(function.body))
            for function in facts.replayed.catalog.functions.values()
        }
        self._tables = [name.name for name in facts.replayed.catalog.tables]
        self._written: dict[str, frozenset[str]] = {}
        self._accesses: Accesses | None = None
        self._writers: dict[str, dict[str, tuple[str, ...]]] = {}

    # --------------------------------------------------------------------------------------- who sets what

    def is_known(self, service: str) -> bool:
        """Whether any application code of a service is in the workspace."""
        return bool(self._own.get(service))

    def written(self, service: str) -> frozenset[str]:
        """The settings that a service's code sets, itself, through database functions or in files that it imports.

        Whether they hold where they are needed is asked access by access; a SET that fails sets nothing anywhere.
        """
        if service not in self._written:
            files = [self._files[path] for path in self._closure(self._own.get(service, ()))]
            direct = {write.name for file in files for write in file.writes if write.form != "bind"}
            self._written[service] = frozenset(direct).union(*(self._set_by_functions(file) for file in files))
        return self._written[service]

    def _set_by_functions(self, file: CodeFile) -> frozenset[str]:
        called = [name for name, settings in self._setting_functions.items() if settings and _names(file, name)]
        return frozenset(setting for name in called for setting in self._setting_functions[name])

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
        if not self._own.get(service):
            yield f"No application code of {service} is in the workspace: how it sets the tenant is not known."
        elif not self.written(service) & settings:
            names = listed(sorted(settings)) or "a setting"
            yield f"No code of {service} sets {names}, which it takes to reach the table's rows."
        if self._accesses is None:
            files = (*self._files.values(), *self._around)
            self._accesses = accesses_of(files, self._setting_functions, self._tables)
        relation = Relation(table.schema, table.name)
        sentences = dict.fromkeys(
            doubt.sentence for doubt in itertools.islice(self._accesses.doubts(relation, settings), _MOST + 1)
        )
        yield from itertools.islice(sentences, _MOST)
        if len(sentences) > _MOST:
            yield "More places reach it that are not proven to set a tenant."

    def _closure(self, files: Iterable[str]) -> frozenset[str]:
        """Every known file that these import, directly or not; with themselves."""
        seen: set[str] = set()
        pending = list(files)
        while pending:
            current = pending.pop()
            if current in self._files and current not in seen:
                seen.add(current)
                pending.extend(self._files[current].imports)
        return frozenset(seen)

    def background_files_naming(self, word: str) -> tuple[str, ...]:
        """The jobs, seeds and scripts that name something in a string, say a function that they call."""
        found = (file for file in self._files.values() if file.role in _BACKGROUND and _names(file, word))
        return tuple(sorted(file.file for file in found))


def code_of(facts: Facts) -> Code:
    """The code around a database; worked out once for all detectors."""
    if Code not in facts.memo:
        facts.memo[Code] = Code(facts)
    found: Code = facts.memo[Code]
    return found


def _names(file: CodeFile, name: str) -> bool:
    """Whether a string of a file names a function of the database."""
    if name.lower() not in file.words:
        return False
    pattern = re.compile(rb"\b" + re.escape(name.encode()) + rb"\b", re.IGNORECASE)
    return any(pattern.search(string) for string in strings(file.data))
