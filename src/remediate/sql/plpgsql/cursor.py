"""A position in the tokens of a PL/pgSQL body, and the pieces of SQL between them."""

from __future__ import annotations

from collections.abc import Collection

from remediate.sql.parse import SqlSyntaxError
from remediate.sql.plpgsql.tree import Sql, Target
from remediate.sql.tokens import Token, tokens

_OPEN = frozenset("([")
_CLOSE = frozenset(")]")


class Cursor:
    """Reads the tokens of a body from the left. Words are compared in lower case; a quoted name is no keyword."""

    def __init__(self, body: str) -> None:
        self.body = body
        self.tokens: tuple[Token, ...] = tokens(body)
        self.position = 0

    @property
    def token(self) -> Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def word(self, ahead: int = 0) -> str:
        """The token as a keyword or symbol, "" at the end; a quoted identifier or a string is none."""
        index = self.position + ahead
        if index >= len(self.tokens):
            return ""
        token = self.tokens[index]
        if token.kind in ("SCONST", "USCONST") or token.text[:1] == '"':
            return "\0"
        return token.text.lower()

    def fail(self, message: str | None = None) -> SqlSyntaxError:
        token = self.token
        near = f'syntax error at or near "{token.text}"' if token else "syntax error at end of input"
        return SqlSyntaxError(message or near, len(self.body[: token.start].encode()) if token else None)

    @property
    def offset(self) -> int:
        token = self.token
        return token.start if token else len(self.body)

    def accept(self, *words: str) -> bool:
        """Steps over the words when they come next."""
        if all(self.word(number) == word for number, word in enumerate(words)):
            self.position += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise self.fail()

    def name(self) -> str:
        """One identifier, folded to lower case unless quoted."""
        token = self.token
        if token is None or not (token.text[0].isalpha() or token.text[0] in '_"' or ord(token.text[0]) > 127):
            raise self.fail()
        self.position += 1
        if token.text[0] == '"':
            return token.text[1:-1].replace('""', '"')
        return token.text.lower()

    def until(self, *stops: str) -> Sql:
        """The SQL up to a stop word outside of parentheses, which is not stepped over; it must not be empty."""
        start, end = self.position, self.skip_until(stops)
        if end == start:
            raise self.fail("missing expression" if self.word() not in ("", "\0") else None)
        return self.piece(start, end)

    def skip_until(self, stops: Collection[str]) -> int:
        """Moves to a stop word outside of parentheses; fails at the end and, unless it is a stop, at `;`."""
        depth = 0
        while True:
            word = self.word()
            if word == "":
                raise self.fail()
            if depth == 0 and word in stops:
                return self.position
            if word in _OPEN:
                depth += 1
            elif word in _CLOSE:
                depth -= 1
                if depth < 0:
                    raise self.fail("mismatched parentheses")
            elif word == ";" and depth == 0:
                raise self.fail()
            self.position += 1

    def piece(self, start: int, end: int) -> Sql:
        first, last = self.tokens[start], self.tokens[end - 1]
        return Sql(self.body[first.start : last.end], first.start)

    def list_until(self, *stops: str) -> tuple[Sql, ...]:
        """Expressions separated by commas, up to a stop word."""
        items = [self.until(",", *stops)]
        while self.accept(","):
            items.append(self.until(",", *stops))
        return tuple(items)

    def arguments(self) -> tuple[tuple[str | None, Sql], ...]:
        """What a cursor is opened with, up to the closing parenthesis: `value`, `name := value` or `name => value`."""
        found: list[tuple[str | None, Sql]] = []
        while not found or self.accept(","):
            name = None
            if self.word(1) in (":=", "=>"):
                name = self.name()
                self.position += 1
            found.append((name, self.until(",", ")")))
        return tuple(found)

    def target(self) -> Target:
        path = [self.name()]
        while self.accept("."):
            path.append(self.name())
        subscript = None
        if self.accept("["):
            subscript = self.until("]")
            self.expect("]")
        return Target(tuple(path), subscript)

    def targets(self) -> tuple[Target, ...]:
        found = [self.target()]
        while self.accept(","):
            found.append(self.target())
        return tuple(found)
