"""Modules: loading files, what they export, and what an import of them gives."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, MutableMapping
from hashlib import sha256
from typing import Any

from remediate.evaluate import ast
from remediate.evaluate.builtins.json import parse_json
from remediate.evaluate.knex.session import ThrownError
from remediate.evaluate.lower import lower
from remediate.evaluate.machine import EVALUATE, Lazy, Machine, Scope
from remediate.evaluate.objects import Native, ScriptObject, first
from remediate.evaluate.packages import package
from remediate.evaluate.properties import read
from remediate.evaluate.resolve import Files
from remediate.evaluate.statements import message_of, run_body
from remediate.evaluate.syntax import SyntaxProblem
from remediate.evaluate.values import UNDEFINED, Unknown, Value
from remediate.source.place import Place

LoweredCache = MutableMapping[str, ast.Module]
"""Lowered modules by the digest of their bytes. Lowering depends on nothing else, so it may be kept for ever."""


def digest(data: bytes) -> str:
    """The key of a file's bytes in a `LoweredCache`."""
    return sha256(data).hexdigest()


class Loaded(ScriptObject):
    """One module that was run, as the namespace that `import * as` sees.

    ES modules export names that are looked up when they are read; CommonJS modules have one value, `module.exports`.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.names: dict[str, Callable[[], Value]] = {}
        self.stars: list[Callable[[], Value]] = []
        self.common: dict[str, Any] = {"exports": {}}
        self.first_exports = self.common["exports"]
        self.whole: Value = UNDEFINED
        self.failure: Unknown | None = None
        self.searching: set[str] = set()
        """Names that are being looked up: modules may export each other's exports in a circle."""

    @property
    def is_common(self) -> bool:
        return not self.names and not self.stars

    def value(self) -> Value:
        """What `require` gives."""
        if self.whole is not UNDEFINED:
            return self.whole
        exports: Value = self.common["exports"]
        if self.is_common and (exports is not self.first_exports or exports):
            return exports
        if self.failure is not None and self.is_common:
            return self.failure
        return exports if self.is_common else self

    def get(self, name: str, place: Place) -> Value:
        if name in self.searching:
            return UNDEFINED
        self.searching.add(name)
        try:
            return self._find(name, place)
        finally:
            self.searching.discard(name)

    def _find(self, name: str, place: Place) -> Value:
        if name in self.names:
            return self.names[name]()
        if name == "default" and self.whole is not UNDEFINED:
            return self.whole
        exports = self.value()
        if exports is not self and isinstance(exports, dict) and name in exports:
            result: Value = exports[name]
            return result
        if self.first_exports and name in self.first_exports:
            return self.first_exports[name]  # type: ignore[no-any-return]
        for star in self.stars:
            found = star()
            if isinstance(found, Unknown):
                return found
            if isinstance(found, ScriptObject | dict) and name != "default":
                value: Value = found.get(name, UNDEFINED) if isinstance(found, dict) else found.get(name, place)
                if value is not UNDEFINED:
                    return value
        if name == "default" and self.is_common:
            return exports
        if isinstance(exports, Unknown):
            return exports
        return self.failure if self.failure is not None else UNDEFINED

    def own(self) -> dict[str, Value]:
        return {name: find() for name, find in self.names.items()}


class Modules:
    """The modules of one evaluation. `entry` is the migration that it began with."""

    def __init__(self, files: Files, cache: LoweredCache, entry: str) -> None:
        self.files = files
        self.cache = cache
        self.entry = entry
        self.uuids = 0
        self.loaded: dict[str, Loaded] = {}

    def load(self, machine: Machine, path: str, data: bytes) -> Loaded:
        """Runs a module, once. Raises `SyntaxProblem`; what its code throws is why exports are missing."""
        if path in self.loaded:
            return self.loaded[path]
        file = ast.SourceFile(path, data)
        key = digest(data)
        module = self.cache.get(key)
        if module is None:
            module = lower(file)
            if path != self.entry:  # a migration is not imported, and syntax takes ten times the room of its text
                self.cache[key] = module
        loaded = self.loaded[path] = Loaded(path)
        self._run(machine, module, file, loaded)
        return loaded

    def _run(self, machine: Machine, module: ast.Module, file: ast.SourceFile, loaded: Loaded) -> None:
        outer = machine.file, machine.conditional, machine.swallowing, machine.yielded
        machine.file, machine.conditional, machine.swallowing = file, None, 0
        place = Place(file.path)
        machine.enter(module.depth, place)
        scope = Scope(self._variables(machine, loaded), None)
        for name in module.variables:
            scope.variables[name] = UNDEFINED
        for statement in module.imports:
            where = machine.place(statement)
            for there, here in statement.names:
                scope.variables[here] = Lazy(self._importer(machine, file.path, statement.source, there, where))
        for item in module.body.body:
            self._export(machine, item, scope, file.path, loaded)
        try:
            run_body(machine, self._plain(module.body), scope)
            for item in module.body.body:
                if isinstance(item, ast.ExportValue) and item.whole:
                    loaded.whole = EVALUATE[item.value.__class__](machine, item.value, scope)
        except ThrownError as failure:
            loaded.failure = Unknown(f"{file.path} throws when it is loaded: {message_of(failure.value)}")
        finally:
            machine.leave(module.depth)
            machine.file, machine.conditional, machine.swallowing, machine.yielded = outer

    def _plain(self, body: ast.Block) -> ast.Block:
        """The statements other than exports of values and of other modules: those are looked up when they are read."""
        kept = tuple(item for item in body.body if not isinstance(item, ast.ExportValue | ast.ExportFrom | ast.Export))
        return ast.Block(body.start, body.end, kept, body.functions, body.scoped)

    def _variables(self, machine: Machine, loaded: Loaded) -> dict[str, Any]:
        path = loaded.path

        def require(this: Value, arguments: list[Value], place: Place) -> Value:
            source = first(arguments)
            if not isinstance(source, str):
                return source if isinstance(source, Unknown) else Unknown("requires something that is not known", place)
            found = self.namespace(machine, path, source, place)
            return found.value() if isinstance(found, Loaded) else found

        def resolved(this: Value, arguments: list[Value], place: Place) -> Value:
            return Unknown("the path of a package", place)

        return {
            "module": loaded.common,
            "exports": loaded.common["exports"],
            "require": Native("require", require, {"resolve": Native("resolve", resolved)}),
            "__dirname": "/" + posixpath.dirname(path),
            "__filename": "/" + path,
            "import.meta": {
                "url": "file:///" + path,
                "dirname": "/" + posixpath.dirname(path),
                "filename": "/" + path,
            },
            "this": UNDEFINED,
        }

    def _export(self, machine: Machine, item: ast.Node, scope: Scope, path: str, loaded: Loaded) -> None:
        if isinstance(item, ast.Export):
            for here, there in item.names:
                loaded.names[there] = lambda here=here: _variable(scope, here)  # type: ignore[misc]
        elif isinstance(item, ast.ExportValue) and not item.whole:
            found: list[Value] = []

            def default(node: ast.Node = item.value) -> Value:
                if not found:
                    file, machine.file = machine.file, ast.SourceFile(path, self.files.read(path) or b"")
                    try:
                        found.append(EVALUATE[node.__class__](machine, node, scope))
                    finally:
                        machine.file = file
                return found[0]

            loaded.names["default"] = default
        elif isinstance(item, ast.ExportFrom):
            where = machine.place(item)
            for there, here in item.names:
                importer = self._importer(machine, path, item.source, there, where)
                if here == "*":
                    loaded.stars.append(importer)
                else:
                    loaded.names[here] = importer

    def _importer(self, machine: Machine, path: str, source: str, name: str, place: Place) -> Callable[[], Value]:
        """Finds an imported value. `name` is an export, "*" the namespace, "=" what `import = require` gives."""

        def find() -> Value:
            found = self.namespace(machine, path, source, place)
            if name == "*":
                return found
            if isinstance(found, Loaded):
                return found.value() if name == "=" else found.get(name, place)
            if name == "=":
                return found
            value = read(machine, found, name, place)
            return found if name == "default" and value is UNDEFINED else value

        return find

    def namespace(self, machine: Machine, importer: str, source: str, place: Place) -> Value:
        """The module that `source` means in the file `importer`."""
        path = self.files.resolve(source, importer)
        if path is None:
            if source.startswith((".", "/")):
                return Unknown(f"{source} is not in the repository", place)
            return package(machine, self, source)
        data = self.files.read(path)
        if data is None:
            return Unknown(f"{path} cannot be read", place)
        if path.endswith(".json"):
            try:
                return parse_json(data.decode("utf-8-sig"))
            except (ThrownError, UnicodeDecodeError):
                return Unknown(f"{path} is no JSON", place)
        try:
            return self.load(machine, path, data)
        except SyntaxProblem as problem:
            return Unknown(f"{path} does not parse ({problem.reason})", place)


def _variable(scope: Scope, name: str) -> Value:
    value = scope.variables.get(name, UNDEFINED)
    if isinstance(value, Lazy):
        value = scope.variables[name] = value.find()
    result: Value = value
    return result
