"""Names and literals that quote themselves, by PostgreSQL's rules; nobody else puts quotes into SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from remediate.sql.builtins import builtins

NAMEDATALEN = 64
"""PostgreSQL's pg_config_manual.h: an identifier has at most 63 bytes."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")


def quote_identifier(name: str) -> str:
    """As ruleutils.c quote_identifier: quotes unless lower-case, plain, and no keyword but an unreserved one."""
    if _PLAIN.match(name) and name not in builtins().keywords:
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_literal(value: str) -> str:
    """As quote_literal(): E'…' with doubled backslashes where there is a backslash, so that no setting matters."""
    quoted = value.replace("'", "''")
    if "\\" in quoted:
        return "E'" + quoted.replace("\\", "\\\\") + "'"
    return f"'{quoted}'"


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """One name, as stored (not quoted)."""

    name: str

    def sql(self) -> str:
        return quote_identifier(self.name)

    def __str__(self) -> str:
        return self.sql()


@dataclass(frozen=True, slots=True, order=True)
class QualifiedName:
    """A name with its schema; an empty schema leaves it unqualified."""

    schema: str
    name: str

    def sql(self) -> str:
        name = quote_identifier(self.name)
        return f"{quote_identifier(self.schema)}.{name}" if self.schema else name

    def __str__(self) -> str:
        return self.sql()


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: None, a boolean, a number or a string."""

    value: str | int | float | bool | None

    def sql(self) -> str:
        if self.value is None:
            return "NULL"
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, int | float):
            return repr(self.value)
        return quote_literal(self.value)

    def __str__(self) -> str:
        return self.sql()


def truncate_identifier(name: str, limit: int = NAMEDATALEN - 1) -> str:
    """Cut to 63 bytes without splitting a character, as truncate_identifier with pg_mbcliplen does."""
    encoded = name.encode("utf-8", "surrogatepass")
    return name if len(encoded) <= limit else encoded[:limit].decode("utf-8", "ignore")


def make_object_name(name1: str, name2: str | None, label: str | None) -> str:
    """indexcmds.c makeObjectName: `name1_name2_label`; where too long, the longer of the two names is cut first."""
    overhead = (len((name2 or "").encode()) > 0 or name2 is not None) + (len(label) + 1 if label else 0)
    available = NAMEDATALEN - 1 - overhead
    bytes1, bytes2 = len(name1.encode()), len(name2.encode()) if name2 is not None else 0
    while bytes1 + bytes2 > available:
        if bytes1 > bytes2:
            bytes1 -= 1
        else:
            bytes2 -= 1
    parts = [truncate_identifier(name1, bytes1)]
    if name2 is not None:
        parts.append(truncate_identifier(name2, bytes2))
    if label:
        parts.append(label)
    return "_".join(parts)


def choose_name(name1: str, name2: str | None, label: str, taken: Callable[[str], bool]) -> str:
    """ChooseRelationName and ChooseConstraintName: the made name, with 1, 2, … after the label until it is free."""
    candidate = label
    attempt = 0
    while True:
        name = make_object_name(name1, name2, candidate)
        if not taken(name):
            return name
        attempt += 1
        candidate = f"{label}{attempt}"


def index_name_addition(columns: Sequence[str]) -> str:
    """ChooseIndexNameAddition: the key columns joined by `_`; the column of an expression counts as "expr"."""
    text = ""
    for column in columns:
        text += ("_" if text else "") + column
        if len(text.encode()) >= NAMEDATALEN:
            break
    return truncate_identifier(text)
