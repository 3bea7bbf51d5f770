"""Binary operators in expressions: which type their operands take, and what computes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from remediate.replay.questions.errors import NotUnderstood, Refused
from remediate.replay.questions.operators import (
    arithmetic,
    concatenate,
    contains,
    equal,
    json_part,
    like,
    matches,
    negate,
    order,
    overlaps,
)
from remediate.replay.questions.scope import Expression, Run
from remediate.replay.questions.values import NUMBER_TYPES, OID_TYPES, TEXT_TYPES, Value, is_array

if TYPE_CHECKING:
    from remediate.replay.questions.expressions import Compiler

_ORDERS: Final[dict[str, Callable[[int], bool]]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def combine(type_name: str, parts: Sequence[Expression], run: Run, name: str | None = None) -> Expression:
    uses = frozenset().union(*(part.uses for part in parts))
    return Expression(type_name, run, uses, any(part.outer for part in parts), name)


def unify(compiler: Compiler, left: Expression, right: Expression) -> tuple[Expression, Expression]:
    """Both operands of a comparison in a type that they share: an untyped constant takes the other one's type."""
    if left.type == right.type:
        return left, right
    for one, other, swap in ((left, right, False), (right, left, True)):
        if one.type == "unknown" and other.type != "unknown":
            # A constant beside an oid is read as a number, beside a regclass as a name.
            coerced = compiler.coerce(one, other.type)
            return (other, coerced) if swap else (coerced, other)
    if is_array(left.type) and is_array(right.type):
        return left, right
    if left.type in OID_TYPES and right.type in TEXT_TYPES and left.type != "oid":
        raise Refused("42883", f"operator does not exist: {left.type} = {right.type}")
    if right.type in OID_TYPES and left.type in TEXT_TYPES and right.type != "oid":
        raise Refused("42883", f"operator does not exist: {left.type} = {right.type}")
    return left, right


def compare(operator: str, left: Expression, right: Expression) -> Run:
    first, second = left.run, right.run
    if operator == "=":
        return lambda env: equal(first(env), second(env))
    if operator in ("<>", "!="):
        return lambda env: negate(equal(first(env), second(env)))
    decide = _ORDERS[operator]
    return lambda env: order(first(env), second(env), decide)


def _numeric_type(left: str, right: str, operator: str) -> str:
    types = {left, right}
    for name in ("float8", "numeric", "int8"):
        if name in types:
            return name
    return "int4" if "unknown" not in types or types & NUMBER_TYPES else "text"


def binary(compiler: Compiler, operator: str, left: Expression, right: Expression) -> Expression:
    parts = (left, right)
    if operator in ("=", "<>", "!=") or operator in _ORDERS:
        left, right = unify(compiler, left, right)
        return combine("bool", (left, right), compare(operator, left, right))
    first, second = left.run, right.run
    if operator == "||":
        types = [part.type for part in parts]
        if any(is_array(name) for name in types):
            left, right = _array_operands(compiler, left, right)
            first, second = left.run, right.run
            result = next(part.type for part in (left, right) if is_array(part.type))
        else:
            result = "text"
            if any(name in OID_TYPES and name != "oid" for name in types):
                left, right = (compiler.coerce(p, "text") if p.type in OID_TYPES else p for p in (left, right))
                first, second = left.run, right.run
        lt, rt = left.type, right.type
        return combine(result, parts, lambda env: concatenate(first(env), second(env), lt, rt))
    texts: dict[str, Callable[[Value, Value], Value]] = {
        "~~": lambda a, b: like(a, b, fold=False),
        "!~~": lambda a, b: negate(like(a, b, fold=False)),
        "~~*": lambda a, b: like(a, b, fold=True),
        "!~~*": lambda a, b: negate(like(a, b, fold=True)),
        "~": lambda a, b: matches(a, b, fold=False),
        "~*": lambda a, b: matches(a, b, fold=True),
        "!~": lambda a, b: negate(matches(a, b, fold=False)),
        "!~*": lambda a, b: negate(matches(a, b, fold=True)),
        "^@": lambda a, b: None if a is None or b is None else str(a).startswith(str(b)),
    }
    if operator in texts:
        apply = texts[operator]
        return combine("bool", parts, lambda env: apply(first(env), second(env)))
    if operator in ("@>", "<@", "&&"):
        left, right = unify(compiler, left, right)
        if not is_array(left.type):
            raise NotUnderstood(f"{operator} of {left.type}")
        first, second = (right.run, left.run) if operator == "<@" else (left.run, right.run)
        decide = overlaps if operator == "&&" else contains
        return combine("bool", parts, lambda env: decide(first(env), second(env)))
    if operator in ("+", "-", "*", "/", "%"):
        left, right = unify(compiler, left, right)
        result = _numeric_type(left.type, right.type, operator)
        first, second = left.run, right.run
        return combine(result, parts, lambda env: arithmetic(operator, first(env), second(env)))
    if operator in ("->", "->>") and left.type in ("json", "jsonb"):
        deeper = "text" if operator == "->>" else left.type
        right = compiler.coerce(right, "text") if right.type == "unknown" else right
        key = right.run
        return combine(deeper, parts, lambda env: json_part(first(env), key(env), as_text=operator == "->>"))
    raise NotUnderstood(f"the operator {operator}")


def _array_operands(compiler: Compiler, left: Expression, right: Expression) -> tuple[Expression, Expression]:
    if left.type == "unknown":
        return compiler.coerce(left, right.type), right
    if right.type == "unknown":
        # array || 'x': the constant is read as an array (as in PostgreSQL: malformed array literal).
        return left, compiler.coerce(right, left.type)
    return left, right
