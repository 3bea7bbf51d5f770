"""The packages of Node and npm that matter to migrations. Any other is unknown, and harmless until it is used."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from remediate.evaluate.ast import SourceFile
from remediate.evaluate.conversions import to_text
from remediate.evaluate.globals import global_value
from remediate.evaluate.identifiers import crypto_library, uuid_function, uuid_library
from remediate.evaluate.knex.session import Settled
from remediate.evaluate.literal import LiteralText
from remediate.evaluate.machine import Machine
from remediate.evaluate.objects import Library, Native, argument, first
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

if TYPE_CHECKING:
    from remediate.evaluate.modules import Modules

WORKING_DIRECTORY = "/<cwd>"
"""What `process.cwd()` gives: some folder above the migration; which one is tried out when a file is read."""


class ForeignDatabase(HostObject):
    """A connection that the migration opens by itself: what is sent through it cannot be told apart from any other."""

    is_foreign_database = True

    def __init__(self, machine: Machine, what: str) -> None:
        self.machine = machine
        self.what = what

    def get(self, name: str, place: Place) -> Value:
        if name in ("destroy", "end", "on", "release"):
            return Native(name, lambda this, arguments, at: Settled(UNDEFINED))
        return ForeignDatabase(self.machine, self.what)

    def call(self, arguments: Sequence[Value], place: Place) -> Value:
        self.machine.reporter.miss(f"uses a database connection of its own ({self.what})", place)
        return Unknown(f"the answer of a database connection of its own ({self.what})", place, True)


def package(machine: Machine, modules: Modules, name: str) -> Value:
    """What `require(name)` gives."""
    root, _, part = name.partition("/")
    if root in _WRITTEN:
        library = _written(machine, modules, root)
        return library.get(part.removesuffix(".js"), Place(modules.entry)) if part else library
    factory = _PACKAGES.get(name.removeprefix("node:"))
    return factory(machine, modules) if factory else Unknown(f"the package {name} is not known here")


def _path(machine: Machine, modules: Modules) -> Value:
    def texts(arguments: list[Value]) -> list[str]:
        return [to_text(argument) for argument in arguments]

    def join(this: Value, arguments: list[Value], place: Place) -> Value:
        return posixpath.normpath("/".join(text for text in texts(arguments) if text) or ".")

    def resolve(this: Value, arguments: list[Value], place: Place) -> Value:
        return posixpath.normpath(posixpath.join(WORKING_DIRECTORY, *texts(arguments)))

    def basename(this: Value, arguments: list[Value], place: Place) -> Value:
        name = posixpath.basename(to_text(first(arguments)).rstrip("/"))
        suffix = argument(arguments, 1)
        return name if suffix is UNDEFINED else name.removesuffix(to_text(suffix))

    def dirname(this: Value, arguments: list[Value], place: Place) -> Value:
        return posixpath.dirname(to_text(first(arguments))) or "."

    def extname(this: Value, arguments: list[Value], place: Place) -> Value:
        return posixpath.splitext(to_text(first(arguments)))[1]

    def normalize(this: Value, arguments: list[Value], place: Place) -> Value:
        return posixpath.normpath(to_text(first(arguments)) or ".")

    def relative(this: Value, arguments: list[Value], place: Place) -> Value:
        start, end = (posixpath.join(WORKING_DIRECTORY, text) for text in texts(arguments)[:2])
        return "" if start == end else posixpath.relpath(end, start)

    def is_absolute(this: Value, arguments: list[Value], place: Place) -> Value:
        return to_text(first(arguments)).startswith("/")

    def parse(this: Value, arguments: list[Value], place: Place) -> Value:
        folder, base = posixpath.split(to_text(first(arguments)))
        name, extension = posixpath.splitext(base)
        root = "/" if folder.startswith("/") else ""
        return {"root": root, "dir": folder, "base": base, "ext": extension, "name": name}

    functions = {"join": join, "resolve": resolve, "basename": basename, "dirname": dirname, "extname": extname}
    functions |= {"normalize": normalize, "relative": relative, "isAbsolute": is_absolute, "parse": parse}
    members: dict[str, Value] = {name: Native(name, run) for name, run in functions.items()}
    members |= {"sep": "/", "delimiter": ":"}
    library = Library("path", members)
    library.members |= {"posix": library, "default": library}
    return library


def _files(machine: Machine, modules: Modules) -> Value:
    def candidates(path: str) -> list[str]:
        """The workspace paths that an absolute path of ours may mean."""
        if not path.startswith(WORKING_DIRECTORY):
            return [posixpath.normpath(path).lstrip("/")] if path.startswith("/") else _above(path)
        return _above(path[len(WORKING_DIRECTORY) :].lstrip("/"))

    def _above(path: str) -> list[str]:
        found = []
        directory = posixpath.dirname(modules.entry)
        while True:
            found.append(posixpath.normpath(posixpath.join(directory, path)))
            if not directory:
                return found
            directory = posixpath.dirname(directory)

    def read(this: Value, arguments: list[Value], place: Place) -> Value:
        path = to_text(first(arguments)).removeprefix("file://")
        for candidate in candidates(path):
            data = modules.files.read(candidate)
            if data is not None:
                machine.check_text(len(data), place)
                try:
                    text = data.decode("utf-8")
                except UnicodeDecodeError:
                    return Unknown(f"{candidate} is not UTF-8", place)
                return LiteralText.of(text, SourceFile(candidate, data), 0, len(data))
        return Unknown(f"the file {_shown(path)} is not in the repository", place)

    def exists(this: Value, arguments: list[Value], place: Place) -> Value:
        path = to_text(first(arguments)).removeprefix("file://")
        return any(modules.files.read(name) is not None or modules.files.children(name) for name in candidates(path))

    def list_directory(this: Value, arguments: list[Value], place: Place) -> Value:
        options = argument(arguments, 1)
        for candidate in candidates(to_text(first(arguments))):
            names = modules.files.children(candidate)
            if names and isinstance(options, dict) and options.get("withFileTypes") is True:
                return [_entry(name, modules.files.read(posixpath.join(candidate, name)) is not None) for name in names]
            if names:
                return list(names)
        return Unknown(f"the directory {_shown(to_text(first(arguments)))} is not in the repository", place)

    def later(run: Callable[[Value, list[Value], Place], Value]) -> Callable[[Value, list[Value], Place], Value]:
        return lambda this, arguments, place: Settled(run(this, arguments, place))

    promises = Library(
        "fs.promises",
        {"readFile": Native("readFile", later(read)), "readdir": Native("readdir", later(list_directory))},
    )
    members: dict[str, Value] = {
        "readFileSync": Native("readFileSync", read),
        "existsSync": Native("existsSync", exists),
        "readdirSync": Native("readdirSync", list_directory),
        "promises": promises,
    }
    library = Library("fs", members)
    library.members["default"] = library
    return library


def _entry(name: str, is_file: bool) -> Value:
    """What `readdirSync(…, { withFileTypes: true })` lists."""
    return {
        "name": name,
        "isFile": Native("isFile", lambda this, arguments, place: is_file),
        "isDirectory": Native("isDirectory", lambda this, arguments, place: not is_file),
    }


def _shown(path: str) -> str:
    return path.removeprefix(WORKING_DIRECTORY).lstrip("/")


def _promised_files(machine: Machine, modules: Modules) -> Value:
    library = _files(machine, modules)
    assert isinstance(library, Library)
    return library.members["promises"]


def _knex(machine: Machine, modules: Modules) -> Value:
    def connect(this: Value, arguments: list[Value], place: Place) -> Value:
        return ForeignDatabase(machine, "knex(…)")

    native = Native("knex", connect, construct=connect)
    native.members |= {"knex": native, "default": native, "Knex": native}
    return native


def _pg(machine: Machine, modules: Modules) -> Value:
    def connect(this: Value, arguments: list[Value], place: Place) -> Value:
        return ForeignDatabase(machine, "pg")

    members: dict[str, Value] = {
        "Pool": Native("Pool", connect, construct=connect),
        "Client": Native("Client", connect, construct=connect),
        "types": Library("types", {}, lenient=True),
    }
    library = Library("pg", members)
    library.members["default"] = library
    return library


def _url(machine: Machine, modules: Modules) -> Value:
    def to_path(this: Value, arguments: list[Value], place: Place) -> Value:
        value = first(arguments)
        return to_text(value).removeprefix("file://") if not isinstance(value, Unknown) else value

    def to_url(this: Value, arguments: list[Value], place: Place) -> Value:
        return {"href": "file://" + to_text(first(arguments))}

    library = Library(
        "url", {"fileURLToPath": Native("fileURLToPath", to_path), "pathToFileURL": Native("pathToFileURL", to_url)}
    )
    library.members["default"] = library
    return library


_WRITTEN = ("lodash", "ramda")
"""Packages of plain functions: `library/` has them in JavaScript, which is evaluated as the program's own is."""


def _written(machine: Machine, modules: Modules, name: str) -> Library:
    """What is not written there is not known."""
    text = files("remediate.evaluate").joinpath("library", f"{name}.js").read_bytes()
    exports = modules.load(machine, f"node_modules/{name}/index.js", text).value()
    assert isinstance(exports, dict)
    library = Library(name, exports)
    library.members["default"] = library
    return library


def _global(name: str) -> Callable[[Machine, Modules], Value]:
    """A module whose default export is a global."""

    def load(machine: Machine, modules: Modules) -> Value:
        value = global_value(machine, name, Place(modules.entry))
        if isinstance(value, Library):
            value.members.setdefault("default", value)
        return value

    return load


def _buffer(machine: Machine, modules: Modules) -> Value:
    return Library("buffer", {"Buffer": global_value(machine, "Buffer", Place(modules.entry))})


def _dotenv(machine: Machine, modules: Modules) -> Value:
    config = Native("config", lambda this, arguments, place: {"parsed": Unknown("the .env file", place)})
    library = Library("dotenv", {"config": config})
    library.members["default"] = library
    return library


class _Model(HostObject):
    """Objection's `Model`, which the models of a program inherit from: its queries read and change rows."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def get(self, name: str, place: Place) -> Value:
        if name in ("knex", "bindKnex"):
            return Native(name, lambda this, arguments, at: this)
        if name not in ("query", "relatedQuery", "$query"):
            return UNDEFINED

        def query(this: Value, arguments: list[Value], at: Place) -> Value:
            self.machine.reporter.assume("reads or changes rows through a model, it cannot be told which", at)
            return Unknown("depends on the rows that a model reads", at, True)

        return Native(name, query)


def _objection(machine: Machine, modules: Modules) -> Value:
    return Library("objection", {"Model": _Model(machine)})


_PACKAGES: dict[str, Callable[[Machine, Modules], Value]] = {
    "path": _path,
    "fs": _files,
    "fs/promises": _promised_files,
    "knex": _knex,
    "pg": _pg,
    "uuid": uuid_library,
    "uuid/v1": uuid_function(1),
    "uuid/v4": uuid_function(4),
    "crypto": crypto_library,
    "dotenv": _dotenv,
    "url": _url,
    "process": _global("process"),
    "console": _global("console"),
    "buffer": _buffer,
    "objection": _objection,
}
