"""Methods and properties that values have by their type: where `"…".trim` and `[…].map` are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from remediate.evaluate.assumed import Assumed, assume, fresh
from remediate.evaluate.knex.javascript import UnresolvableError
from remediate.evaluate.machine import Machine, unknown_of
from remediate.evaluate.objects import Native
from remediate.evaluate.values import UNDEFINED, Unknown, Value
from remediate.source.place import Place

Method: TypeAlias = Callable[[Machine, Any, list[Value], Place], Value]

ARRAY: dict[str, Method] = {}
TEXT: dict[str, Method] = {}
NUMBER: dict[str, Method] = {}
OBJECT: dict[str, Method] = {}
PROMISE: dict[str, Method] = {}

_NOT_READ = frozenset({"constructor", "__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__"})


def method(table: dict[str, Method], *names: str) -> Callable[[Method], Method]:
    """Registers a method under its names in JavaScript."""

    def register(function: Method) -> Method:
        table.update(dict.fromkeys(names, function))
        return function

    return register


def invoke(machine: Machine, function: Method, this: Value, arguments: list[Value], place: Place) -> Value:
    """Calls a method of the library: what it cannot tell comes back as unknown."""
    if isinstance(this, str) and len(this) > 1000:
        machine.check_text(len(this), place)
    try:
        return function(machine, this, arguments, place)
    except UnresolvableError as failure:
        return unknown_of(failure, place)


def invoke_assumed(machine: Machine, function: Method, this: Assumed, arguments: list[Value], place: Place) -> Value:
    """The same on a value that is only assumed: the answer is assumed too, and text of it is unknown."""
    result = invoke(machine, function, this.value, [fresh(item) for item in arguments], place)
    if isinstance(result, str):
        return Unknown(this.reason, this.place, this.about_data)
    return result if isinstance(result, Unknown) else assume(this, result)


def is_index(name: str) -> bool:
    """Whether a property name is the index of an element."""
    return name.isascii() and name.isdigit() and len(name) < 12


def find(this: Value, name: str) -> Method | None:
    """The method that a value of this type has, for calling it at once."""
    if isinstance(this, str):
        return TEXT.get(name)
    if isinstance(this, list):
        return ARRAY.get(name)
    if isinstance(this, dict):
        return OBJECT.get(name)
    if isinstance(this, int | float):
        return NUMBER.get(name)
    return None


def bound(machine: Machine, function: Method, name: str, this: Value) -> Native:
    """The method as a value. JavaScript would not bind it, but nothing that works tells the difference."""

    def run(other: Value, arguments: list[Value], place: Place) -> Value:
        return invoke(machine, function, this if other is UNDEFINED else other, arguments, place)

    return Native(name, run)


def of_object(machine: Machine, base: dict[str, Any], name: str) -> Value:
    if name in OBJECT:
        return bound(machine, OBJECT[name], name, base)
    return Unknown(f".{name} is not interpreted") if name in _NOT_READ else UNDEFINED


def of_list(machine: Machine, base: list[Any], name: str) -> Value:
    if name in ARRAY:
        return bound(machine, ARRAY[name], name, base)
    return _other(machine, base, name, "an array")


def of_text(machine: Machine, base: str, name: str) -> Value:
    if name in TEXT:
        return bound(machine, TEXT[name], name, base)
    return _other(machine, base, name, "a string")


def of_primitive(machine: Machine, base: Value, name: str) -> Value:
    if name in NUMBER and not isinstance(base, bool):
        return bound(machine, NUMBER[name], name, base)
    return _other(machine, base, name, "a number")


_REAL = frozenset(
    ("anchor", "copyWithin", "toLocaleString", "isWellFormed", "toWellFormed", "findLastIndex", "toSpliced", "with")
)


def _other(machine: Machine, base: Value, name: str, what: str) -> Value:
    """A name that JavaScript gives a meaning and we do not is unknown; any other is undefined."""
    if name in OBJECT:
        return bound(machine, OBJECT[name], name, base)
    if name in _REAL or name in _NOT_READ or name.startswith("@@"):
        return Unknown(f".{name} of {what} is not interpreted")
    return UNDEFINED
