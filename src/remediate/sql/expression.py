"""Expressions, spelled as pg_get_expr does after normalisation (ruleutils.c get_rule_expr).

One canonical spelling, the same for a source text and for what PostgreSQL prints back of it: no redundant parentheses,
no casts that PostgreSQL put in by itself, BETWEEN, LIKE and IN as the operators that they are, columns qualified where
PostgreSQL qualifies them (inside of sub-selects). `sql/deparse.py` is the door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from remediate.sql import calls, columns, operators, select
from remediate.sql.context import Context
from remediate.sql.inference import require_boolean
from remediate.sql.literals import number
from remediate.sql.parse import Node
from remediate.sql.piece import (
    AND,
    ATOM,
    CAST,
    COLLATE,
    IS,
    NOT,
    NULL,
    OR,
    SUBSCRIPT,
    Piece,
    array_piece,
    as_type,
    number_piece,
)
from remediate.sql.quote import quote_identifier, quote_literal
from remediate.sql.types import NUMBERS, base_type, element_type, is_text_like, spell_type

_VALUE_FUNCTIONS: Final = {
    1: ("CURRENT_DATE", "date"),
    2: ("CURRENT_TIME", "time with time zone"),
    3: ("CURRENT_TIME", "time with time zone"),
    4: ("CURRENT_TIMESTAMP", "timestamp with time zone"),
    5: ("CURRENT_TIMESTAMP", "timestamp with time zone"),
    6: ("LOCALTIME", "time without time zone"),
    7: ("LOCALTIME", "time without time zone"),
    8: ("LOCALTIMESTAMP", "timestamp without time zone"),
    9: ("LOCALTIMESTAMP", "timestamp without time zone"),
    10: ("CURRENT_ROLE", "name"),
    11: ("CURRENT_USER", "name"),
    12: ("USER", "name"),
    13: ("SESSION_USER", "name"),
    14: ("CURRENT_CATALOG", "name"),
    15: ("CURRENT_SCHEMA", "name"),
}
_ZONED: Final = "timestamp with time zone"
_STABLE_CASTS: Final = frozenset(
    {(_ZONED, other) for other in ("date", "timestamp without time zone", "time without time zone", "text")}
    | {(other, _ZONED) for other in ("date", "timestamp without time zone", "text", "character varying")}
    | {("text", "timestamp without time zone"), ("text", "date"), ("date", "text"), ("text", "interval")}
)
"""Casts that look at the time zone or at DateStyle (pg_cast with a stable function, or through input and output)."""

_INT4: Final = 2**31
_INT8: Final = 2**63


def spell(node: Node, context: Context) -> Piece:
    """The spelling of one expression `Node`. Unknown kinds of node raise `context.Unspelled`."""
    kind = node.WhichOneof("node")
    handler = _HANDLERS.get(kind)
    if handler is None:
        raise context.unspelled(kind)
    return handler(getattr(node, kind), context)


def _constant(node: Node, context: Context) -> Piece:
    if node.isnull:
        return NULL
    kind = node.WhichOneof("val")
    if kind == "ival":
        return number_piece(str(node.ival.ival), "integer")
    if kind == "fval":
        text = number(node.fval.fval)
        if text is None:  # 0x10, 1_000
            text = str(int(node.fval.fval, 0))
        return number_piece(text, _number_type(text))
    if kind == "boolval":
        return Piece("true" if node.boolval.boolval else "false", ATOM, "boolean")
    if kind == "sval":
        return Piece(quote_literal(node.sval.sval), ATOM, None, "literal", node.sval.sval)
    bits = node.bsval.bsval
    return Piece(f"'{bits[1:]}'::\"bit\"" if bits.startswith("b") else f"x'{bits[1:]}'", CAST, "bit")


def _number_type(text: str) -> str:
    if "." in text:
        return "numeric"
    size = abs(int(text))
    return "integer" if size < _INT4 else "bigint" if size < _INT8 else "numeric"


def _cast(node: Node, context: Context) -> Piece:
    wanted = spell_type(node.type_name, context.lookup)
    inner = spell(node.arg, context)
    if inner.type and (base_type(inner.type), base_type(wanted)) in _STABLE_CASTS:
        context.mutable = True
    return cast(inner, wanted)


def cast(inner: Piece, wanted: str) -> Piece:
    """`inner::wanted`, or less where PostgreSQL has nothing to convert."""
    base = base_type(wanted)
    modified = base != wanted
    if inner.kind == "null":
        return inner._replace(type=wanted)
    if inner.kind == "literal":
        typed = as_type(inner, base)
        # A constant takes the length of its type in a second step, which prints as a second cast.
        return Piece(f"{typed.within(CAST)}::{wanted}", CAST, wanted) if modified and is_text_like(base) else typed
    if inner.kind == "number" and base in NUMBERS and not modified:
        value = inner.text if inner.type == base else f"{inner.within(CAST)}::{base}"
        return number_piece(inner.text, base, value)
    element = element_type(wanted)
    if inner.kind == "array" and element and not modified:
        return array_piece(tuple(cast(each, element) if each.kind in ("literal", "number", "null") else each
                                 for each in inner.inner), wanted)  # fmt: skip
    if element and inner.text == "ARRAY[]":
        return Piece(f"ARRAY[]::{wanted}", CAST, wanted)
    if inner.type == wanted:
        return inner
    if not modified and _same_text(inner.type, wanted):
        return inner._replace(type=wanted)
    return Piece(f"{inner.within(CAST)}::{wanted}", CAST, wanted, "cast", inner=(inner,))


def _same_text(source: str | None, target: str) -> bool:
    """Whether the cast only changes the label: text and character varying, and arrays of them."""
    if source is None:
        return False
    source, target = base_type(source).removesuffix("[]"), target.removesuffix("[]")
    labels = ("text", "character varying", "character")
    return source in labels and target in labels[:2]


def _boolean(node: Node, context: Context) -> Piece:
    if node.boolop == 3:  # NOT_EXPR
        operand = _condition(node.args[0], "NOT", context)
        return Piece(f"NOT {operand.within(NOT)}", NOT, "boolean")
    word, precedence = ("AND", AND) if node.boolop == 1 else ("OR", OR)
    parts = []
    for argument in node.args:
        piece = _condition(argument, word, context)
        # AND within AND is flattened by the text itself: both sides of the word bind equally.
        parts.append(piece.within(precedence))
    return Piece(f" {word} ".join(parts), precedence, "boolean")


def _condition(node: Node, place: str, context: Context) -> Piece:
    piece = as_type(spell(node, context), "boolean")
    require_boolean(piece.type, place)
    return piece


def _null_test(node: Node, context: Context) -> Piece:
    word = "IS NULL" if node.nulltesttype == 1 else "IS NOT NULL"
    return Piece(f"{spell(node.arg, context).within(IS + 1)} {word}", IS, "boolean")


_BOOLEAN_TESTS: Final = {
    1: "IS TRUE",
    2: "IS NOT TRUE",
    3: "IS FALSE",
    4: "IS NOT FALSE",
    5: "IS UNKNOWN",
    6: "IS NOT UNKNOWN",
}


def _boolean_test(node: Node, context: Context) -> Piece:
    return Piece(f"{spell(node.arg, context).within(IS + 1)} {_BOOLEAN_TESTS[node.booltesttype]}", IS, "boolean")


def _case(node: Node, context: Context) -> Piece:
    subject = spell(node.arg, context) if node.HasField("arg") else None
    branches = []
    for item in node.args:
        condition = as_type(spell(item.case_when.expr, context), subject.type if subject else "boolean")
        branches.append((condition, spell(item.case_when.result, context)))
    otherwise = spell(node.defresult, context) if node.HasField("defresult") else NULL
    # transformCaseExpr looks at ELSE first.
    common = common_type([otherwise, *(result for _, result in branches)])
    parts = ["CASE" + (f" {subject.text}" if subject else "")]
    parts += [f"WHEN {condition.text} THEN {as_type(result, common).text}" for condition, result in branches]
    if otherwise.kind != "null":
        parts.append(f"ELSE {as_type(otherwise, common).text}")
    return Piece(
        " ".join([*parts, "END"]), ATOM, _with_modifier([result for _, result in branches] + [otherwise], common)
    )


def common_type(pieces: Sequence[Piece]) -> str | None:
    """parse_coerce.c select_common_type, as far as it matters here: the first type that is known, widest number."""
    if len({piece.type for piece in pieces}) == 1 and pieces[0].type and pieces[0].kind not in ("literal", "null"):
        return pieces[0].type  # exprTypmod: a length that all agree on stays
    known = [base_type(piece.type) for piece in pieces if piece.type and piece.kind not in ("literal", "null")]
    if not known:
        return "text" if any(piece.kind == "literal" for piece in pieces) else None
    if all(name in NUMBERS for name in known):
        return max(known, key=NUMBERS.index)
    if all(is_text_like(name) for name in known):
        return known[0]
    return known[0]


def _with_modifier(pieces: Sequence[Piece], common: str | None) -> str | None:
    """The common type with the modifier that all of them have, as in varchar(255); a constant has none."""
    spelled = {piece.type if piece.kind not in ("literal", "null", "number") else None for piece in pieces}
    return spelled.pop() if len(spelled) == 1 and None not in spelled else common


def _coalesce(node: Node, context: Context) -> Piece:
    return _of_common_type("COALESCE", node.args, context)


def _min_max(node: Node, context: Context) -> Piece:
    return _of_common_type("GREATEST" if node.op == 1 else "LEAST", node.args, context)


def _of_common_type(name: str, arguments: Sequence[Node], context: Context) -> Piece:
    pieces = [spell(argument, context) for argument in arguments]
    common = common_type(pieces)
    return Piece(
        f"{name}({', '.join(operators.plain(piece, common).text for piece in pieces)})",
        ATOM,
        _with_modifier(pieces, common),
    )


def _value_function(node: Node, context: Context) -> Piece:
    text, type_name = _VALUE_FUNCTIONS[node.op]
    context.mutable = True
    if node.typmod >= 0:
        text = f"{text}({node.typmod})"
    return Piece(text, ATOM, type_name)


def _array(node: Node, context: Context) -> Piece:
    pieces = tuple(spell(element, context) for element in node.elements)
    common = common_type(pieces)
    if common is None or all(piece.kind == "literal" for piece in pieces):
        # Of no type yet: a cast, or what it is compared with, gives them one.
        return array_piece(pieces, f"{common}[]" if common else None)
    return array_piece(tuple(as_type(piece, common) for piece in pieces), f"{common}[]")


def _grouping(node: Node, context: Context) -> Piece:
    return Piece(f"GROUPING({', '.join(spell(argument, context).text for argument in node.args)})", ATOM, "integer")


def _row(node: Node, context: Context) -> Piece:
    return Piece(f"ROW({', '.join(spell(argument, context).text for argument in node.args)})", ATOM, "record")


def _collate(node: Node, context: Context) -> Piece:
    name = quote_identifier(node.collname[-1].string.sval)
    inner = spell(node.arg, context)
    return Piece(f"{inner.within(COLLATE)} COLLATE {name}", COLLATE, inner.type)


def _indirection(node: Node, context: Context) -> Piece:
    inner = spell(node.arg, context)
    simple = node.arg.WhichOneof("node") in ("column_ref", "param_ref")
    text = inner.text if simple else f"({inner.text})"
    for item in node.indirection:
        kind = item.WhichOneof("node")
        if kind == "a_indices":
            bounds = item.a_indices
            upper = spell(bounds.uidx, context).text if bounds.HasField("uidx") else ""
            if bounds.is_slice:
                lower = spell(bounds.lidx, context).text if bounds.HasField("lidx") else ""
                text += f"[{lower}:{upper}]"
            else:
                text += f"[{upper}]"
        elif kind == "string":
            text += f".{quote_identifier(item.string.sval)}"
        else:
            text += ".*"
    type_name = inner.type and (element_type(base_type(inner.type)) or (inner.type if inner.type == "jsonb" else None))
    return Piece(text, SUBSCRIPT, type_name)


def _parameter(node: Node, context: Context) -> Piece:
    return Piece(f"${node.number}")


def _default(node: Node, context: Context) -> Piece:
    return Piece("DEFAULT")


_HANDLERS: Final[Mapping[str, Callable[[Node, Context], Piece]]] = {
    "a_const": _constant,
    "type_cast": _cast,
    "bool_expr": _boolean,
    "null_test": _null_test,
    "boolean_test": _boolean_test,
    "case_expr": _case,
    "coalesce_expr": _coalesce,
    "min_max_expr": _min_max,
    "sqlvalue_function": _value_function,
    "a_array_expr": _array,
    "row_expr": _row,
    "grouping_func": _grouping,
    "collate_clause": _collate,
    "a_indirection": _indirection,
    "param_ref": _parameter,
    "set_to_default": _default,
    "a_expr": operators.spell_operator,
    "func_call": calls.spell_call,
    "column_ref": columns.spell_column,
    "sub_link": select.spell_sublink,
}
