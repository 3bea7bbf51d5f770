"""What every PostgreSQL 18 brings along: keywords, types, functions, system relations.

The data in `builtins.txt` come from the embedded server (`tests/sql/generate_builtins.py`); they are read at first use.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple


class BuiltinFunction(NamedTuple):
    """One row of pg_proc; types as format_type spells them; `volatility` is i, s or v; `kind` is f, a, w or p."""

    arguments: tuple[str, ...]
    returns: str
    volatility: str
    kind: str


class Builtins(NamedTuple):
    """`types` maps pg_type.typname to format_type's spelling; `keywords` are those that need quotes as a name."""

    keywords: frozenset[str]
    types: dict[str, str]
    relations: frozenset[tuple[str, str]]
    functions: dict[str, tuple[BuiltinFunction, ...]]


@cache
def builtins() -> Builtins:
    """The table, read once in a process."""
    keywords: set[str] = set()
    types: dict[str, str] = {}
    relations: set[tuple[str, str]] = set()
    functions: dict[str, list[BuiltinFunction]] = {}
    text = files("remediate.sql").joinpath("builtins.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        section, name, *rest = line.split("\t")
        if section == "function":
            arguments = tuple(rest[0].split(",")) if rest[0] else ()
            functions.setdefault(name, []).append(BuiltinFunction(arguments, rest[1], rest[2], rest[3]))
        elif section == "keyword":
            keywords.add(name)
        elif section == "type":
            types[name] = rest[0]
        else:
            relations.add((name, rest[0]))
    return Builtins(
        frozenset(keywords),
        types,
        frozenset(relations),
        {name: tuple(overloads) for name, overloads in functions.items()},
    )
