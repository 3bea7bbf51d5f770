"""Values for columns of which only the type and the checks are known: plausible, distinct, the same on every run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from remediate.prove.shapes import ColumnShape

_SIZE = re.compile(r"\((\d+)")
_STRINGS = re.compile(r"'((?:[^']|'')*)'")
_NUMBERS = re.compile(r"(?<![\w.'])-?\d+(?:\.\d+)?(?![\w'])")
_INTEGERS = ("smallint", "integer", "bigint", "oid")
_NUMERIC = (*_INTEGERS, "numeric", "real", "double precision", "money")

FORMATS: Final = (
    "a1@example.com", "https://example.com/a1", "example.com", "a-1", "abc", "ABC", "USD", "US", "en", "en-US", "12345",
    "123", "#aabbcc", "0x" + "0" * 40, "a" * 32, "a" * 40, "a" * 64, "A" * 64, "1" * 44, "+15550000001", "10:00",
    "1.0.0", "2026-01-01", "00000000-0000-4000-8000-000000000001", "/a", "UTC", "sha256:" + "a" * 64,
)  # fmt: skip
"""Texts of the shapes that checks on text usually ask for: addresses, codes, slugs, hashes, telephone numbers."""


def value(column: ColumnShape, seed: int) -> str | None:
    """The text of a value for the column; another for each `seed`, as far as the type has so many. None: none known."""
    if column.labels:
        return column.labels[seed % len(column.labels)]
    name = column.type
    size = int(found.group(1)) if (found := _SIZE.search(name)) else None
    bare = name.partition("(")[0].strip()
    if name.endswith("[]"):
        return "{}"
    if bare.endswith("range"):
        return _range(bare, seed)
    if _is_text(bare):
        return f"{seed}{column.name}"[: size or (1 if bare in ("character", '"char"') else 60)]
    if bare in _INTEGERS or bare in ("real", "double precision", "money"):
        return str(seed + 1)
    if bare == "numeric":
        return _numeric(name, seed)
    if bare.startswith("bit"):
        width = size or (1 if bare == "bit" else 8)
        return format(seed % 2**width, "b").rjust(width, "0")
    if bare.startswith(("timestamp", "date")):
        return f"2026-01-{seed % 27 + 1:02d}" + ("" if bare == "date" else " 12:00:00")
    if bare.startswith("time"):
        return f"12:00:{seed % 60:02d}"
    if bare == "vector":
        return "[" + ",".join(["1"] * (size or 3)) + "]"
    return _PLAIN.get(bare, lambda _: None)(seed)


def _is_text(bare: str) -> bool:
    return bare in ("character varying", "character", "text", "citext", "name", '"char"', "bpchar", "public.citext")


def _numeric(name: str, seed: int) -> str:
    digits = re.search(r"\((\d+),(-?\d+)\)", name)
    whole = int(digits.group(1)) - int(digits.group(2)) if digits else 9
    if whole <= 0:
        return f"0.{(seed + 1) % 9 + 1}"
    return str(seed % (10**whole - 1) + 1)


def _range(bare: str, seed: int) -> str:
    if bare.startswith(("int", "num")):
        return f"[{seed * 10},{seed * 10 + 5})"
    if bare in ("daterange", "tsrange", "tstzrange"):
        return f"[2026-01-{seed % 27 + 1:02d},2026-01-{seed % 27 + 2:02d})"
    return "empty" if not bare.endswith("multirange") else "{}"


_PLAIN: Final = {
    "uuid": lambda seed: f"00000000-0000-4000-8000-{seed + 1:012x}",
    "boolean": lambda seed: "false" if seed % 2 else "true",
    "json": lambda seed: "{}",
    "jsonb": lambda seed: "{}",
    "inet": lambda seed: f"127.0.0.{seed % 250 + 1}",
    "cidr": lambda seed: f"10.0.{seed % 250}.0/24",
    "macaddr": lambda seed: f"08:00:2b:01:02:{seed % 256:02x}",
    "bytea": lambda seed: f"\\x{seed % 256:02x}",
    "interval": lambda seed: f"{seed + 1} days",
    "point": lambda seed: f"({seed},1)",
    "box": lambda seed: f"(({seed},1),({seed + 1},2))",
    "circle": lambda seed: f"<({seed},1),1>",
    "polygon": lambda seed: f"(({seed},1),({seed + 1},2),({seed},3))",
    "path": lambda seed: f"(({seed},1),({seed + 1},2))",
    "line": lambda seed: "{1,1,1}",
    "lseg": lambda seed: f"(({seed},1),({seed + 1},2))",
    "tsvector": lambda seed: f"a{seed}",
    "tsquery": lambda seed: f"a{seed}",
    "xml": lambda seed: f"<a{seed}/>",
    "hstore": lambda seed: f"a=>{seed}",
    "ltree": lambda seed: f"a{seed}",
    "pg_lsn": lambda seed: f"0/{seed:X}",
}


def candidates(column: ColumnShape, expressions: Iterable[str], seed: int, current: str | None) -> Iterator[str | None]:
    """What may satisfy `expressions`, likely ones first: what is there, what they name, what the type has, NULL.

    Every one can be cast to the type of the column, so that PostgreSQL can be asked about all of them at once.
    """
    seen: set[str | None] = set()
    for one in _likely(column, list(expressions), seed, current):
        if one not in seen and _fits(column, one):
            seen.add(one)
            yield one
    if not column.required and None not in seen:
        yield None


def _likely(column: ColumnShape, expressions: list[str], seed: int, current: str | None) -> Iterator[str]:
    if current is not None:
        yield current
    bare = column.type.partition("(")[0].strip()
    if column.labels:
        yield from column.labels
    elif column.type.endswith("[]"):
        strings = [text.replace("''", "'") for expression in expressions for text in _STRINGS.findall(expression)]
        yield from ("{" + _quoted(text) + "}" for text in strings)
        yield from ("{}", "{1}")
    elif bare in ("json", "jsonb"):
        yield from ("{}", "[]", '"a"', "1")
    elif bare in _NUMERIC:
        numbers = [float(text) for expression in expressions for text in _NUMBERS.findall(expression.replace("'", " "))]
        for number in numbers:
            for near in (number, number + 1, number - 1, number / 2):
                yield str(int(near)) if near == int(near) else str(near)
        yield from ("0", "1", "10", "100", "-1", "0.5")
    elif _is_text(bare):
        strings = [text.replace("''", "'") for expression in expressions for text in _STRINGS.findall(expression)]
        yield from strings
        yield from FORMATS
        sizes = {int(text) for expression in expressions for text in _NUMBERS.findall(expression)}
        yield from ("a" * size for size in sorted(sizes) if 0 <= size <= 2000)
        yield from ("1" * size for size in sorted(sizes) if 0 < size <= 2000)
        yield from ("a" * (size + 1) for size in sorted(sizes) if 0 <= size <= 2000)
    elif bare.startswith(("timestamp", "date")) and not bare.endswith("range"):
        yield from ("2026-01-01", "2026-06-01", "2020-01-01", "2035-01-01", "1990-01-01")
    elif bare.startswith("time"):
        yield from ("08:00:00", "12:00:00", "20:00:00")
    elif bare == "boolean":
        yield from ("true", "false")
    elif bare == "interval":
        yield from ("0", "1 day", "30 days")
    made = value(column, seed)
    if made is not None:
        yield made


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _fits(column: ColumnShape, text: str) -> bool:
    bare = column.type.partition("(")[0].strip()
    if _is_text(bare):
        size = _SIZE.search(column.type)
        return len(text) <= (int(size.group(1)) if size else 1 if bare in ("character", '"char"') else 10**6)
    if column.labels:
        return text in column.labels
    if bare in _INTEGERS:
        limit = 2**15 if bare == "smallint" else 2**31 if bare == "integer" else 2**62
        return re.fullmatch(r"-?\d+", text) is not None and -limit < int(text) < limit
    if bare == "numeric" and (digits := re.search(r"\((\d+),(-?\d+)\)", column.type)):
        return bool(abs(float(text)) < 10 ** (int(digits.group(1)) - int(digits.group(2))))
    return True


def literals(text: str) -> list[str]:
    """The constants in the bound of a partition, as text."""
    strings = [one.replace("''", "'") for one in _STRINGS.findall(text)]
    return strings or _NUMBERS.findall(text)
