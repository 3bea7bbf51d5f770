"""Numbers: their methods, `Number`, `Math`, `parseInt` and the like."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

from remediate.evaluate.builtins.members import NUMBER, method
from remediate.evaluate.conversions import number, to_integer, to_number, to_text
from remediate.evaluate.machine import Machine, throw
from remediate.evaluate.objects import Library, Native, argument, first
from remediate.evaluate.values import UNDEFINED, Unknown, Value
from remediate.source.place import Place

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FLOAT = re.compile(r"[+-]?(?:Infinity|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)")


def enum_value(value: Value) -> Value:
    """The value of an enum's member that follows one with this value."""
    return value + 1 if isinstance(value, int | float) and not isinstance(value, bool) else UNDEFINED


@method(NUMBER, "toString")
def _to_string(machine: Machine, this: int | float, arguments: list[Value], place: Place) -> Value:
    base = 10 if first(arguments) is UNDEFINED else to_integer(first(arguments))
    if base == 10 or not math.isfinite(this):
        return to_text(this)
    if not 2 <= base <= 36:
        raise throw("RangeError", "toString() radix must be between 2 and 36")
    if not isinstance(this, int):
        return Unknown("a fraction in another base", place)
    digits, rest = "", abs(this)
    while rest:
        rest, digit = divmod(rest, base)
        digits = _DIGITS[digit] + digits
    return ("-" if this < 0 else "") + (digits or "0")


@method(NUMBER, "toFixed")
def _to_fixed(machine: Machine, this: int | float, arguments: list[Value], place: Place) -> Value:
    digits = to_integer(first(arguments))
    if not 0 <= digits <= 100:
        raise throw("RangeError", "toFixed() digits argument must be between 0 and 100")
    if not math.isfinite(this) or abs(this) >= 1e21:
        return to_text(this)
    exact = Decimal(this)
    if digits > 25 or abs(this) > 1e15:
        return Unknown("a number with that many digits", place)
    text = str(exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))
    return text.removeprefix("-") if float(text) == 0 and this == 0 else text


@method(NUMBER, "toLocaleString")
def _to_locale(machine: Machine, this: int | float, arguments: list[Value], place: Place) -> Value:
    return Unknown("a number as the machine's language writes it", place)


@method(NUMBER, "valueOf")
def _value_of(machine: Machine, this: int | float, arguments: list[Value], place: Place) -> Value:
    return this


def parse_int(this: Value, arguments: list[Value], place: Place) -> Value:
    text = to_text(first(arguments)).strip()
    base = to_integer(argument(arguments, 1))
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("+-") if text[:1] in ("+", "-") else text
    if base in (0, 16) and text[:2].lower() == "0x":
        base, text = 16, text[2:]
    base = base or 10
    if not 2 <= base <= 36:
        return math.nan
    digits = re.match(f"[{_DIGITS[:base]}]*", text.lower())
    found = digits[0] if digits else ""
    return number(sign * int(found[:300], base)) if found else math.nan


def parse_float(this: Value, arguments: list[Value], place: Place) -> Value:
    found = _FLOAT.match(to_text(first(arguments)).strip())
    return number(float(found[0].replace("Infinity", "inf"))) if found else math.nan


def _is(test: Callable[[float], bool], strict: bool) -> Callable[[Value, list[Value], Place], Value]:
    def run(this: Value, arguments: list[Value], place: Place) -> Value:
        value = first(arguments)
        if isinstance(value, Unknown):
            return value
        if strict and (isinstance(value, bool) or not isinstance(value, int | float)):
            return False
        return test(float(to_number(value)))

    return run


def number_class(machine: Machine) -> Native:
    """`Number`."""

    def convert(this: Value, arguments: list[Value], place: Place) -> Value:
        return to_number(arguments[0]) if arguments else 0

    members: dict[str, Value] = {
        "MAX_SAFE_INTEGER": 2**53 - 1,
        "MIN_SAFE_INTEGER": -(2**53 - 1),
        "MAX_VALUE": 1.7976931348623157e308,
        "MIN_VALUE": 5e-324,
        "EPSILON": 2.0**-52,
        "POSITIVE_INFINITY": math.inf,
        "NEGATIVE_INFINITY": -math.inf,
        "NaN": math.nan,
        "parseInt": Native("parseInt", parse_int),
        "parseFloat": Native("parseFloat", parse_float),
        "isInteger": Native("isInteger", _is(lambda value: value.is_integer(), True)),
        "isSafeInteger": Native("isSafeInteger", _is(lambda value: value.is_integer() and abs(value) < 2**53, True)),
        "isFinite": Native("isFinite", _is(math.isfinite, True)),
        "isNaN": Native("isNaN", _is(math.isnan, True)),
    }
    return Native("Number", convert, members)


def is_nan() -> Native:
    return Native("isNaN", _is(math.isnan, False))


def is_finite() -> Native:
    return Native("isFinite", _is(math.isfinite, False))


def _round(value: float) -> float:
    return math.floor(value + 0.5) if math.isfinite(value) else value


def _whole(compute: Callable[[float], float]) -> Callable[[float], float]:
    return lambda value: compute(value) if math.isfinite(value) else value


def math_library(machine: Machine) -> Library:
    """`Math`."""
    single: dict[str, Callable[[float], float]] = {
        "abs": abs,
        "floor": _whole(math.floor),
        "ceil": _whole(math.ceil),
        "trunc": _whole(math.trunc),
        "round": _round,
        "sqrt": lambda value: math.sqrt(value) if value >= 0 else math.nan,
        "cbrt": lambda value: math.copysign(abs(value) ** (1 / 3), value),
        "sign": lambda value: value if value == 0 or value != value else math.copysign(1, value),
        "log": lambda value: math.log(value) if value > 0 else -math.inf if value == 0 else math.nan,
        "log2": lambda value: math.log2(value) if value > 0 else -math.inf if value == 0 else math.nan,
        "log10": lambda value: math.log10(value) if value > 0 else -math.inf if value == 0 else math.nan,
        "exp": math.exp,
        "sin": math.sin,
        "cos": math.cos,
        "tan": math.tan,
        "atan": math.atan,
    }

    def one(compute: Callable[[float], float]) -> Callable[[Value, list[Value], Place], Value]:
        def run(this: Value, arguments: list[Value], place: Place) -> Value:
            try:
                return number(compute(to_number(first(arguments))))
            except (OverflowError, ValueError):
                return math.nan

        return run

    def extreme(pick: Callable[[list[int | float]], int | float], empty: float) -> Callable[..., Value]:
        def run(this: Value, arguments: list[Value], place: Place) -> Value:
            values = [to_number(argument) for argument in arguments]
            if any(value != value for value in values):
                return math.nan
            return pick(values) if values else empty

        return run

    def power(this: Value, arguments: list[Value], place: Place) -> Value:
        try:
            return number(math.pow(to_number(first(arguments)), to_number(argument(arguments, 1))))
        except (OverflowError, ValueError):
            return math.nan

    def random(this: Value, arguments: list[Value], place: Place) -> Value:
        return Unknown("a random number", place)

    members: dict[str, Value] = {name: Native(name, one(compute)) for name, compute in single.items()}
    members |= {
        "max": Native("max", extreme(max, -math.inf)),
        "min": Native("min", extreme(min, math.inf)),
        "pow": Native("pow", power),
        "random": Native("random", random),
        "PI": math.pi,
        "E": math.e,
    }
    return Library("Math", members)
