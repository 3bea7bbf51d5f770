"""`Object`, what every object has, `Array`, `String`, `Boolean`, `Symbol` and errors."""

from __future__ import annotations

from typing import Any

from remediate.evaluate.assumed import Assumed, assume
from remediate.evaluate.builtins.members import OBJECT, is_index, method
from remediate.evaluate.conversions import (
    call_method,
    is_error,
    need_function,
    property_key,
    same_value,
    to_integer,
    to_text,
    truthy,
)
from remediate.evaluate.machine import Machine, throw
from remediate.evaluate.objects import Accessor, Instance, Native, ScriptObject, argument, error, first
from remediate.evaluate.properties import iterate, own_properties, write
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

ERRORS = ("Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "EvalError", "AggregateError")


@method(OBJECT, "hasOwnProperty", "propertyIsEnumerable")
def _has_own(machine: Machine, this: Any, arguments: list[Value], place: Place) -> Value:
    return _owns(this, property_key(first(arguments)))


def _owns(this: Value, name: str) -> bool:
    if isinstance(this, dict):
        return name in this
    if isinstance(this, list | str):
        return name == "length" or (is_index(name) and int(name) < len(this))
    return isinstance(this, ScriptObject) and name in this.own()


@method(OBJECT, "toString", "toLocaleString")
def _to_string(machine: Machine, this: Any, arguments: list[Value], place: Place) -> Value:
    return to_text(this)


@method(OBJECT, "valueOf")
def _value_of(machine: Machine, this: Any, arguments: list[Value], place: Place) -> Value:
    result: Value = this
    return result


def object_class(machine: Machine) -> Native:
    """`Object`."""

    def entries(value: Value, place: Place) -> dict[str, Any] | Unknown:
        if value is None or value is UNDEFINED:
            raise throw("TypeError", "Cannot convert undefined or null to object")
        return own_properties(machine, value, place)

    def keys(this: Value, arguments: list[Value], place: Place) -> Value:
        found = entries(first(arguments), place)
        return _empty(found) if isinstance(found, Unknown) else list(found)

    def values(this: Value, arguments: list[Value], place: Place) -> Value:
        found = entries(first(arguments), place)
        return _empty(found) if isinstance(found, Unknown) else list(found.values())

    def pairs(this: Value, arguments: list[Value], place: Place) -> Value:
        found = entries(first(arguments), place)
        return _empty(found) if isinstance(found, Unknown) else [[key, value] for key, value in found.items()]

    def from_entries(this: Value, arguments: list[Value], place: Place) -> Value:
        items = iterate(machine, first(arguments), place)
        if isinstance(items, Unknown):
            return items
        result: dict[str, Value] = {}
        for item in items:
            if isinstance(item, Unknown):
                return item
            if isinstance(item, list):
                result[property_key(argument(item, 0))] = argument(item, 1)
        return result

    def assign(this: Value, arguments: list[Value], place: Place) -> Value:
        target = first(arguments)
        for source in arguments[1:]:
            found = own_properties(machine, source, place)
            if isinstance(found, Unknown):
                return found
            for key, value in found.items():
                write(machine, target, key, value, place)
        return target

    def same(this: Value, arguments: list[Value], place: Place) -> Value:
        return first(arguments)

    def create(this: Value, arguments: list[Value], place: Place) -> Value:
        parent = first(arguments)
        return dict(parent) if isinstance(parent, dict) else {}

    def define(this: Value, arguments: list[Value], place: Place) -> Value:
        target, description = first(arguments), argument(arguments, 2)
        if isinstance(description, dict):
            name = argument(arguments, 1)
            if "get" in description and isinstance(target, dict):
                getter = description["get"]
                target[property_key(name)] = Accessor(getter if isinstance(getter, HostObject) else None)
            elif "value" in description:
                write(machine, target, name, description["value"], place)
        return target

    def has_own(this: Value, arguments: list[Value], place: Place) -> Value:
        target = first(arguments)
        return target if isinstance(target, Unknown) else _owns(target, property_key(argument(arguments, 1)))

    def prototype(this: Value, arguments: list[Value], place: Place) -> Value:
        return Unknown("a prototype is not interpreted", place)

    def group(this: Value, arguments: list[Value], place: Place) -> Value:
        items = iterate(machine, first(arguments), place)
        if isinstance(items, Unknown):
            return items
        function = need_function(argument(arguments, 1), "the callback")
        result: dict[str, list[Value]] = {}
        for index, item in enumerate(list(items)):
            key = property_key(call_method(function, UNDEFINED, [item, index], place))
            result.setdefault(key, []).append(item)
        return result

    def is_same(this: Value, arguments: list[Value], place: Place) -> Value:
        return same_value(first(arguments), argument(arguments, 1))

    def names(this: Value, arguments: list[Value], place: Place) -> Value:
        return keys(this, arguments, place)

    def convert(this: Value, arguments: list[Value], place: Place) -> Value:
        value = first(arguments)
        return {} if value is None or value is UNDEFINED else value

    functions = {
        "keys": keys,
        "values": values,
        "entries": pairs,
        "fromEntries": from_entries,
        "assign": assign,
        "freeze": same,
        "seal": same,
        "preventExtensions": same,
        "create": create,
        "defineProperty": define,
        "hasOwn": has_own,
        "getPrototypeOf": prototype,
        "setPrototypeOf": same,
        "groupBy": group,
        "is": is_same,
        "getOwnPropertyNames": names,
    }
    members: dict[str, Value] = {name: Native(name, run) for name, run in functions.items()}
    members["prototype"] = {
        "hasOwnProperty": Native("hasOwnProperty", lambda this, passed, at: _has_own(machine, this, passed, at)),
        "toString": Native("toString", lambda this, passed, at: _tag(this)),
    }
    members["[[instance]]"] = Native(
        "instance", lambda this, passed, at: isinstance(first(passed), dict | list | HostObject)
    )
    return Native("Object", convert, members, convert)


def _empty(unknown: Unknown) -> Unknown:
    """The keys of something that is assumed to be empty are assumed to be none."""
    return assume(unknown, []) if isinstance(unknown, Assumed) and not unknown.value else unknown


def _tag(value: Value) -> str:
    if isinstance(value, list):
        return "[object Array]"
    if value is None:
        return "[object Null]"
    if value is UNDEFINED:
        return "[object Undefined]"
    for kind, name in ((bool, "Boolean"), (int | float, "Number"), (str, "String")):
        if isinstance(value, kind):
            return f"[object {name}]"
    return "[object Object]"


def array_class(machine: Machine) -> Native:
    """`Array`."""

    def make(this: Value, arguments: list[Value], place: Place) -> Value:
        length = first(arguments)
        if len(arguments) != 1 or isinstance(length, bool) or not isinstance(length, int | float):
            return list(arguments)
        count = to_integer(length)
        if count != length or not 0 <= count < 2**32:
            raise throw("RangeError", "Invalid array length")
        machine.check_items(count, place)
        machine.spend(count, place)
        return [UNDEFINED] * count

    def from_items(this: Value, arguments: list[Value], place: Place) -> Value:
        source, function = first(arguments), argument(arguments, 1)
        if isinstance(source, dict):
            length = to_integer(source.get("length", 0))
            machine.check_items(length, place)
            machine.spend(max(length, 0), place)
            items: list[Any] | Unknown = [source.get(str(index), UNDEFINED) for index in range(length)]
        else:
            items = iterate(machine, source, place)
        if isinstance(items, Unknown):
            return items
        if function is UNDEFINED:
            return list(items)
        mapper = need_function(function, "the callback")
        result = []
        for index, item in enumerate(list(items)):
            machine.spend(1, place)
            result.append(call_method(mapper, UNDEFINED, [item, index], place))
        return result

    def is_array(this: Value, arguments: list[Value], place: Place) -> Value:
        value = first(arguments)
        if isinstance(value, Unknown) and value.about_data:
            return value
        return value if isinstance(value, Unknown) else isinstance(value, list)

    def of(this: Value, arguments: list[Value], place: Place) -> Value:
        return list(arguments)

    members: dict[str, Value] = {
        "from": Native("from", from_items),
        "isArray": Native("isArray", is_array),
        "of": Native("of", of),
        "[[instance]]": Native("instance", is_array),
    }
    return Native("Array", make, members, make)


def string_class(machine: Machine) -> Native:
    """`String`."""

    def convert(this: Value, arguments: list[Value], place: Place) -> Value:
        return to_text(arguments[0]) if arguments else ""

    def from_codes(this: Value, arguments: list[Value], place: Place) -> Value:
        return "".join(chr(to_integer(code) & 0xFFFF) for code in arguments)

    def raw(this: Value, arguments: list[Value], place: Place) -> Value:
        return first(arguments)

    members: dict[str, Value] = {
        "fromCharCode": Native("fromCharCode", from_codes),
        "fromCodePoint": Native("fromCodePoint", from_codes),
        "raw": Native("raw", raw),
    }
    return Native("String", convert, members, convert)


def boolean_class(machine: Machine) -> Native:
    """`Boolean`."""
    return Native("Boolean", lambda this, arguments, place: truthy(first(arguments)))


def symbol_class(machine: Machine) -> Native:
    """`Symbol`, as far as a unique text can stand for one."""

    def make(this: Value, arguments: list[Value], place: Place) -> Value:
        return f"@@{place.start}:{to_text(first(arguments))}"

    members: dict[str, Value] = {name: f"@@{name}" for name in ("iterator", "asyncIterator", "toStringTag")}
    members["for"] = Native("for", lambda this, arguments, place: f"@@for:{to_text(first(arguments))}")
    return Native("Symbol", make, members)


def error_class(name: str) -> Native:
    """`Error` and its kin: the object is a plain one, as Knex's errors are."""

    def make(this: Value, arguments: list[Value], place: Place) -> Value:
        message = first(arguments)
        made = error("", name)
        made["message"] = "" if message is UNDEFINED else message if isinstance(message, Unknown) else to_text(message)
        made["stack"] = Unknown("a stack trace", place)
        options = argument(arguments, 1)
        if isinstance(options, dict) and "cause" in options:
            made["cause"] = options["cause"]
        return made

    def instance(this: Value, arguments: list[Value], place: Place) -> Value:
        value = first(arguments)
        if isinstance(value, Unknown):
            return value
        if not is_error(value):
            return False
        own = value["name"] if isinstance(value, dict) else ""
        return name == "Error" or own == name or isinstance(value, Instance)

    members: dict[str, Value] = {
        "[[instance]]": Native("instance", instance),
        "captureStackTrace": Native("captureStackTrace", lambda this, arguments, place: UNDEFINED),
    }
    return Native(name, make, members, make)
