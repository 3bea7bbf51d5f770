"""The few conversions of JavaScript that Knex relies on: text, truth, numbers, keys and JSON of a value."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place


class UnresolvableError(Exception):
    """Some text that has to be in the SQL is not known; caught where a statement is finished."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.reason)
        self.unknown = unknown


def unresolvable(reason: str, place: Place | None = None) -> UnresolvableError:
    """The error to raise when `reason` keeps a statement from being built."""
    return UnresolvableError(Unknown(reason, place))


def because(what: str, unknown: Unknown, place: Place | None = None) -> Unknown:
    """An unknown value that comes of another one; `place` counts where the other has none."""
    return Unknown(f"{what}: {unknown.reason}", unknown.place or place, unknown.about_data)


def known(value: Value) -> Value:
    """The value itself; raises when it is `Unknown`."""
    if isinstance(value, Unknown):
        raise UnresolvableError(value)
    return value


def number_text(number: int | float) -> str:
    """A number as JavaScript prints it."""
    if isinstance(number, int):
        return str(number) if abs(number) < 10**21 else number_text(float(number))
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == int(number) and abs(number) < 1e21:
        return str(int(number))
    mantissa, _, exponent = repr(number).partition("e")
    if not exponent:
        return mantissa
    power = int(exponent)
    if -7 < power < 0:
        return f"{number:.{len(mantissa.replace('.', '').lstrip('-')) - 1 - power}f}"
    return f"{mantissa}e{'+' if power > 0 else '-'}{abs(power)}"


def text(value: Value) -> str:
    """`String(value)`: what `+` and `${}` make of it. Raises `UnresolvableError` where that is not known."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if value is None:
        return "null"
    if value is UNDEFINED:
        return "undefined"
    if isinstance(value, list):
        return ",".join("" if item is None or item is UNDEFINED else text(item) for item in value)
    if isinstance(value, dict):
        return "[object Object]"
    if isinstance(value, HostObject):
        to_query = getattr(value, "to_query", None)
        if to_query is None:
            raise unresolvable("an object whose text is not known is part of the SQL")
        return str(to_query())
    raise UnresolvableError(value if isinstance(value, Unknown) else Unknown("its text is not known"))


def truthy(value: Value) -> bool:
    """Whether `if (value)` goes in; an unknown value counts as present."""
    if isinstance(value, list | dict | HostObject | Unknown):
        return True
    if isinstance(value, float) and math.isnan(value):
        return False
    return bool(value)


def parse_int(value: Value, fallback: Value) -> Value:
    """Knex's `toNumber`: `parseInt(value, 10)`, or the fallback where that is no number."""
    if value is None or value is UNDEFINED:
        return fallback
    found = re.match(r"\s*([+-]?\d+)", text(value))
    return int(found[1]) if found else fallback


def keys(value: dict[str, Any]) -> list[str]:
    """`Object.keys`: integer-like keys first in numeric order, then the others as inserted."""
    numeric = [key for key in value if re.fullmatch(r"0|[1-9]\d{0,9}", key)]
    return sorted(numeric, key=int) + [key for key in value if key not in numeric]


def is_object(value: Value) -> bool:
    """`typeof value === "object" && value !== null`."""
    if isinstance(value, HostObject):
        return not getattr(value, "is_function", True)
    return isinstance(value, list | dict)


def type_of(value: Value) -> str:
    """`typeof value`."""
    if value is UNDEFINED:
        return "undefined"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "function" if isinstance(value, HostObject) and not is_object(value) else "object"


def is_empty(value: Value) -> bool:
    """lodash's `isEmpty`: true for whatever has no elements, so for numbers and booleans too."""
    if isinstance(value, str | list | dict):
        return not value
    return not isinstance(value, HostObject | Unknown)


def stringify(value: Value) -> str:
    """`JSON.stringify(value)`."""
    result = _json(value)
    return "undefined" if result is None else result


def _json(value: Value) -> str | None:
    if value is None:
        return "null"
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return number_text(value) if math.isfinite(value) else "null"
    if isinstance(value, list):
        return "[" + ",".join(_json(item) or "null" for item in value) + "]"
    if isinstance(value, dict):
        members = ((key, _json(value[key])) for key in keys(value))
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{v}" for k, v in members if v is not None) + "}"
    if value is UNDEFINED or (isinstance(value, HostObject) and getattr(value, "is_function", True)):
        return None
    raise UnresolvableError(value if isinstance(value, Unknown) else Unknown("an object whose JSON is not known"))
