"""The global names of JavaScript and Node, each made when it is first used."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from remediate.evaluate.assumed import Assumed
from remediate.evaluate.builtins import arrays, texts  # noqa: F401 (their methods register themselves)
from remediate.evaluate.builtins.collections import map_class, set_class
from remediate.evaluate.builtins.dates import date_class
from remediate.evaluate.builtins.encodings import buffer_class, encode_component, from_base64, to_base64, url_class
from remediate.evaluate.builtins.json import json_library, parse_json
from remediate.evaluate.builtins.numbers import is_finite, is_nan, math_library, number_class, parse_float, parse_int
from remediate.evaluate.builtins.objectclass import (
    ERRORS,
    array_class,
    boolean_class,
    error_class,
    object_class,
    string_class,
    symbol_class,
)
from remediate.evaluate.builtins.promises import promise
from remediate.evaluate.builtins.regexes import regexp
from remediate.evaluate.conversions import call_method, is_bounded, to_number
from remediate.evaluate.identifiers import crypto_object
from remediate.evaluate.lower.text import big_integer
from remediate.evaluate.machine import MISSING, Machine
from remediate.evaluate.objects import Library, Native, ScriptObject, first
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

__all__ = ["global_value", "parse_json"]


class Environment(ScriptObject):
    """`process.env`: what the caller knows of it; any other variable is assumed to be unset."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.written: dict[str, Value] = {}

    def get(self, name: str, place: Place) -> Value:
        if name in self.written:
            return self.written[name]
        known = self.machine.environment.get(name)
        return Assumed(f"process.env.{name} is not known", place, False, UNDEFINED) if known is None else known

    def set(self, name: str, value: Value, place: Place) -> None:
        self.written[name] = value


def _process(machine: Machine) -> Library:
    def unknown(what: str) -> Native:
        return Native(what, lambda this, arguments, place: Unknown(f"process.{what}()", place))

    return Library(
        "process",
        {
            "env": Environment(machine),
            "argv": Unknown("the command line"),
            "platform": Unknown("the platform"),
            "cwd": Native("cwd", lambda this, arguments, place: ""),
            "exit": unknown("exit"),
            "on": unknown("on"),
            "hrtime": unknown("hrtime"),
            "stdout": Library("stdout", {}, lenient=True),
            "stderr": Library("stderr", {}, lenient=True),
        },
    )


def _timer(name: str) -> Callable[[Machine], Value]:
    """A timer's callback runs at once; a repeated one is not run."""

    def make(machine: Machine) -> Value:
        def run(this: Value, arguments: list[Value], place: Place) -> Value:
            function = first(arguments)
            if isinstance(function, HostObject) and name != "setInterval":
                call_method(function, UNDEFINED, list(arguments[2:]), place)
            return Unknown("a timer", place)

        return Native(name, run)

    return make


def _nothing(name: str) -> Callable[[Machine], Value]:
    return lambda machine: Native(name, lambda this, arguments, place: UNDEFINED)


def _clone(machine: Machine) -> Value:
    def copy(value: Value) -> Value:
        if isinstance(value, list):
            return [copy(item) for item in value]
        if isinstance(value, dict):
            return {key: copy(item) for key, item in value.items()}
        return value

    def clone(this: Value, arguments: list[Value], place: Place) -> Value:
        value = first(arguments)
        return copy(value) if is_bounded(value) else Unknown("a copy of something that is too large", place)

    return Native("structuredClone", clone)


class _GlobalObject(ScriptObject):
    """`globalThis`: every global as a property; what a program hangs there is read back from there alone."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.written: dict[str, Value] = {}

    def get(self, name: str, place: Place) -> Value:
        if name in self.written:
            return self.written[name]
        found = global_value(self.machine, name, place)
        return UNDEFINED if found is MISSING else found

    def set(self, name: str, value: Value, place: Place) -> None:
        self.written[name] = value


def _big_integer(this: Value, arguments: list[Value], place: Place) -> Value:
    value = first(arguments)
    if isinstance(value, Unknown):
        return value
    found = int(value) if isinstance(value, str) and value.strip().lstrip("-").isdigit() else to_number(value)
    return big_integer(found) if isinstance(found, int) else Unknown("a BigInt of something else", place)


_UNKNOWN = frozenset(
    """
    URLSearchParams fetch Intl TextEncoder TextDecoder Proxy Reflect WeakMap WeakSet WeakRef eval
    Function window performance queueMicrotask AbortController ArrayBuffer Uint8Array Iterator
    decodeURIComponent encodeURI decodeURI escape unescape exports module require
    __dirname __filename import.meta new.target arguments super
    """.split()  # noqa: SIM905 (a list of forty quoted words would be harder to read)
)

_FACTORIES: dict[str, Callable[[Machine], Value]] = {
    "undefined": lambda machine: UNDEFINED,
    "NaN": lambda machine: math.nan,
    "Infinity": lambda machine: math.inf,
    "Object": object_class,
    "Array": array_class,
    "String": string_class,
    "Number": number_class,
    "Boolean": boolean_class,
    "Symbol": symbol_class,
    "Math": math_library,
    "JSON": json_library,
    "Map": map_class,
    "Set": set_class,
    "Date": date_class,
    "RegExp": regexp,
    "Promise": promise,
    "global": _GlobalObject,
    "globalThis": _GlobalObject,
    "BigInt": lambda machine: Native("BigInt", _big_integer),
    "Buffer": buffer_class,
    "URL": url_class,
    "encodeURIComponent": lambda machine: Native("encodeURIComponent", encode_component),
    "btoa": lambda machine: Native("btoa", to_base64),
    "atob": lambda machine: Native("atob", from_base64),
    "parseInt": lambda machine: Native("parseInt", parse_int),
    "parseFloat": lambda machine: Native("parseFloat", parse_float),
    "isNaN": lambda machine: is_nan(),
    "isFinite": lambda machine: is_finite(),
    "crypto": crypto_object,
    "console": lambda machine: Library("console", {}, lenient=True),
    "process": _process,
    "setTimeout": _timer("setTimeout"),
    "setImmediate": _timer("setImmediate"),
    "setInterval": _timer("setInterval"),
    "clearTimeout": _nothing("clearTimeout"),
    "clearInterval": _nothing("clearInterval"),
    "structuredClone": _clone,
    **{name: (lambda machine, name=name: error_class(name)) for name in ERRORS},  # type: ignore[misc]
}


def global_value(machine: Machine, name: str, place: Place) -> Value | Any:
    """The global of that name; `MISSING` when neither JavaScript nor Node has one."""
    if name in machine.globals:
        return machine.globals[name]
    factory = _FACTORIES.get(name)
    if factory is None:
        return Unknown(f"{name} is not interpreted", place) if name in _UNKNOWN else MISSING
    value = machine.globals[name] = factory(machine)
    return value
