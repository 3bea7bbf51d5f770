"""Methods of arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from remediate.evaluate.builtins.members import ARRAY, method
from remediate.evaluate.builtins.texts import clamp
from remediate.evaluate.conversions import (
    call_method,
    is_bounded,
    need_function,
    same_value,
    strict_equals,
    to_integer,
    to_number,
    to_text,
    truthy,
)
from remediate.evaluate.knex.javascript import UnresolvableError
from remediate.evaluate.limits import Stopped
from remediate.evaluate.machine import Machine, throw
from remediate.evaluate.objects import argument, first
from remediate.evaluate.values import UNDEFINED, Unknown, Value
from remediate.source.place import Place


def _each(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Callable[[int], Value]:
    """The callback, as a function of the index."""
    function = need_function(first(arguments), "the callback")
    context = argument(arguments, 1)

    def run(index: int) -> Value:
        machine.spend(1, place)
        return call_method(function, context, [this[index], index, this], place)

    return run


def _test(value: Value) -> bool:
    return truthy(value)


@method(ARRAY, "map")
def _map(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    run = _each(machine, this, arguments, place)
    return [run(index) for index in range(len(this)) if index < len(this)]


@method(ARRAY, "forEach")
def _for_each(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    run = _each(machine, this, arguments, place)
    for index in range(len(this)):
        if index < len(this):
            run(index)
    return UNDEFINED


@method(ARRAY, "filter")
def _filter(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    run = _each(machine, this, arguments, place)
    return [item for index, item in enumerate(list(this)) if _test(run(index))]


@method(ARRAY, "find")
def _find(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    run = _each(machine, this, arguments, place)
    return next((item for index, item in enumerate(list(this)) if _test(run(index))), UNDEFINED)


@method(ARRAY, "findIndex")
def _find_index(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    run = _each(machine, this, arguments, place)
    return next((index for index in range(len(this)) if _test(run(index))), -1)


@method(ARRAY, "findLast")
def _find_last(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    run = _each(machine, this, arguments, place)
    return next((this[index] for index in reversed(range(len(this))) if _test(run(index))), UNDEFINED)


@method(ARRAY, "findLastIndex")
def _find_last_index(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    run = _each(machine, this, arguments, place)
    return next((index for index in reversed(range(len(this))) if _test(run(index))), -1)


@method(ARRAY, "some")
def _some(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    run = _each(machine, this, arguments, place)
    return any(_test(run(index)) for index in range(len(this)))


@method(ARRAY, "every")
def _every(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    run = _each(machine, this, arguments, place)
    return all(_test(run(index)) for index in range(len(this)))


@method(ARRAY, "flatMap")
def _flat_map(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    run = _each(machine, this, arguments, place)
    result: list[Any] = []
    for index in range(len(this)):
        value = run(index)
        result.extend(value if isinstance(value, list) else [value])
        machine.check_items(len(result), place)
    return result


def _reduce(machine: Machine, this: list[Any], arguments: list[Value], place: Place, indexes: list[int]) -> Value:
    function = need_function(first(arguments), "the callback")
    if len(arguments) > 1:
        value = arguments[1]
    elif indexes:
        value = this[indexes.pop(0)]
    else:
        raise throw("TypeError", "Reduce of empty array with no initial value")
    for index in indexes:
        machine.spend(1, place)
        value = call_method(function, UNDEFINED, [value, this[index], index, this], place)
    return value


@method(ARRAY, "reduce")
def _reduce_left(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    return _reduce(machine, this, arguments, place, list(range(len(this))))


@method(ARRAY, "reduceRight")
def _reduce_right(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    return _reduce(machine, this, arguments, place, list(reversed(range(len(this)))))


@method(ARRAY, "join")
def _join(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    separator = first(arguments)
    glue = "," if separator is UNDEFINED else to_text(separator)
    machine.spend(len(this), place)
    texts = ["" if item is None or item is UNDEFINED else to_text(item) for item in this]
    machine.check_text(sum(map(len, texts)) + len(glue) * len(texts), place)
    return glue.join(texts)


@method(ARRAY, "toString")
def _to_string(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    return _join(machine, this, [], place)


@method(ARRAY, "push")
def _push(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    this.extend(arguments)
    machine.check_items(len(this), place)
    return len(this)


@method(ARRAY, "unshift")
def _unshift(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    machine.spend(len(this) // 100, place)
    this[:0] = arguments
    machine.check_items(len(this), place)
    return len(this)


@method(ARRAY, "pop")
def _pop(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    return this.pop() if this else UNDEFINED


@method(ARRAY, "shift")
def _shift(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    machine.spend(len(this) // 100, place)
    return this.pop(0) if this else UNDEFINED


@method(ARRAY, "slice")
def _slice(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    length = len(this)
    machine.spend(length, place)
    return this[clamp(first(arguments), length, 0) : clamp(argument(arguments, 1), length, length)]


@method(ARRAY, "splice")
def _splice(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    if not arguments:
        return []
    begin = clamp(arguments[0], len(this), 0)
    count = len(this) - begin if len(arguments) == 1 else max(min(to_integer(arguments[1]), len(this) - begin), 0)
    machine.spend(len(this), place)
    removed = this[begin : begin + count]
    this[begin : begin + count] = arguments[2:]
    machine.check_items(len(this), place)
    return removed


@method(ARRAY, "toSpliced")
def _to_spliced(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    result = list(this)
    _splice(machine, result, arguments, place)
    return result


@method(ARRAY, "with")
def _with(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    index = to_integer(first(arguments))
    index += len(this) if index < 0 else 0
    if not 0 <= index < len(this):
        raise throw("RangeError", f"Invalid index : {index}")
    machine.spend(len(this), place)
    return [*this[:index], argument(arguments, 1), *this[index + 1 :]]


@method(ARRAY, "concat")
def _concat(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    result = list(this)
    for item in arguments:
        if isinstance(item, Unknown):
            return item
        result.extend(item if isinstance(item, list) else [item])
    machine.spend(len(result), place)
    machine.check_items(len(result), place)
    return result


@method(ARRAY, "includes")
def _includes(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    machine.spend(len(this), place)
    return _position(this, first(arguments), same_value) >= 0


@method(ARRAY, "indexOf")
def _index_of(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    machine.spend(len(this), place)
    begin = clamp(argument(arguments, 1), len(this), 0)
    found = _position(this[begin:], first(arguments), strict_equals)
    return found + begin if found >= 0 else -1


@method(ARRAY, "lastIndexOf")
def _last_index_of(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    machine.spend(len(this), place)
    found = _position(this[::-1], first(arguments), strict_equals)
    return len(this) - 1 - found if found >= 0 else -1


def _position(items: list[Any], wanted: Value, equal: Callable[[Value, Value], bool]) -> int:
    """Where it stands. An element that is not known leaves it open unless a known one before it is the same."""
    if isinstance(wanted, Unknown):
        raise UnresolvableError(wanted)
    unknown: Unknown | None = None
    for index, item in enumerate(items):
        if isinstance(item, Unknown):
            unknown = unknown or item
        elif equal(item, wanted):
            if unknown is not None and equal is strict_equals:
                break
            return index
    if unknown is not None:
        raise UnresolvableError(unknown)
    return -1


@method(ARRAY, "reverse")
def _reverse(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    machine.spend(len(this), place)
    this.reverse()
    return this


@method(ARRAY, "toReversed")
def _to_reversed(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    return this[::-1]


@method(ARRAY, "sort")
def _sort(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    this[:] = _sorted(machine, this, arguments, place)
    return this


@method(ARRAY, "toSorted")
def _to_sorted(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    return _sorted(machine, this, arguments, place)


def _sorted(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> list[Any]:
    machine.spend(len(this), place)
    last = [item for item in this if item is UNDEFINED]
    items = [item for item in this if item is not UNDEFINED]
    compare = first(arguments)
    if compare is UNDEFINED:
        return sorted(items, key=lambda item: to_text(item).encode("utf-16-be")) + last
    function = need_function(compare, "the comparison")

    def order(left: Any, right: Any) -> int:
        machine.spend(1, place)
        result = to_number(call_method(function, UNDEFINED, [left, right], place))
        return 0 if result != result else (result > 0) - (result < 0)

    return sorted(items, key=cmp_to_key(order)) + last


@method(ARRAY, "flat")
def _flat(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    depth = first(arguments)
    if not is_bounded(this, machine.limits.items):
        raise Stopped(f"stopped at an array of more than {machine.limits.items:,} elements", place)
    result = _flattened(this, 1 if depth is UNDEFINED else min(to_integer(depth), 50))
    machine.spend(len(result), place)
    machine.check_items(len(result), place)
    return result


def _flattened(items: list[Any], depth: int) -> list[Any]:
    result: list[Any] = []
    for item in items:
        if isinstance(item, list) and depth > 0:
            result.extend(_flattened(item, depth - 1))
        else:
            result.append(item)
    return result


@method(ARRAY, "fill")
def _fill(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    length = len(this)
    begin, end = clamp(argument(arguments, 1), length, 0), clamp(argument(arguments, 2), length, length)
    machine.spend(length, place)
    this[begin:end] = [first(arguments)] * max(end - begin, 0)
    return this


@method(ARRAY, "entries")
def _entries(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    machine.spend(len(this), place)
    return [[index, item] for index, item in enumerate(this)]


@method(ARRAY, "keys")
def _keys(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    machine.spend(len(this), place)
    return list(range(len(this)))


@method(ARRAY, "values")
def _values(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    machine.spend(len(this), place)
    return list(this)


@method(ARRAY, "at")
def _at(machine: Machine, this: list[Any], arguments: list[Value], place: Place) -> Value:
    index = to_integer(first(arguments))
    index += len(this) if index < 0 else 0
    return this[index] if 0 <= index < len(this) else UNDEFINED
