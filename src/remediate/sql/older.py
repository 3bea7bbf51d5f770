"""Reads SQL of an older PostgreSQL with the parser's newer grammar: words that became keywords since are names.

`CREATE TABLE system_user (…)` is right on PostgreSQL 15 and a syntax error on 16. The version in production decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Final

from postgast import PgQueryError, scan

NEWEST: Final = 18
"""The version whose grammar the parser has."""

_KEYWORD_SINCE: Final = {
    "normalize": 13,
    "system_user": 16,
    "json_array": 16,
    "json_arrayagg": 16,
    "json_object": 16,
    "json_objectagg": 16,
    "json_exists": 17,
    "json_query": 17,
    "json_scalar": 17,
    "json_serialize": 17,
    "json_table": 17,
    "json_value": 17,
    "merge_action": 17,
}
"""kwlist.h: the words that are no longer a name everywhere (any category but UNRESERVED_KEYWORD)."""

_version: ContextVar[int] = ContextVar("postgres version", default=NEWEST)


@contextmanager
def grammar_of(version: int) -> Iterator[None]:
    """Within it, SQL is read as this major version of PostgreSQL reads it.

    A context and no parameter: whatever parses, at whatever depth, reads the SQL of one and the same server.
    """
    token = _version.set(version)
    try:
        yield
    finally:
        _version.reset(token)


@cache
def _newer_words(version: int) -> re.Pattern[str] | None:
    words = [word for word, since in _KEYWORD_SINCE.items() if since > version]
    return re.compile(rf"(?<![\w$])(?:{'|'.join(words)})(?![\w$])", re.IGNORECASE) if words else None


class Disguise:
    """The text with every such word replaced by a name of the same length, so that all offsets stay what they are.

    `everywhere` replaces it in strings too, for a text whose strings are code and whose tree is not looked at.
    """

    def __init__(self, text: str, *, everywhere: bool = False) -> None:
        self.names: dict[str, str] = {}
        self.text = text
        self._taken = text.lower()
        # Nearly no text has such a word, and looking for a few strings in turn is much faster than the pattern.
        taken = self._taken
        if "json_" not in taken and "system_user" not in taken and "normalize" not in taken and "merge_" not in taken:
            return
        words = _newer_words(_version.get())
        if words is None or not words.search(text):
            return
        if everywhere:
            self.text = words.sub(lambda match: self._stand_in(match[0].lower()), text)
            return
        data = text.encode()
        pieces, done = [], 0
        for start, end in _word_tokens(text):
            word = data[start:end].decode()
            if words.fullmatch(word):
                pieces += [data[done:start], self._stand_in(word.lower()).encode()]
                done = end
        self.text = b"".join([*pieces, data[done:]]).decode()

    def _stand_in(self, word: str) -> str:
        """`system_us00`, or with the first number that makes a name which the text has nowhere."""
        if word not in self.names:
            self.names[word] = next(
                name for number in range(36**2) if (name := word[:-2] + _two_digits(number)) not in self._taken
            )
        return self.names[word]

    def undo(self, text: str) -> str:
        """The names as they were, in a message."""
        for word, name in self.names.items():
            text = text.replace(name, word)
        return text

    def undo_bytes(self, data: bytes) -> bytes:
        """The same in a serialised tree, where each string stands behind its length, which does not change."""
        for word, name in self.names.items():
            data = data.replace(name.encode(), word.encode())
        return data


def _two_digits(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return digits[number // 36] + digits[number % 36]


def _word_tokens(text: str) -> list[tuple[int, int]]:
    """Spans in bytes; none where the text cannot be cut into tokens, which the parser will say."""
    try:
        return [(token.start, token.end) for token in scan(text).tokens]
    except (PgQueryError, ValueError):
        return []
