"""Custom settings (`app.…`) that a piece of SQL or PL/pgSQL reads or writes.

Custom settings have a dot in their name; the server's own have none (guc.c valid_custom_variable_name).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from postgast import PgQueryError, scan

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)+\Z")


@dataclass(frozen=True, slots=True)
class FoundSetting:
    """`missing_ok`: current_setting's second argument is true. `local`: a write that ends with the transaction.

    `start` is the byte offset into the text that was searched.
    """

    name: str
    write: bool
    missing_ok: bool = False
    local: bool = False
    start: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `text` as it stands there, offsets in bytes."""

    text: str
    start: int
    end: int

    @property
    def string(self) -> str | None:
        """The value of a string constant (without escapes of E'…' being read)."""
        if self.text.startswith("'"):
            return self.text[1:-1].replace("''", "'")
        if self.text[:2] in ("E'", "e'"):
            return self.text[2:-1].replace("''", "'")
        if match := re.match(r"(\$[^$]*\$)(.*)\1\Z", self.text, re.DOTALL):
            return match[2]
        return None


def tokens(text: str) -> list[Token]:
    """The tokens of SQL or PL/pgSQL without comments; none where the text cannot even be scanned."""
    try:
        scanned = scan(text)
    except (PgQueryError, UnicodeEncodeError, ValueError):
        return []
    data = text.encode()
    found = [Token(data[each.start : each.end].decode("utf-8", "replace"), each.start, each.end)
             for each in scanned.tokens]  # fmt: skip
    return [token for token in found if not token.text.startswith(("--", "/*"))]


def find_settings(text: str, language: str = "sql") -> list[FoundSetting]:
    """Every read and write of a custom setting in an expression, a statement, or a function body.

    Strings are searched too where they are dynamic SQL (EXECUTE '…'). Names that are computed are not found.
    """
    return list(_find(tokens(text), 0))


def _find(found: list[Token], depth: int) -> Iterator[FoundSetting]:
    for at, token in enumerate(found):
        word = token.text.lower().strip('"')
        if word == "current_setting" and _next(found, at + 1) == "(":
            name = _string_argument(found, at + 2)
            if name is not None:
                yield FoundSetting(name, False, _has_true(found, at + 3), start=token.start)
        elif word == "set_config" and _next(found, at + 1) == "(":
            name = _string_argument(found, at + 2)
            if name is not None:
                yield FoundSetting(name, True, local=_last_argument(found, at + 1) == "true", start=token.start)
        elif word in ("set", "reset"):
            yield from _set(found, at)
        elif depth < 2 and (inner := token.string) and ("set" in inner.lower()) and " " in inner:
            yield from _find(tokens(inner), depth + 1)


def _set(found: list[Token], at: int) -> Iterator[FoundSetting]:
    """SET [LOCAL | SESSION] name = …"""
    position = at + 1
    local = _next(found, position) == "local"
    if _next(found, position) in ("local", "session"):
        position += 1
    parts = []
    while position < len(found) and re.match(r'[A-Za-z_"]', found[position].text):
        parts.append(found[position].text.strip('"'))
        if _next(found, position + 1) != ".":
            break
        position += 2
    if len(parts) > 1 and (_next(found, position + 1) in ("=", "to") or found[at].text.lower() == "reset"):
        yield FoundSetting(".".join(parts).lower(), True, local=local, start=found[at].start)


def _next(found: list[Token], at: int) -> str:
    return found[at].text.lower() if at < len(found) else ""


def _string_argument(found: list[Token], at: int) -> str | None:
    name = found[at].string if at < len(found) else None
    return name if name is not None and _NAME.match(name) else None


def _has_true(found: list[Token], at: int) -> bool:
    """Whether `, true` follows the name, past a cast."""
    while at < len(found) and found[at].text not in (",", ")"):
        at += 1
    return _next(found, at) == "," and _next(found, at + 1) in ("true", "'t'", "'true'")


def _last_argument(found: list[Token], at: int) -> str:
    depth = 0
    last = ""
    for token in found[at:]:
        if token.text == "(":
            depth += 1
        elif token.text == ")":
            depth -= 1
            if not depth:
                break
        elif depth == 1:
            last = "" if token.text == "," else last + token.text.lower()
    return last
