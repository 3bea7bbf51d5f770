"""Operators: what the parser calls A_Expr, as the operators that PostgreSQL makes of IN, LIKE and BETWEEN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from remediate.sql.columns import belongs_here
from remediate.sql.context import Context
from remediate.sql.inference import COMPARISONS, TEXT_RIGHT, is_implicit, operator_type, require_operator
from remediate.sql.parse import Node
from remediate.sql.piece import (
    ADD,
    AND,
    ATOM,
    CAST,
    COMPARE,
    IS,
    MINUS,
    MULTIPLY,
    NOT,
    OPERATOR,
    OR,
    POWER,
    Piece,
    array_piece,
    as_type,
    number_piece,
)  # fmt: skip
from remediate.sql.quote import quote_identifier
from remediate.sql.types import INTEGERS, NUMBERS, base_type, element_type, is_text_like

_OP, _ANY, _ALL, _DISTINCT, _NOT_DISTINCT, _NULLIF, _IN, _LIKE, _ILIKE, _SIMILAR = range(1, 11)
_BETWEEN, _NOT_BETWEEN, _BETWEEN_SYMMETRIC, _NOT_BETWEEN_SYMMETRIC = range(11, 15)

_PRECEDENCE: Final = {
    **dict.fromkeys(COMPARISONS, COMPARE),
    "+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY, "%": MULTIPLY, "^": POWER,
}  # fmt: skip


def spell_operator(node: Node, context: Context) -> Piece:
    """Any A_Expr."""
    kind = node.kind
    if kind == _NULLIF:
        left = context.spell(node.lexpr, context)
        right = plain(context.spell(node.rexpr, context), left.type)
        return Piece(f"NULLIF({left.text}, {right.text})", ATOM, left.type or "text")
    if kind == _IN:
        return _in(node, context)
    if kind >= _BETWEEN:
        return _between(node, context)
    operator = _operator_name(node)
    if not node.HasField("lexpr"):
        return prefix(operator, context.spell(node.rexpr, context))
    if kind == _OP and operator in ("=", "<>") and _are_rows(node):
        return _row_comparison(operator, node, context)
    left = context.spell(node.lexpr, context)
    right = context.spell(node.rexpr, context)
    if kind in (_DISTINCT, _NOT_DISTINCT):
        left, right = _balance("=", left, right)
        text = f"{left.within(IS + 1)} IS DISTINCT FROM {right.within(IS + 1)}"
        return Piece(text, IS, "boolean") if kind == _DISTINCT else Piece(f"NOT {text}", NOT, "boolean")
    if kind in (_ANY, _ALL):
        return _array_comparison(operator, "ANY" if kind == _ANY else "ALL", left, right)
    return binary(operator, left, right)


def _are_rows(node: Node) -> bool:
    sides = (node.lexpr, node.rexpr)
    return all(side.WhichOneof("node") == "row_expr" for side in sides)


def _row_comparison(operator: str, node: Node, context: Context) -> Piece:
    """make_row_comparison_op: column by column."""
    pairs = zip(node.lexpr.row_expr.args, node.rexpr.row_expr.args, strict=False)
    parts = [binary(operator, context.spell(mine, context), context.spell(theirs, context)) for mine, theirs in pairs]
    word, precedence = ("AND", AND) if operator == "=" else ("OR", OR)
    return Piece(f" {word} ".join(part.text for part in parts), precedence, "boolean")


def _operator_name(node: Node) -> str:
    name: str = node.name[-1].string.sval
    if len(node.name) > 1 and node.name[0].string.sval not in ("pg_catalog", "public"):
        return f"OPERATOR({quote_identifier(node.name[0].string.sval)}.{name})"
    return name


def prefix(operator: str, operand: Piece) -> Piece:
    if operator in ("-", "+"):
        return Piece(f"{operator}{operand.within(MINUS + 1)}", MINUS, operand.type)
    return Piece(f"{operator} {operand.within(OPERATOR + 1)}", OPERATOR, operand.type)


def binary(operator: str, left: Piece, right: Piece) -> Piece:
    """`left operator right` with its operands in each other's light."""
    left, right = _balance(operator, left, right)
    require_operator(operator, left.type, right.type)
    precedence = _PRECEDENCE.get(operator, OPERATOR)
    # Comparisons do not associate; all others to the left.
    lower = precedence + 1 if precedence == COMPARE else precedence
    text = f"{left.within(lower)} {operator} {right.within(precedence + 1)}"
    return Piece(text, precedence, operator_type(operator, left.type, right.type))


def _balance(operator: str, left: Piece, right: Piece) -> tuple[Piece, Piece]:
    """Constants take the other side's type, and casts that PostgreSQL put in to make the sides agree go."""
    if operator in TEXT_RIGHT:
        right = as_type(right, "text")
        left = as_type(left, "text") if operator not in ("->", "->>", "?") else left
    elif operator in ("#>", "#>>", "?|", "?&", "#-"):
        right = as_type(right, "text[]")
    elif operator == "-" and left.type in ("jsonb", "hstore"):
        right = as_type(right, "text[]" if right.kind == "array" else "text")
    elif operator in ("@@", "@?") and left.type in ("jsonb", "tsvector"):
        right = as_type(right, "jsonpath" if left.type == "jsonb" else "tsquery")
    elif operator in ("+", "-") and left.type and base_type(left.type).startswith(("timestamp", "date")):
        right = as_type(right, "interval") if operator == "+" else plain(right, left.type)
    elif operator == "-" and left.type == "jsonb" and right.kind == "literal":
        # Of `jsonb - text`, `- text[]` and `- integer`, a constant of no type means the preferred one.
        right = as_type(right, "text")
    elif operator == "||":
        left, right = as_type(left, _joined(right)), as_type(right, _joined(left))
    else:
        left, right = _agree(operator in ("/", "%"), _typed(left, right.type), _typed(right, left.type))
    return left, right


def _agree(division: bool, left: Piece, right: Piece) -> tuple[Piece, Piece]:
    """`a::numeric / b` of two integers is printed with a cast on both sides, wherever the source had its one.

    So one cast stays, on the left, where both sides needed one; none where the other side is of that type by itself.
    """
    inner = _widened(right)
    wanted = right.type
    if inner is not None and wanted is not None:
        if left.kind == "number":
            if left.type and is_implicit(left.type, wanted):
                left = number_piece(left.text, wanted, f"{left.within(CAST)}::{wanted}")
            right = inner
        elif left.type is not None and base_type(left.type) == base_type(wanted):
            right = inner
        elif left.type is not None and _is_number(wanted) and is_implicit(left.type, wanted):
            left, right = _cast_to(left, wanted), inner
    elif (inner := _widened(left)) is not None and left.type is not None:
        if right.kind == "number":
            left = left if division else inner
        elif right.type is not None and base_type(right.type) == base_type(left.type or ""):
            left = inner
    elif division and right.kind == "number" and right.value != right.text and right.type and left.type in INTEGERS:
        left = _cast_to(left, right.type)
    if division and left.kind == "number" and left.value != left.text and _is_integer(right):
        # The quotient of two integers is another one: here the cast of a constant counts.
        left = left._replace(text=left.value, precedence=CAST)
    return left, right


def _cast_to(piece: Piece, wanted: str) -> Piece:
    return Piece(f"{piece.within(CAST)}::{wanted}", CAST, wanted, "cast", inner=(piece,))


def _widened(piece: Piece) -> Piece | None:
    """What stands under a cast that PostgreSQL may have put in by itself."""
    if piece.kind != "cast" or piece.type is None:
        return None
    inner = piece.inner[0]
    return inner if inner.type and is_implicit(inner.type, piece.type) else None


def _is_number(name: str) -> bool:
    return base_type(name) in NUMBERS


def _typed(piece: Piece, other: str | None) -> Piece:
    return as_type(piece, base_type(other)) if other else piece


def _joined(other: Piece) -> str | None:
    return other.type if other.type and (other.type in ("jsonb", "tsvector") or is_text_like(other.type)) else None


def _is_integer(piece: Piece) -> bool:
    return piece.type is None or base_type(piece.type) in INTEGERS


def plain(piece: Piece, other: str | None) -> Piece:
    """Without the cast that makes it what the other side is, where PostgreSQL would have made that itself."""
    if other is None:
        return piece
    piece = as_type(piece, base_type(other))
    if piece.kind == "cast" and piece.type and base_type(piece.type) == base_type(other):
        inner = piece.inner[0]
        if inner.type and is_implicit(inner.type, piece.type):
            return inner
    return piece


def _array_comparison(operator: str, word: str, left: Piece, right: Piece) -> Piece:
    if left.type and right.kind in ("literal", "array"):
        right = as_type(right, f"{base_type(left.type)}[]" if not is_text_like(left.type) else "text[]")
    element = element_type(right.type) if right.type else None
    left = as_type(left, element)
    require_operator(operator, left.type, element)
    return Piece(f"{left.within(COMPARE + 1)} {operator} {word} ({right.text})", COMPARE, "boolean")


def _in(node: Node, context: Context) -> Piece:
    """parse_expr.c transformAExprIn: constants become one array, what holds columns of this level stays apart."""
    negated = node.name[0].string.sval == "<>"
    operator, word = ("<>", "ALL") if negated else ("=", "ANY")
    left = context.spell(node.lexpr, context)
    pieces = [(context.spell(item, context), _holds_column(item, context)) for item in node.rexpr.list.items]
    constants = [piece for piece, own in pieces if not own]
    rest = [piece for piece, _ in pieces]
    parts = []
    if len(constants) > 1:
        for each in constants:
            require_operator(operator, left.type, each.type)
        typed = [plain(as_type(each, base_type(left.type) if left.type else None), left.type) for each in constants]
        array = array_piece(tuple(typed), None)
        parts.append(f"{left.within(COMPARE + 1)} {operator} {word} ({array.text})")
        rest = [piece for piece, own in pieces if own]
    parts += [binary(operator, left, piece).text for piece in rest]
    if len(parts) == 1:
        return Piece(parts[0], COMPARE, "boolean")
    return Piece((" AND " if negated else " OR ").join(parts), AND if negated else OR, "boolean")


def _holds_column(item: Node, context: Context) -> bool:
    """contain_vars_of_level: whether a column of the innermost query stands in it. One of a query around is as good
    as a constant here."""
    waiting: list[tuple[Any, bool]] = [(item, False)]
    while waiting:
        current, below = waiting.pop()
        kind = type(current).__name__
        if kind == "ColumnRef":
            if belongs_here(current, context, unless_found=not below):
                return True
            continue
        for descriptor, value in current.ListFields():
            if descriptor.message_type is not None:
                parts = value if isinstance(value, Sequence) else [value]
                waiting += [(part, below or kind == "SubLink") for part in parts]
    return False


def _between(node: Node, context: Context) -> Piece:
    """transformAExprBetween."""
    value = context.spell(node.lexpr, context)
    low, high = (context.spell(item, context) for item in node.rexpr.list.items)
    inside = _joined_text("AND", binary(">=", value, low), binary("<=", value, high))
    outside = _joined_text("OR", binary("<", value, low), binary(">", value, high))
    if node.kind == _BETWEEN:
        return Piece(inside, AND, "boolean")
    if node.kind == _NOT_BETWEEN:
        return Piece(outside, OR, "boolean")
    if node.kind == _BETWEEN_SYMMETRIC:
        other = _joined_text("AND", binary(">=", value, high), binary("<=", value, low))
        return Piece(f"{inside} OR {other}", OR, "boolean")
    other = _joined_text("OR", binary("<", value, high), binary(">", value, low))
    return Piece(f"({outside}) AND ({other})", AND, "boolean")


def _joined_text(word: str, first: Piece, second: Piece) -> str:
    return f"{first.text} {word} {second.text}"
