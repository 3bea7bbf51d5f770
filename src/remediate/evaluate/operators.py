"""Unary and binary operators over known, unknown and assumed values."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from remediate.evaluate.assumed import Assumed, assume, fresh
from remediate.evaluate.builtins.members import is_index
from remediate.evaluate.conversions import (
    loose_equals,
    number,
    property_key,
    strict_equals,
    to_number,
    to_primitive,
    to_text,
    truthy,
    type_of,
)
from remediate.evaluate.knex.javascript import UnresolvableError
from remediate.evaluate.machine import Machine, throw, unknown_of
from remediate.evaluate.objects import Instance, Library, Native, ScriptObject
from remediate.evaluate.partial import PartialText, partial_text
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place


def binary(machine: Machine, sign: str, left: Value, right: Value, place: Place) -> Value:
    """`left sign right`."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return _with_unknown(machine, sign, left, right, place)
    try:
        if sign == "+":
            return add(machine, left, right, place)
        return _BINARY[sign](left, right)
    except UnresolvableError as failure:
        return unknown_of(failure, place)
    except (OverflowError, ValueError):
        return math.nan


def _with_unknown(machine: Machine, sign: str, left: Value, right: Value, place: Place) -> Value:
    """Where only assumed values take part the result is assumed too, unless it is text."""
    known = next(value for value in (left, right) if isinstance(value, Unknown))
    if sign == "+" and any(isinstance(value, str | PartialText) for value in (left, right)):
        return partial_text([_piece(left), _piece(right)], place)
    for value in (left, right):
        if isinstance(value, Unknown) and not isinstance(value, Assumed):
            return value
    result = binary(machine, sign, fresh(left), fresh(right), place)
    if isinstance(result, str | Unknown):
        return Unknown(known.reason, known.place, known.about_data)
    return assume(known, result)


def _piece(value: Value) -> str | Unknown:
    if isinstance(value, Unknown):
        return value
    try:
        return to_text(value)
    except UnresolvableError as failure:
        return failure.unknown


def add(machine: Machine, left: Value, right: Value, place: Place) -> Value:
    """`left + right`: text as soon as one side is text."""
    if isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > 1000:
            machine.check_text(len(left) + len(right), place)
        return left + right
    left, right = to_primitive(left), to_primitive(right)
    if isinstance(left, str) or isinstance(right, str):
        return add(machine, to_text(left), to_text(right), place)
    return number(to_number(left) + to_number(right))


def _arithmetic(compute: Callable[[int | float, int | float], int | float]) -> Callable[[Value, Value], Value]:
    def run(left: Value, right: Value) -> Value:
        return number(compute(to_number(left), to_number(right)))

    return run


def _divide(left: int | float, right: int | float) -> int | float:
    if right:
        return left / right
    if not left or left != left or right != right:
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def _remainder(left: int | float, right: int | float) -> int | float:
    return math.fmod(left, right) if right and not math.isinf(left) else math.nan


def _power(left: int | float, right: int | float) -> int | float:
    if right != right:
        return math.nan
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf


def to_int32(value: Value) -> int:
    result = to_number(value)
    if isinstance(result, float):
        if not math.isfinite(result):
            return 0
        result = int(result)
    result &= 0xFFFFFFFF
    return result - 2**32 if result & 0x80000000 else result


def _bits(compute: Callable[[int, int], int]) -> Callable[[Value, Value], Value]:
    return lambda left, right: to_int32(compute(to_int32(left), to_int32(right)))


def _compare(
    texts: Callable[[str, str], bool], numbers: Callable[[int | float, int | float], bool]
) -> Callable[[Value, Value], Value]:
    def run(left: Value, right: Value) -> Value:
        left, right = to_primitive(left), to_primitive(right)
        if isinstance(left, str) and isinstance(right, str):
            return texts(left, right)
        return numbers(to_number(left), to_number(right))

    return run


def _contains(left: Value, right: Value) -> Value:
    """`left in right`."""
    name = property_key(left)
    if isinstance(right, list):
        return name == "length" or (is_index(name) and int(name) < len(right))
    if isinstance(right, dict):
        return name in right
    if isinstance(right, Library):
        return name in right.members
    if isinstance(right, ScriptObject):
        return name in right.own() or right.get(name, Place("")) is not UNDEFINED
    if isinstance(right, HostObject):
        raise UnresolvableError(Unknown("looks for a property of something that is not known"))
    raise throw("TypeError", f"Cannot use 'in' operator to search for '{name}' in {to_text(right)}")


def _instance_of(left: Value, right: Value) -> Value:
    if isinstance(right, Native):
        check = right.members.get("[[instance]]")
        if isinstance(check, Native):
            return check.call([left], Place(""))
        raise UnresolvableError(Unknown(f"an instance of {right.name} is looked for"))
    chain = getattr(right, "is_parent_of", None)
    if chain is None:
        raise UnresolvableError(Unknown("an instance of something that is not known is looked for"))
    return isinstance(left, Instance) and bool(chain(left))


_BINARY: dict[str, Callable[[Value, Value], Value]] = {
    "-": _arithmetic(operator.sub),
    "*": _arithmetic(operator.mul),
    "/": _arithmetic(_divide),
    "%": _arithmetic(_remainder),
    "**": _arithmetic(_power),
    "&": _bits(operator.and_),
    "|": _bits(operator.or_),
    "^": _bits(operator.xor),
    "<<": lambda left, right: to_int32(to_int32(left) << (to_int32(right) & 31)),
    ">>": lambda left, right: to_int32(left) >> (to_int32(right) & 31),
    ">>>": lambda left, right: (to_int32(left) & 0xFFFFFFFF) >> (to_int32(right) & 31),
    "<": _compare(operator.lt, operator.lt),
    ">": _compare(operator.gt, operator.gt),
    "<=": _compare(operator.le, operator.le),
    ">=": _compare(operator.ge, operator.ge),
    "===": lambda left, right: strict_equals(left, right),
    "!==": lambda left, right: not strict_equals(left, right),
    "==": lambda left, right: loose_equals(left, right),
    "!=": lambda left, right: not loose_equals(left, right),
    "in": _contains,
    "instanceof": _instance_of,
}


def unary(sign: str, value: Value, place: Place) -> Value:
    """`sign value`, for every sign but `delete`."""
    if sign == "void":
        return UNDEFINED
    if isinstance(value, Unknown):
        if isinstance(value, Assumed):
            result = unary(sign, value.value, place)
            if not isinstance(result, Unknown):
                return assume(value, result)
        elif sign == "!" and value.about_data:
            return assume(value, True)
        return value
    try:
        return _unary(sign, value)
    except UnresolvableError as failure:
        return unknown_of(failure, place)


def _unary(sign: str, value: Value) -> Value:
    if sign == "!":
        return not truthy(value)
    if sign == "typeof":
        return type_of(value)
    if sign == "-":
        result = to_number(value)
        return -0.0 if result == 0 and not isinstance(value, float) else number(-result)
    if sign == "+":
        return to_number(value)
    return ~to_int32(value)
