"""`Map`, `Set` and dates."""

from __future__ import annotations

from typing import Any, ClassVar

from remediate.evaluate.builtins.dates import Moment
from remediate.evaluate.conversions import call_method, need_function
from remediate.evaluate.machine import Machine, throw
from remediate.evaluate.objects import Native, ScriptObject, argument, first
from remediate.evaluate.properties import iterate
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

__all__ = ["Collection", "Moment", "map_class", "set_class"]


def _key(value: Value) -> Any:
    """What tells a key from others: text and numbers by value, objects by identity."""
    if isinstance(value, Unknown):
        return ("unknown", id(value))
    if isinstance(value, bool) or value is None or value is UNDEFINED:
        return ("constant", str(value))
    if isinstance(value, str):
        return ("text", str(value))
    if isinstance(value, int | float):
        return ("number", "NaN" if value != value else value)
    return ("object", id(value))


class Collection(ScriptObject):
    """A Map, or a Set whose values are their own keys."""

    kind: ClassVar[str] = ""

    def __init__(self, machine: Machine, keyed: bool) -> None:
        self.machine = machine
        self.keyed = keyed
        self.content: dict[Any, tuple[Value, Value]] = {}

    def elements(self) -> list[Any]:
        if self.keyed:
            return [[key, value] for key, value in self.content.values()]
        return [value for _, value in self.content.values()]

    def put(self, key: Value, value: Value, place: Place) -> None:
        self.content[_key(key)] = (key, value)
        self.machine.check_items(len(self.content), place)

    def text(self) -> Value:
        return "[object Map]" if self.keyed else "[object Set]"

    def get(self, name: str, place: Place) -> Value:
        if name == "size":
            return len(self.content)
        run = getattr(self, f"_{name}", None)
        if run is None:
            return UNDEFINED
        return Native(name, lambda this, arguments, at: run(arguments, at))

    def _get(self, arguments: list[Value], place: Place) -> Value:
        return self.content.get(_key(first(arguments)), (UNDEFINED, UNDEFINED))[1]

    def _has(self, arguments: list[Value], place: Place) -> Value:
        wanted = first(arguments)
        return wanted if isinstance(wanted, Unknown) else _key(wanted) in self.content

    def _set(self, arguments: list[Value], place: Place) -> Value:
        self.put(first(arguments), argument(arguments, 1), place)
        return self

    def _add(self, arguments: list[Value], place: Place) -> Value:
        self.put(first(arguments), first(arguments), place)
        return self

    def _delete(self, arguments: list[Value], place: Place) -> Value:
        return self.content.pop(_key(first(arguments)), None) is not None

    def _clear(self, arguments: list[Value], place: Place) -> Value:
        self.content.clear()
        return UNDEFINED

    def _keys(self, arguments: list[Value], place: Place) -> Value:
        return [key for key, _ in self.content.values()]

    def _values(self, arguments: list[Value], place: Place) -> Value:
        return [value for _, value in self.content.values()]

    def _entries(self, arguments: list[Value], place: Place) -> Value:
        return [[key, value] for key, value in self.content.values()]

    def _forEach(self, arguments: list[Value], place: Place) -> Value:
        function = need_function(first(arguments), "the callback")
        for key, value in list(self.content.values()):
            self.machine.spend(1, place)
            call_method(function, UNDEFINED, [value, key, self], place)
        return UNDEFINED


def map_class(machine: Machine) -> Native:
    """`Map`."""

    def make(this: Value, arguments: list[Value], place: Place) -> Value:
        made = Collection(machine, True)
        source = first(arguments)
        if source is None or source is UNDEFINED:
            return made
        items = iterate(machine, source, place)
        if isinstance(items, Unknown):
            return items
        for item in items:
            if isinstance(item, Unknown):
                return item
            if not isinstance(item, list):
                raise throw("TypeError", "Iterator value is not an entry object")
            made.put(argument(item, 0), argument(item, 1), place)
        return made

    return Native("Map", None, {"[[instance]]": _instance(True)}, make)


def set_class(machine: Machine) -> Native:
    """`Set`."""

    def make(this: Value, arguments: list[Value], place: Place) -> Value:
        made = Collection(machine, False)
        source = first(arguments)
        if source is None or source is UNDEFINED:
            return made
        items = iterate(machine, source, place)
        if isinstance(items, Unknown):
            return items
        for item in items:
            made.put(item, item, place)
        return made

    return Native("Set", None, {"[[instance]]": _instance(False)}, make)


def _instance(keyed: bool) -> HostObject:
    def run(this: Value, arguments: list[Value], place: Place) -> Value:
        value = first(arguments)
        return isinstance(value, Collection) and value.keyed == keyed

    return Native("instance", run)
