"""What a question is asked against: the catalog as it stands, variables in scope, and how far answering may go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from remediate.evaluate.values import Unknown
from remediate.replay.catalog import Function, QName
from remediate.replay.questions.errors import NotUnderstood, Refused
from remediate.replay.questions.system import spelled_types, system_relations, system_types
from remediate.replay.questions.values import Oid, Value
from remediate.replay.reading import CatalogReader
from remediate.sql.quote import quote_identifier

_STEPS = 2_000_000


class Variables(Protocol):
    """The names that a PL/pgSQL block adds to an expression."""

    def lookup(self, name: str) -> tuple[str, Value] | None:
        """The type and value of a variable, or None where there is none of that name."""
        ...

    def lookup_qualified(self, first: str, name: str) -> tuple[str, Value] | None:
        """`record.field` or `label.variable`."""
        ...

    def parameter(self, number: int) -> tuple[str, Value] | None:
        """`$1`."""
        ...


Caller = Callable[[Function, tuple[Value, ...], tuple[str, ...]], Value]
"""Runs a user-defined function with arguments and their types, effects included."""


@dataclass(slots=True)
class Session:
    """One question's surroundings. `tables_are_empty` answers for a fresh database, where no table has rows."""

    reader: CatalogReader
    variables: Variables | None = None
    call: Caller | None = None
    assign: Callable[[str, str, bool], None] | None = None
    """What `set_config` does with a name, a value and whether it is local; None where nothing may change."""
    tables_are_empty: bool = False
    steps: int = _STEPS
    assumptions: list[str] = field(default_factory=list)
    memo: dict[str, object] = field(default_factory=dict)

    def step(self, count: int = 1) -> None:
        self.steps -= count
        if self.steps < 0:
            raise NotUnderstood("the question is too large to answer")

    # -- names ---------------------------------------------------------------------------------------------------

    def find_relation(self, name: str, schema: str | None) -> QName | None:
        """A relation by name, the system's own included; pg_catalog is looked in first, as PostgreSQL does."""
        if schema is None and (system := QName("pg_catalog", name)) in system_relations():
            return system
        if schema is not None and (system := QName(schema, name)) in system_relations():
            return system
        found = self.reader.find_relation(name, schema)
        return found[0] if found else None

    def find_type(self, spelled: str) -> QName | None:
        """The type that a spelling such as `integer`, `varchar(20)`, `public.mood` or `text[]` names."""
        text = spelled.strip()
        array = text.endswith("[]")
        while text.endswith("[]"):
            text = text[:-2].strip()
        found = self._find_scalar_type(_without_modifier(text))
        if found is None:
            return None
        return QName(found.schema, f"_{found.name}") if array else found

    def _find_scalar_type(self, text: str) -> QName | None:
        builtin = spelled_types().get(text.lower() if not text.startswith('"') else text)
        if builtin is not None:
            return QName("pg_catalog", builtin)
        parts = split_identifier(text)
        if parts is None or len(parts) > 2:
            return None
        schema, name = (parts[0], parts[1]) if len(parts) == 2 else (None, parts[0])
        if schema in (None, "pg_catalog") and QName("pg_catalog", name) in system_types():
            return QName("pg_catalog", name)
        if schema == "information_schema" and QName(schema, name) in system_types():
            return QName(schema, name)
        found = self.reader.find_type(name, schema)
        if found is None and name.startswith("_"):
            base = self._find_scalar_type(quote_identifier(name[1:]) if schema is None else f"{schema}.{name[1:]}")
            return QName(base.schema, name) if base else None
        return found

    def spell_type(self, name: QName) -> str:
        """As format_type spells it: built-in types by their SQL names, others qualified unless visible."""
        known = system_types().get(name)
        if known is not None and name.schema == "pg_catalog":
            return known.spelling
        if name.name.startswith("_") and self.reader.find_type(name.name, name.schema) is None:
            return self.spell_type(QName(name.schema, name.name[1:])) + "[]"
        visible = self.reader.find_type(name.name) == name
        return (
            quote_identifier(name.name) if visible else f"{quote_identifier(name.schema)}.{quote_identifier(name.name)}"
        )

    def spell_relation(self, name: QName) -> str:
        """As a regclass is written: qualified unless the search path finds it."""
        if self.find_relation(name.name, None) == name:
            return quote_identifier(name.name)
        return f"{quote_identifier(name.schema)}.{quote_identifier(name.name)}"

    def spell_oid(self, oid: Oid) -> str | Unknown:
        """What casting the oid's reg* type to text gives."""
        key = oid.key
        if oid.kind == "class" and isinstance(key, QName):
            return self.spell_relation(key)
        if oid.kind == "type" and isinstance(key, QName):
            return self.spell_type(key)
        if oid.kind in ("namespace", "role") and isinstance(key, str):
            return quote_identifier(key)
        if oid.kind == "proc" and isinstance(key, tuple) and isinstance(key[0], QName):
            return quote_identifier(key[0].name)
        return Unknown(f"{oid} has no name that is known here")

    def class_oid(self, text: str) -> Oid | None:
        """What `text::regclass` finds; None where no relation has that name. Raises `Refused` for a malformed name."""
        parts = split_identifier(text)
        if parts is None or not 1 <= len(parts) <= 3:
            raise Refused("42602", "invalid name syntax")
        found = self.find_relation(parts[-1], parts[-2] if len(parts) > 1 else None)
        return Oid("class", found) if found else None


def _without_modifier(text: str) -> str:
    # `numeric(10,2)` and `timestamp(3) with time zone`: what is in parentheses is a modifier, not part of the name.
    start = text.find("(")
    if start < 0 or text.startswith('"'):
        return text
    end = text.find(")", start)
    return " ".join((text[:start] + " " + text[end + 1 :]).split())


def split_identifier(text: str) -> list[str] | None:
    """The parts of a possibly qualified and quoted name, folded as PostgreSQL does; None if it is malformed."""
    parts: list[str] = []
    position, text = 0, text.strip()
    while True:
        if text[position : position + 1] == '"':
            end = position + 1
            name = ""
            while True:
                close = text.find('"', end)
                if close < 0:
                    return None
                name += text[end:close]
                if text[close + 1 : close + 2] != '"':
                    break
                name += '"'
                end = close + 2
            position = close + 1
        else:
            end = position
            while end < len(text) and (text[end].isalnum() or text[end] in "_$" or ord(text[end]) > 127):
                end += 1
            name = text[position:end].lower()
            if not name:
                return None
            position = end
        parts.append(name)
        if position == len(text):
            return parts
        if text[position] != ".":
            return None
        position += 1


Row = Mapping[str, Value]
"""One row of a system relation: the columns that are known; every other column is Unknown."""
