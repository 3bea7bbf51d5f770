"""Types of expressions, as far as implicit casts can be told from explicit ones by them; None is "not known".

PostgreSQL prints implicit casts back as if they had been written. Telling them apart takes the operand types, not the
whole of parse_oper.c and parse_func.c: an unknown type leaves a cast where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from remediate.sql.builtins import BuiltinFunction, builtins
from remediate.sql.lookup import MismatchError
from remediate.sql.types import INTEGERS, NUMBERS, TEXT_LIKE, base_type, is_text_like

COMPARISONS: Final = frozenset({"=", "<>", "<", ">", "<=", ">="})
_BOOLEAN: Final = COMPARISONS | {
    "~", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*", "@>", "<@", "&&", "?", "?|", "?&", "@@", "@?", "<<=",
    ">>=", "^@",
}  # fmt: skip
_PATTERNS: Final = frozenset({"~", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*"})
TEXT_RIGHT: Final = frozenset({"~", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*", "->", "->>", "?", "^@"})
"""Operators whose right side is text, whatever the left one is."""

_MOMENTS: Final = ("timestamp with time zone", "timestamp without time zone", "date")
_IMPLICIT_MOMENTS: Final = frozenset(
    {
        ("date", "timestamp without time zone"),
        ("date", "timestamp with time zone"),
        ("timestamp without time zone", "timestamp with time zone"),
        ("time without time zone", "time with time zone"),
        ("time without time zone", "interval"),
    }
)
_POLYMORPHIC: Final = ("anyelement", "anycompatible", "anynonarray", "anyenum", "anycompatiblenonarray")


def is_implicit(source: str, target: str) -> bool:
    """Whether pg_cast has an implicit cast between two types of one family (numbers, moments)."""
    source, target = base_type(source), base_type(target)
    if source in NUMBERS and target in NUMBERS:
        return NUMBERS.index(source) < NUMBERS.index(target)
    return (source, target) in _IMPLICIT_MOMENTS


_FAMILIES: Final = (
    frozenset(NUMBERS),
    frozenset(TEXT_LIKE),
    frozenset(_MOMENTS),
    *(frozenset({name}) for name in ("uuid", "boolean", "bytea", "jsonb", "interval", "json")),
)


_NO_OPERATORS: Final = frozenset({"trigger", "event_trigger", "void"})


def _family(name: str) -> frozenset[str] | None:
    return next((family for family in _FAMILIES if name in family), None)


def require_operator(operator: str, left: str | None, right: str | None) -> None:
    """42883 for a comparison or a pattern match that no operator takes, where both types are built-in ones."""
    if left is None or right is None or operator not in COMPARISONS | _PATTERNS:
        return
    mine, theirs = _family(base_type(left)), _family(base_type(right))
    if left in _NO_OPERATORS or right in _NO_OPERATORS:
        raise MismatchError("42883", f"operator does not exist: {base_type(left)} {operator} {base_type(right)}")
    if mine is None or theirs is None:
        return
    fits = mine is theirs and "json" not in mine
    if operator in _PATTERNS:
        fits = is_text_like(left) and is_text_like(right)
    if not fits:
        raise MismatchError("42883", f"operator does not exist: {base_type(left)} {operator} {base_type(right)}")


_NO_BOOLEAN: Final = frozenset(
    {*NUMBERS, *TEXT_LIKE, *_MOMENTS, "uuid", "interval", "json", "jsonb", "bytea", "time without time zone"}
)


def require_boolean(type_name: str | None, place: str) -> None:
    """42804 (coerce_to_boolean), where the type is known for certain and no cast leads from it."""
    kind = base_type(type_name) if type_name else None
    if kind in _NO_BOOLEAN or (kind or "").endswith("[]"):
        raise MismatchError("42804", f"argument of {place} must be type boolean, not type {kind}")


def operator_type(operator: str, left: str | None, right: str | None) -> str | None:
    """The type that `left operator right` has; `left` None and `right` known for a prefix operator too."""
    if operator in _BOOLEAN:
        return "boolean"
    if operator in ("->>", "#>>"):
        return "text"
    left, right = left and base_type(left), right and base_type(right)
    if operator == "||":
        if is_text_like(left) or is_text_like(right):
            return "text"
        return left or right
    if operator in ("->", "#>", "#-", "&", "|", "#", "<<", ">>") or (operator == "-" and left in ("jsonb", "hstore")):
        return left
    if operator == "-" and left == "jsonb":
        return left
    if operator in ("+", "-", "*", "/", "%", "^"):
        return _arithmetic(operator, left, right)
    return None


def _arithmetic(operator: str, left: str | None, right: str | None) -> str | None:
    if left is None or right is None:
        known = left or right
        return known if known in NUMBERS and known not in INTEGERS else None
    if left in NUMBERS and right in NUMBERS:
        if operator == "^":
            return "numeric" if "numeric" in (left, right) else "double precision"
        wider = max(left, right, key=NUMBERS.index)
        return "double precision" if wider == "real" and left != right else wider
    if left in _MOMENTS:
        if right == "interval":
            return "timestamp without time zone" if left == "date" else left
        if right in _MOMENTS and operator == "-":
            return "integer" if left == right == "date" else "interval"
        if right in INTEGERS and left == "date":
            return "date"
        return None
    if left == "interval":
        return right if right in _MOMENTS else "interval"
    return "interval" if right == "interval" else None


def candidates(name: str, arguments: Sequence[str | None]) -> list[BuiltinFunction]:
    """The built-in functions of that name that these arguments may be meant for, best matches only.

    Exact matches count; of those with equally many, all are given (their answers may still agree).
    """
    best: list[BuiltinFunction] = []
    most = -1
    for function in builtins().functions.get(name, ()):
        if len(function.arguments) != len(arguments):
            continue
        score = 0
        for given, wanted in zip(arguments, function.arguments, strict=True):
            if given is None:
                score += 1 if wanted == "text" else 0
            elif base_type(given) == wanted or (wanted == "text" and is_text_like(given)):
                score += 3
            elif wanted in ("anyarray", "anycompatiblearray"):
                score += 1 if given.endswith("[]") else -100
            elif wanted.startswith(("any", '"any"')) or is_implicit(given, wanted):
                score += -100 if wanted == "anynonarray" and given.endswith("[]") else 1
            else:
                score -= 100
        if score > most or not best:
            best, most = [function], score
        elif score == most:
            best.append(function)
    return best


def result_type(functions: Sequence[BuiltinFunction], arguments: Sequence[str | None]) -> str | None:
    """The return type on which all candidates agree, polymorphic ones resolved by their first argument."""
    results = {function.returns.removeprefix("setof ") for function in functions}
    if len(results) != 1:
        return None
    result = results.pop()
    if not result.startswith("any"):
        return result
    wanted = functions[0].arguments
    for given, declared in zip(arguments, wanted, strict=True):
        if given is None:
            continue
        given = base_type(given)
        if declared == result:
            return given
        if declared in ("anyarray", "anycompatiblearray") and result in _POLYMORPHIC and given.endswith("[]"):
            return given[:-2]
        if declared in _POLYMORPHIC and result in ("anyarray", "anycompatiblearray"):
            return given + "[]"
    return None
