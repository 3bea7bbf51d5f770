"""Operators over values that may be NULL or unknown: SQL's three-valued logic with a fourth value, `Unknown`.

An unknown operand makes the result unknown, except where the other operand decides (`false AND x`, `true OR x`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Final

from remediate.evaluate.values import Unknown
from remediate.replay.questions.errors import NotUnderstood, Refused
from remediate.replay.questions.values import Deparsed, Json, Oid, Placeholder, Record, Value, to_text

LONGEST: Final = 1_000_000
"""Characters of a text that are still computed with."""

_SPELLING = "depends on how the server spells an expression"


def both(values: Iterable[Value]) -> Value:
    """AND."""
    result: Value = True
    for value in values:
        if value is False:
            return False
        if isinstance(value, Unknown):
            if not isinstance(result, Unknown):
                result = value
        elif value is None and result is True:
            result = None
    return result


def either(values: Iterable[Value]) -> Value:
    """OR."""
    result: Value = False
    for value in values:
        if value is True:
            return True
        if isinstance(value, Unknown):
            if not isinstance(result, Unknown):
                result = value
        elif value is None and result is False:
            result = None
    return result


def negate(value: Value) -> Value:
    """NOT."""
    return value if value is None or isinstance(value, Unknown) else not value


def equal(left: Value, right: Value) -> Value:
    if isinstance(left, Unknown):
        return left
    if isinstance(right, Unknown):
        return right
    if left is None or right is None:
        return None
    if isinstance(left, Oid) or isinstance(right, Oid):
        return _equal_oids(left, right)
    if isinstance(left, list) and isinstance(right, list):
        return _equal_all(left, right)
    if isinstance(left, Record) and isinstance(right, Record):
        return _equal_all(left.values, right.values)
    if isinstance(left, Json) or isinstance(right, Json):
        return isinstance(left, Json) and isinstance(right, Json) and left.value == right.value
    same = bool(left == right)
    if not same and (isinstance(left, Deparsed) or isinstance(right, Deparsed)):
        return Unknown(_SPELLING)
    if same and isinstance(left, Placeholder) and isinstance(right, Placeholder):
        return True
    return same


def _equal_oids(left: Value, right: Value) -> Value:
    if isinstance(left, Oid) and isinstance(right, Oid):
        return left == right
    number = right if isinstance(left, Oid) else left
    # 0 is InvalidOid, which no object has.
    return False if number == 0 else Unknown("compares an object's identity with a number")


def _equal_all(left: Iterable[Value], right: Iterable[Value]) -> Value:
    left, right = list(left), list(right)
    if len(left) != len(right):
        return False
    return both(
        a is None and b is None if a is None or b is None else equal(a, b) for a, b in zip(left, right, strict=True)
    )


def distinct(left: Value, right: Value) -> Value:
    """IS DISTINCT FROM."""
    if left is None and right is None:
        return False
    if left is None or right is None:
        other = right if left is None else left
        return other if isinstance(other, Unknown) else True
    return negate(equal(left, right))


def order(left: Value, right: Value, decide: Callable[[int], bool]) -> Value:
    """<, <=, >, >= by what `decide` makes of -1, 0, 1."""
    if isinstance(left, Unknown):
        return left
    if isinstance(right, Unknown):
        return right
    if left is None or right is None:
        return None
    if isinstance(left, Oid | Deparsed | Placeholder | Json) or isinstance(right, Oid | Deparsed | Placeholder | Json):
        if isinstance(left, Oid) and right == 0:
            return decide(1)
        return Unknown("compares what only the server knows")
    if isinstance(left, Record) and isinstance(right, Record):
        left, right = list(left.values), list(right.values)
    try:
        return decide(-1 if left < right else 1 if left > right else 0)
    except TypeError:
        return Unknown("compares values that have no order here")


def arithmetic(operator: str, left: Value, right: Value) -> Value:
    for value in (left, right):
        if isinstance(value, Unknown):
            return value
    if left is None or right is None:
        return None
    if isinstance(left, Oid | str | Json) or isinstance(right, Oid | str | Json):
        return Unknown(f"computes {operator} with values that are not numbers here")
    if isinstance(left, Decimal) and isinstance(right, float):
        left = float(left)
    if isinstance(right, Decimal) and isinstance(left, float):
        right = float(right)
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right if abs(left) < 10**30 and abs(right) < 10**30 else Unknown("a number that is too large")
    if right == 0 and operator in "/%":
        raise Refused("22012", "division by zero")
    if operator == "/":
        if isinstance(left, int) and isinstance(right, int):
            # Integer division truncates towards zero.
            return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return left / right
    if operator == "%" and isinstance(left, int) and isinstance(right, int):
        return abs(left) % abs(right) * (1 if left >= 0 else -1)
    raise NotUnderstood(f"the operator {operator}")


def concatenate(left: Value, right: Value, left_type: str, right_type: str) -> Value:
    """|| of texts and of arrays."""
    for value in (left, right):
        if isinstance(value, Unknown):
            return value
    if isinstance(left, list) or isinstance(right, list) or left_type.endswith("[]") or right_type.endswith("[]"):
        if left is None or right is None:
            other = right if left is None else left
            if isinstance(other, list) and (left_type.endswith("[]") and right_type.endswith("[]")):
                return other
        left_items = left if isinstance(left, list) else [] if left_type.endswith("[]") else [left]
        right_items = right if isinstance(right, list) else [] if right_type.endswith("[]") else [right]
        if len(left_items) + len(right_items) > LONGEST:
            return Unknown("an array that is too long")
        return [*left_items, *right_items]
    if left is None or right is None:
        return None
    if isinstance(left, Json) or isinstance(right, Json):
        return Unknown("joins json values")
    first, second = text_of(left, left_type), text_of(right, right_type)
    if isinstance(first, Unknown):
        return first
    if isinstance(second, Unknown):
        return second
    if len(first) + len(second) > LONGEST:
        return Unknown("a text that is too long")
    return f"{first}{second}"


def json_part(value: Value, key: Value, *, as_text: bool) -> Value:
    """-> and ->>: a field of an object by its name, an element of an array by its number."""
    for item in (value, key):
        if isinstance(item, Unknown):
            return item
    if value is None or key is None:
        return None
    if not isinstance(value, Json):
        return Unknown("a part of a json value")
    whole = value.value
    fields = isinstance(whole, dict) and isinstance(key, str) and key in whole
    elements = isinstance(whole, list) and isinstance(key, int) and -len(whole) <= key < len(whole)
    if not fields and not elements:
        return None
    found = whole[key]
    if not as_text:
        return Json(found)
    if found is None or isinstance(found, str):
        return found
    return Unknown("how the server spells a json value") if isinstance(found, dict | list) else to_text(Json(found))


def text_of(value: Value, type_name: str) -> Value:
    """The value cast to text: booleans are `true` and `false`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return to_text(value, type_name)


def like(value: Value, pattern: Value, *, fold: bool) -> Value:
    """LIKE and ILIKE."""
    for item in (value, pattern):
        if isinstance(item, Unknown):
            return item
    if value is None or pattern is None:
        return None
    if not isinstance(value, str) or not isinstance(pattern, str):
        return Unknown("LIKE over a value that is no text here")
    return like_pattern(pattern, fold).fullmatch(value) is not None


@lru_cache(maxsize=256)
def like_pattern(pattern: str, fold: bool) -> re.Pattern[str]:
    parts: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            escaped = next(characters, None)
            if escaped is None:
                raise Refused("22025", "LIKE pattern must not end with escape character")
            parts.append(re.escape(escaped))
        elif character == "%":
            # Runs of % mean one; collapsing them keeps matching linear in practice.
            if not parts or parts[-1] != ".*":
                parts.append(".*")
        else:
            parts.append("." if character == "_" else re.escape(character))
    return re.compile("".join(parts), re.S | (re.I if fold else 0))


_NOT_POSIX: Final = re.compile(r"\(\?|\[[.:=]|\*\*|\\[ABbZ]")


@lru_cache(maxsize=256)
def regular_expression(pattern: str, fold: bool) -> re.Pattern[str]:
    """A POSIX advanced regular expression, where it means the same in Python. Raises `NotUnderstood` elsewhere."""
    if _NOT_POSIX.search(pattern) or len(pattern) > 500:
        raise NotUnderstood(f"the regular expression {pattern[:60]!r}")
    for source, target in ((r"\m", r"\b"), (r"\M", r"\b"), (r"\y", r"\b"), (r"\Y", r"\B")):
        pattern = pattern.replace(source, target)
    try:
        return re.compile(pattern, re.S | (re.I if fold else 0))
    except re.error as error:
        raise Refused("2201B", f"invalid regular expression: {error}") from error


def matches(value: Value, pattern: Value, *, fold: bool) -> Value:
    """~ and ~*."""
    for item in (value, pattern):
        if isinstance(item, Unknown):
            return item
    if value is None or pattern is None:
        return None
    if not isinstance(value, str) or not isinstance(pattern, str) or len(value) > 10_000:
        return Unknown("matches a value that is no short text here")
    if re.search(r"\([^)]*[*+][^)]*\)[*+]", pattern):
        return Unknown("a regular expression with nested repetition")
    return regular_expression(pattern, fold).search(value) is not None


def contains(left: Value, right: Value) -> Value:
    """@> of arrays."""
    for item in (left, right):
        if isinstance(item, Unknown):
            return item
    if left is None or right is None:
        return None
    if not isinstance(left, list) or not isinstance(right, list):
        return Unknown("@> over values that are no arrays here")
    return both(either(equal(item, other) for other in left) is True for item in right)


def overlaps(left: Value, right: Value) -> Value:
    """&& of arrays."""
    for item in (left, right):
        if isinstance(item, Unknown):
            return item
    if left is None or right is None:
        return None
    if not isinstance(left, list) or not isinstance(right, list):
        return Unknown("&& over values that are no arrays here")
    return either(equal(item, other) is True for item in left for other in right)
