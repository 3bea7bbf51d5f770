"""Reading and writing properties of any value, and going over its elements."""

from __future__ import annotations

from typing import Any

from remediate.evaluate.assumed import Assumed, assume, no_rows
from remediate.evaluate.builtins import members
from remediate.evaluate.conversions import call_method, keys, need_function, property_key, to_text, truthy
from remediate.evaluate.knex.javascript import UnresolvableError
from remediate.evaluate.knex.session import Thenable, settle
from remediate.evaluate.machine import Machine, throw, unknown_of
from remediate.evaluate.objects import Accessor, Native, ScriptObject
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place


def read(machine: Machine, base: Value, key: Value, place: Place) -> Value:
    """`base[key]`. Raises what JavaScript throws for null and undefined."""
    if isinstance(key, Unknown):
        return key
    if base.__class__ is dict and key.__class__ is str and key in base:
        return _stored(base, base[key], place)
    if isinstance(base, list) and key.__class__ is int:
        return base[key] if 0 <= key < len(base) else UNDEFINED
    try:
        name = property_key(key)
    except UnresolvableError as failure:
        return unknown_of(failure, place)
    if isinstance(base, Unknown):
        return _of_unknown(machine, base, name, place)
    if base is None or base is UNDEFINED:
        raise throw("TypeError", f"Cannot read properties of {to_text(base)} (reading '{name}')")
    if isinstance(base, dict):
        if name in base:
            return _stored(base, base[name], place)
        return members.of_object(machine, base, name)
    if isinstance(base, HostObject):
        if isinstance(base, Thenable) and name in members.PROMISE:
            return members.bound(machine, members.PROMISE[name], name, base)
        return base.get(name, place)
    if isinstance(base, list):
        return _of_list(machine, base, name)
    if isinstance(base, str):
        return _of_text(machine, base, name)
    return members.of_primitive(machine, base, name)


def _stored(base: Value, value: Any, place: Place) -> Value:
    if value.__class__ is Accessor:
        return call_method(value.getter, base, [], place) if value.getter is not None else UNDEFINED
    result: Value = value
    return result


def _of_list(machine: Machine, base: list[Any], name: str) -> Value:
    if name == "length":
        return len(base)
    if members.is_index(name):
        return base[int(name)] if int(name) < len(base) else UNDEFINED
    extra = getattr(base, "extra", None)
    if extra is not None and name in extra:
        result: Value = extra[name]
        return result
    return members.of_list(machine, base, name)


def _of_text(machine: Machine, base: str, name: str) -> Value:
    if name == "length":
        return len(base) if base.isascii() else len(base.encode("utf-16-le", "surrogatepass")) // 2
    if members.is_index(name):
        return base[int(name)] if int(name) < len(base) else UNDEFINED
    return members.of_text(machine, base, name)


def _of_unknown(machine: Machine, base: Unknown, name: str, place: Place) -> Value:
    """A property of an unknown value is unknown; of an assumed one it is assumed, where that has it."""
    if isinstance(base, Assumed):
        value = base.value
        if value is None or value is UNDEFINED:
            return Unknown(base.reason, base.place, base.about_data)
        result = read(machine, value, name, place)
        return result if isinstance(result, Native) else assume(base, result)
    if base.about_data and name == "rows":
        return assume(base, [])
    if base.about_data and name in ("length", "rowCount"):
        return assume(base, 0)
    return base


def write(machine: Machine, base: Value, key: Value, value: Value, place: Place) -> None:
    """`base[key] = value`."""
    if isinstance(base, Unknown):
        return
    if isinstance(key, Unknown):
        raise throw("Error", f"writes to a property whose name is not known: {key.reason}")
    if base is None or base is UNDEFINED:
        raise throw("TypeError", f"Cannot set properties of {to_text(base)} (setting '{to_text(key)}')")
    name = property_key(key)
    if isinstance(base, dict):
        stored = base.get(name)
        if isinstance(stored, Accessor):
            if stored.setter is not None:
                call_method(stored.setter, base, [value], place)
        elif name != "__proto__":
            base[name] = value
            if len(base) > 10_000:
                machine.check_items(len(base), place)
    elif isinstance(base, list):
        _write_list(machine, base, name, value, place)
    elif isinstance(base, ScriptObject):
        base.set(name, value, place)


def _write_list(machine: Machine, base: list[Any], name: str, value: Value, place: Place) -> None:
    if members.is_index(name):
        index = int(name)
        machine.check_items(index + 1, place)
        if index >= len(base):
            machine.spend(index - len(base), place)
            base.extend([UNDEFINED] * (index + 1 - len(base)))
        base[index] = value
    elif name == "length" and isinstance(value, int) and value >= 0:
        machine.check_items(value, place)
        del base[value:]
        base.extend([UNDEFINED] * (value - len(base)))


def iterate(machine: Machine, value: Value, place: Place) -> list[Any] | Unknown:
    """The elements that `for … of`, spread and destructuring see. Not of assumed values: those are the caller's."""
    if isinstance(value, list):
        machine.spend(len(value), place)
        return value
    if isinstance(value, str):
        machine.spend(len(value), place)
        return list(value)
    if isinstance(value, Unknown):
        rows = no_rows(value)
        if rows is not None and isinstance(rows.value, list) and not rows.value:
            return []
        return value
    elements = getattr(value, "elements", None)
    if elements is not None:
        result: list[Any] = elements()
        machine.spend(len(result), place)
        return result
    own = _by_protocol(machine, value, place)
    if own is not None:
        return own
    if isinstance(value, HostObject):
        return Unknown("goes over something whose elements are not known", place)
    raise throw("TypeError", f"{to_text(value)} is not iterable")


def _by_protocol(machine: Machine, value: Value, place: Place) -> list[Any] | Unknown | None:
    """The elements of an object that says itself how to go over it; None of one that does not."""
    if not isinstance(value, dict | ScriptObject):
        return None
    for name in ("@@iterator", "@@asyncIterator"):
        method = read(machine, value, name, place)
        if isinstance(method, HostObject):
            made = settle(call_method(method, value, [], place))
            return made if isinstance(made, list | Unknown) else _drained(machine, made, place)
    return None


def _drained(machine: Machine, iterator: Value, place: Place) -> list[Any] | Unknown:
    """What an iterator gives until it is done."""
    items: list[Any] = []
    while True:
        machine.spend(1, place)
        step = settle(call_method(need_function(read(machine, iterator, "next", place), "next"), iterator, [], place))
        if isinstance(step, Unknown):
            return step
        done = read(machine, step, "done", place)
        if isinstance(done, Unknown):
            return done
        if truthy(done):
            return items
        items.append(read(machine, step, "value", place))
        machine.check_items(len(items), place)


def own_properties(machine: Machine, value: Value, place: Place) -> dict[str, Any] | Unknown:
    """What `{...value}` copies and `Object.entries` lists, in JavaScript's order."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, dict):
        machine.spend(len(value), place)
        return {key: _stored(value, value[key], place) for key in keys(value)}
    if isinstance(value, list | str):
        machine.spend(len(value), place)
        return {str(index): item for index, item in enumerate(value)}
    if isinstance(value, ScriptObject):
        return dict(value.own())
    if isinstance(value, HostObject):
        return Unknown("the properties of an object that is not known", place)
    return {}
