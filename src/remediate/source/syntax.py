"""Syntax trees of TypeScript and JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Literal

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser, Tree

Grammar = Literal["typescript", "tsx"]


def parse(name: str, data: bytes) -> Tree:
    """The syntax tree of a file. Errors stay local to the place of the fault and show as ERROR nodes.

    Plain JavaScript is read with the TSX grammar: it knows JSX, and has no `<T>x` casts that JavaScript could mean.
    """
    return _parser("typescript" if name.endswith((".ts", ".mts", ".cts")) else "tsx").parse(data)


@cache
def _parser(grammar: Grammar) -> Parser:
    pointer = (
        tree_sitter_typescript.language_typescript()
        if grammar == "typescript"
        else tree_sitter_typescript.language_tsx()
    )
    return Parser(Language(pointer))


def text_of(node: Node) -> str:
    """The source text of a node."""
    return (node.text or b"").decode(errors="replace")


def descendants(node: Node) -> Iterator[Node]:
    """The node and everything under it, in source order."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(current.named_children))


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


def string_value(node: Node) -> str | None:
    """What a string literal, or a template without `${}`, evaluates to; None for any other node."""
    if node.type == "template_string" and any(child.type == "template_substitution" for child in node.named_children):
        return None
    if node.type not in ("string", "template_string"):
        return None
    parts = []
    for child in node.named_children:
        text = text_of(child)
        if child.type == "escape_sequence":
            text = _unescaped(text)
        parts.append(text)
    return "".join(parts)


def _unescaped(text: str) -> str:
    body = text[1:]
    if body[:1] in ("x", "u"):
        digits = body[1:].strip("{}")
        try:
            return chr(int(digits, 16))
        except (ValueError, OverflowError):
            return text
    return _ESCAPES.get(body, body)
