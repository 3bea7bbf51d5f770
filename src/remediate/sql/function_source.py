"""A CREATE FUNCTION statement as text: name and body can be exchanged, the rest stays as its author wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from remediate.sql.tokens import Token, tokens

_DOLLAR = re.compile(r"^\$(\w*)\$(.*)\$\1\$$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FunctionSource:
    """`head`, name, `middle`, body, `tail` make up the statement. The body is unquoted.

    `replaces` says whether the head has OR REPLACE.
    """

    head: str
    name: str
    middle: str
    body: str
    tail: str
    replaces: bool
    tag: str

    def text(self, *, name: str | None = None, body: str | None = None, replace: bool | None = None) -> str:
        """The statement with another name (SQL, quoted as needed), body, or with or without OR REPLACE."""
        replaces = self.replaces if replace is None else replace
        head = re.sub(r"(?i)^create(\s+or\s+replace)?", "CREATE OR REPLACE" if replaces else "CREATE", self.head)
        inner = self.body if body is None else body
        return f"{head}{self.name if name is None else name}{self.middle}{self._quoted(inner)}{self.tail}"

    def _quoted(self, body: str) -> str:
        tag = self.tag
        while f"${tag}$" in body:
            tag += "_"
        return f"${tag}${body}${tag}$"


def function_source(statement: str) -> FunctionSource | None:
    """Takes a CREATE [OR REPLACE] FUNCTION or PROCEDURE apart; None where its body is no single string constant."""
    found = tokens(statement)
    at = next((index for index, token in enumerate(found) if token.kind in ("FUNCTION", "PROCEDURE")), None)
    if at is None or not found or found[0].kind != "CREATE":
        return None
    opening = next((index for index, token in enumerate(found) if index > at and token.text == "("), None)
    if opening is None or opening == at + 1:
        return None
    start, end = found[at + 1].start, found[opening - 1].end
    constant = _body(found)
    if constant is None:
        return None
    unquoted = _unquote(constant)
    if unquoted is None:
        return None
    tag, body = unquoted
    return FunctionSource(
        head=statement[:start],
        name=statement[start:end],
        middle=statement[end : constant.start],
        body=body,
        tail=statement[constant.end :].rstrip().rstrip(";"),
        replaces=any(token.kind == "REPLACE" for token in found[:at]),
        tag=tag,
    )


def _body(found: tuple[Token, ...]) -> Token | None:
    """The constant after AS; a second one after a comma (a C function's symbol) is no body that can be edited."""
    for index, token in enumerate(found[:-1]):
        if token.kind == "AS" and found[index + 1].kind == "SCONST":
            after = found[index + 2].text if index + 2 < len(found) else ""
            return None if after == "," else found[index + 1]
    return None


def _unquote(constant: Token) -> tuple[str, str] | None:
    """The dollar tag to write it back with, and the text inside."""
    if match := _DOLLAR.match(constant.text):
        return match[1], match[2]
    if constant.text.startswith("'"):
        return "", constant.text[1:-1].replace("''", "'")
    return None
