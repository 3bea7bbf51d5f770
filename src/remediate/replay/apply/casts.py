"""Which types a column takes: assignment casts (pg_cast, parse_coerce.c)."""

from __future__ import annotations

from typing import Final

from remediate.replay.apply.base import Applying
from remediate.replay.catalog import Column, Table
from remediate.replay.refused import Refused
from remediate.sql.types import NUMBERS, TEXT_LIKE, base_type, is_text_like

_MOMENTS = ("date", "timestamp without time zone", "timestamp with time zone")
_BY_ASSIGNMENT = (
    NUMBERS, tuple(TEXT_LIKE), _MOMENTS, ("json", "jsonb"), ("inet", "cidr"),
    ("time without time zone", "time with time zone", "interval"),
)  # fmt: skip


def casts_by_assignment(source: str, target: str) -> bool:
    """Whether pg_cast has an assignment cast, or both are one type; anything goes to text (parse_coerce.c)."""
    source, target = base_type(source), base_type(target)
    if source == target or is_text_like(target):
        return True
    if source.endswith("[]") and target.endswith("[]"):
        return casts_by_assignment(source[:-2], target[:-2])
    if source in _MOMENTS and target == "time without time zone":
        return source != "date"
    return any(source in family and target in family for family in _BY_ASSIGNMENT)


_KNOWN: Final = frozenset(
    {"smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "text", "uuid", "jsonb", "date"}
    | {"timestamp with time zone", "timestamp without time zone", "character varying"}
)
"""Types whose casts are all known here."""


def certainly_no_cast(source: str, target: str) -> bool:
    """Whether there is no assignment cast, between types of which all casts are known here."""
    source, target = base_type(source), base_type(target)
    return source in _KNOWN and target in _KNOWN and not casts_by_assignment(source, target)


def require_label(text: str, kind: str, at: Applying) -> None:
    """22P02 (enum_in), where the type is an enum that does not have the label."""
    made = next((one for one in at.builder.types.values() if one.kind == "enum" and one.name.name == kind), None)
    if made is not None and made.labels and text not in made.labels:
        raise Refused("22P02", f'invalid input value for enum {kind}: "{text}"')


def require_assignable(given: str, column: Column, table: Table, what: str = "expression") -> None:
    """42804, where the casts of both types are known."""
    if certainly_no_cast(given, column.type):
        kinds = base_type(column.type), base_type(given)
        message = f'column "{column.name}" is of type {kinds[0]} but {what} is of type {kinds[1]}'
        raise Refused("42804", message, subjects=[table.name])
