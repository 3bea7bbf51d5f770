"""A spelled part of an expression, and what has to be known of it to put it into a larger one."""

from __future__ import annotations

import json
import re
from typing import Final, Literal, NamedTuple

from remediate.sql.literals import boolean, normal_literal, number
from remediate.sql.lookup import MismatchError
from remediate.sql.quote import quote_literal
from remediate.sql.types import NUMBERS, base_type, element_type, is_text_like

# gram.y, loosest first.
OR: Final = 1
AND: Final = 2
NOT: Final = 3
IS: Final = 4
COMPARE: Final = 5
IN: Final = 6
OPERATOR: Final = 7
ADD: Final = 8
MULTIPLY: Final = 9
POWER: Final = 10
AT: Final = 11
COLLATE: Final = 12
MINUS: Final = 13
SUBSCRIPT: Final = 14
CAST: Final = 15
ATOM: Final = 20

Kind = Literal["", "literal", "number", "null", "cast", "array"]


class Piece(NamedTuple):
    """`type` as format_type spells it, None when it is not known.

    `kind` "literal" is a string constant of no type yet (`value`), "number" a numeric constant (`value` is how it reads
    with the cast that it had), "cast" has the piece inside in `inner`, "array" its elements in `inner`.
    """

    text: str
    precedence: int = ATOM
    type: str | None = None
    kind: Kind = ""
    value: str = ""
    inner: tuple[Piece, ...] = ()

    def within(self, precedence: int) -> str:
        """The text, in parentheses where it binds less tightly than `precedence`."""
        return self.text if self.precedence >= precedence else f"({self.text})"


NULL: Final = Piece("NULL", kind="null")


def number_piece(text: str, type_name: str, value: str = "") -> Piece:
    precedence = MINUS if text.startswith("-") else ATOM
    return Piece(text, precedence, type_name, "number", value or text)


def array_piece(elements: tuple[Piece, ...], type_name: str | None) -> Piece:
    text = f"ARRAY[{', '.join(element.text for element in elements)}]"
    if not elements and type_name:
        return Piece(f"{text}::{type_name}", CAST, type_name)
    return Piece(text, ATOM, type_name, "array", inner=elements)


_UUID: Final = re.compile(r"\{?[0-9a-f]{4}(-?[0-9a-f]{4}){7}\}?\Z", re.IGNORECASE)


_MOMENTS: Final = ("date", "timestamp with time zone", "timestamp without time zone")
_MOMENT: Final = re.compile(r"\d|\b(?:now|today|tomorrow|yesterday|epoch|infinity)\b", re.IGNORECASE)
"""What every date holds: a digit, or a word of its own, with any signs around it, as in 'now()'."""


def _is_json(text: str) -> bool:
    def refuse(word: str) -> None:
        raise ValueError(word)

    try:
        json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _require_valid(value: str, wanted: str) -> None:
    """The input functions of the types that are met most."""
    if wanted in NUMBERS:
        valid = number(value) is not None or value.strip().lower() in ("nan", "infinity", "-infinity")
    elif wanted == "boolean":
        valid = boolean(value) is not None
    elif wanted == "uuid":
        valid = _UUID.match(value.strip()) is not None
    elif wanted in ("json", "jsonb"):
        if not _is_json(value):
            raise MismatchError("22P02", "invalid input syntax for type json")
        return
    elif wanted in _MOMENTS:
        if not _MOMENT.search(value):
            raise MismatchError("22007", f'invalid input syntax for type {wanted}: "{value}"')
        return
    else:
        return
    if not valid:
        raise MismatchError("22P02", f'invalid input syntax for type {wanted}: "{value}"')


def as_type(piece: Piece, wanted: str | None) -> Piece:
    """A constant as it reads where `wanted` is expected; everything else as it is.

    PostgreSQL turns a string constant into a Const of the type at once (coerce_type), and prints it with that type;
    text is what it would be anyway, so that stays off. Numbers and booleans print plain.
    """
    if wanted is None or wanted in ('"any"', "unknown", "record") or wanted.startswith("any"):
        return piece
    if piece.kind == "null":
        return piece._replace(type=wanted)
    if piece.kind == "number" and piece.value == piece.text and base_type(wanted) in NUMBERS:
        return piece._replace(type=wanted)
    if piece.kind == "array" and piece.type in (None, "text[]"):
        element = element_type(wanted)
        if element:
            return array_piece(tuple(as_type(each, element) for each in piece.inner), wanted)
    if piece.kind != "literal":
        return piece
    base = base_type(wanted)
    _require_valid(piece.value, base)
    if is_text_like(wanted):
        return piece._replace(type=wanted, kind="")
    if base in NUMBERS and (text := number(piece.value)) is not None:
        return number_piece(text, wanted)
    if base == "boolean" and (text := boolean(piece.value)) is not None:
        return Piece(text, ATOM, "boolean")
    text = piece.value
    if wanted == "regclass":
        text = text.removeprefix("public.")
    return Piece(f"{quote_literal(normal_literal(text, base))}::{base}", CAST, base)
