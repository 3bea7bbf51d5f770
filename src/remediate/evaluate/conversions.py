"""JavaScript's conversions and comparisons of values. What meets an unknown value raises `UnresolvableError`."""

from __future__ import annotations

import math
import re
from typing import Any

from remediate.evaluate.knex.javascript import UnresolvableError, known, number_text
from remediate.evaluate.knex.session import ThrownError
from remediate.evaluate.objects import Instance, ScriptObject, type_error
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

__all__ = ["keys", "known", "loose_equals", "same_value", "strict_equals", "to_number", "to_text", "truthy", "type_of"]

NOWHERE = Place("")

_NUMBER = re.compile(r"[+-]?(?:Infinity|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)")
_BASED = re.compile(r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+")
_MOST_NESTED = 100


def number(value: int | float) -> int | float:
    """A number in our form: an int while it is whole and exact, else a float."""
    if value.__class__ is int:
        return value if -(2**53) <= value <= 2**53 else _big(int(value))
    if math.isfinite(value) and value == (whole := int(value)) and -(2**53) <= whole <= 2**53:
        return whole
    return value


def _big(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def keys(value: dict[str, Any]) -> list[str]:
    """`Object.keys`: names that are indexes come first, in numeric order."""
    numeric = [key for key in value if key.isascii() and key.isdigit() and (key == "0" or key[0] != "0")]
    if not numeric:
        return list(value)
    others = set(numeric)
    return sorted(numeric, key=lambda key: (len(key), key)) + [key for key in value if key not in others]


def is_bounded(value: Value, most: int = 200_000) -> bool:
    """Whether a value, written out, has at most so many parts; one that holds itself has no end."""
    waiting: list[tuple[Any, int]] = [(value, 0)]
    count = 0
    while waiting:
        item, depth = waiting.pop()
        if item.__class__ is list or item.__class__ is dict:
            count += len(item)
            if count > most or depth > _MOST_NESTED:
                return False
            for part in item.values() if isinstance(item, dict) else item:
                if part.__class__ is list or part.__class__ is dict:
                    waiting.append((part, depth + 1))
    return True


def to_text(value: Value, depth: int = 0) -> str:
    """`String(value)`."""
    if isinstance(value, str):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int | float):
        return number_text(value)
    if value is None:
        return "null"
    if value is UNDEFINED:
        return "undefined"
    if isinstance(value, Unknown):
        raise UnresolvableError(value)
    if depth > _MOST_NESTED:
        raise UnresolvableError(Unknown("the text of something that holds itself"))
    if isinstance(value, list):
        if depth == 0 and not is_bounded(value):
            raise UnresolvableError(Unknown("the text of something that is too large or holds itself"))
        return ",".join("" if item is None or item is UNDEFINED else to_text(item, depth + 1) for item in value)
    if isinstance(value, dict):
        return _object_text(value, depth)
    assert isinstance(value, HostObject)
    return _host_text(value, depth)


def _object_text(value: dict[str, Any], depth: int) -> str:
    method = value.get("toString")
    if isinstance(method, HostObject):
        return to_text(call_method(method, value, []), depth + 1)
    if is_error(value):
        name, message = value.get("name", "Error"), value.get("message", "")
        return f"{to_text(name)}: {to_text(message)}" if message not in ("", UNDEFINED) else to_text(name)
    return "[object Object]"


def _host_text(value: HostObject, depth: int) -> str:
    to_query = getattr(value, "to_query", None)
    if to_query is not None:
        return str(to_query())
    if isinstance(value, ScriptObject):
        text = value.text()
        if text is not None:
            return to_text(text, depth + 1)
    raise UnresolvableError(Unknown("the text of an object that is not known"))


def is_error(value: Value) -> bool:
    """Whether a value is an error, ours or one that Knex made."""
    if isinstance(value, Instance):
        return value.is_error
    return isinstance(value, dict) and "message" in value and "name" in value


def call_method(method: HostObject, this: Value, arguments: list[Value], place: Place = NOWHERE) -> Value:
    """Calls a function with `this`."""
    with_this = getattr(method, "call_with_this", None)
    if with_this is None:
        return method.call(arguments, place)
    result: Value = with_this(this, arguments, place)
    return result


def to_number(value: Value) -> int | float:
    """`Number(value)`."""
    if value is True:
        return 1
    if value is False or value is None:
        return 0
    if isinstance(value, int | float):
        return value
    if value is UNDEFINED:
        return math.nan
    if isinstance(value, Unknown):
        raise UnresolvableError(value)
    if not isinstance(value, str):
        primitive = to_primitive(value)
        return math.nan if not isinstance(primitive, str | int | float) else to_number(primitive)
    text = value.strip()
    if not text:
        return 0
    if _NUMBER.fullmatch(text):
        if len(text) > 400:
            return float(text)
        return number(int(text) if text.lstrip("+-").isdigit() else float(text.replace("Infinity", "inf")))
    return number(int(text, 0)) if _BASED.fullmatch(text) else math.nan


def to_primitive(value: Value) -> Value:
    """What operators see of an object: the answer of its valueOf or toString."""
    if isinstance(value, dict):
        method = value.get("valueOf")
        if isinstance(method, HostObject):
            result = call_method(method, value, [])
            if not isinstance(result, dict | list | HostObject):
                return result
        return to_text(value)
    if isinstance(value, ScriptObject):
        result = value.primitive()
        return to_text(value) if result is None else result
    return to_text(value) if isinstance(value, list | HostObject) else value


def to_integer(value: Value) -> int:
    """ToIntegerOrInfinity, with infinities cut at what any length can be."""
    result = to_number(value)
    if isinstance(result, int):
        return result
    if math.isnan(result):
        return 0
    return int(max(min(result, 2**53), -(2**53)))


def truthy(value: Value) -> bool:
    """Whether `if (value)` goes in. Not for unknown values."""
    if isinstance(value, Unknown):
        raise UnresolvableError(value)
    if isinstance(value, list | dict | HostObject):
        return True
    return bool(value) and value == value


def type_of(value: Value) -> str:
    """`typeof value`."""
    if isinstance(value, Unknown):
        raise UnresolvableError(value)
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if value is UNDEFINED:
        return "undefined"
    if isinstance(value, HostObject) and getattr(value, "is_function", True):
        return "function"
    return "object"


def strict_equals(left: Value, right: Value) -> bool:
    """`left === right`."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        raise UnresolvableError(left if isinstance(left, Unknown) else right)  # type: ignore[arg-type]
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    return left is right


def same_value(left: Value, right: Value) -> bool:
    """SameValueZero, as `includes`, Map and Set compare."""
    if isinstance(left, float) and isinstance(right, float) and left != left and right != right:
        return True
    return strict_equals(left, right)


def loose_equals(left: Value, right: Value) -> bool:
    """`left == right`."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return strict_equals(left, right)
    if left is None or left is UNDEFINED:
        return right is None or right is UNDEFINED
    if right is None or right is UNDEFINED:
        return False
    kinds = type_of(left), type_of(right)
    if kinds[0] == kinds[1]:
        return strict_equals(left, right)
    if isinstance(left, bool):
        return loose_equals(int(left), right)
    if isinstance(right, bool):
        return loose_equals(left, int(right))
    objects = ("object", "function")
    if kinds[0] in objects and kinds[1] in objects:
        return left is right
    if kinds[0] in objects:
        return loose_equals(to_primitive(left), right)
    if kinds[1] in objects:
        return loose_equals(left, to_primitive(right))
    return to_number(left) == to_number(right)


def property_key(value: Value) -> str:
    """The name under which `object[value]` looks."""
    return value if value.__class__ is str else str(to_text(value))


def need_function(value: Value, what: str) -> HostObject:
    """A callback that a builtin is going to call. Raises what JavaScript throws, or that it is unknown."""
    if isinstance(value, Unknown):
        raise UnresolvableError(value)
    if isinstance(value, HostObject) and getattr(value, "is_function", True):
        return value
    raise ThrownError(type_error(f"{what} is not a function"))
