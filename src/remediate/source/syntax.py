"""Syntax trees of TypeScript and JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Literal

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser, Query, QueryCursor, Tree

Grammar = Literal["typescript", "tsx"]


def parse(name: str, data: bytes) -> Tree:
    """The syntax tree of a file. Errors stay local to the place of the fault and show as ERROR nodes.

    Plain JavaScript is read with the TSX grammar: it knows JSX, and has no `<T>x` casts that JavaScript could mean.
    """
    return parse_with(_parser("typescript" if name.endswith((".ts", ".mts", ".cts")) else "tsx"), data)


def parse_with(parser: Parser, data: bytes) -> Tree:
    """The syntax tree, with type arguments left out where the grammar stumbles over them; every offset is right.

    It takes `await a.b<T>(c)` for `(await a.b)<T>(c)`, and so with every operator that binds closely. In JavaScript
    none can stand before a call without parentheses, so what is meant is not in doubt.
    """
    tree = parser.parse(data)
    language = parser.language
    for _ in range(_MOST_NESTED if language is not None and _CALLED_WITH_TYPES.search(data) else 0):
        found = QueryCursor(_misread_calls(language)).captures(tree.root_node).get("types", [])
        if not found:
            break
        erased = bytearray(data)
        for types in found:
            erased[types.start_byte : types.end_byte] = b" " * (types.end_byte - types.start_byte)
        data = bytes(erased)
        tree = parser.parse(data)
    return tree


_CALLED_WITH_TYPES = re.compile(rb"(?<!=)>\s*\(")
_MOST_NESTED = 4


@cache
def _misread_calls(language: Language) -> Query:
    """Calls, with type arguments, of what seems to be the result of an operator."""
    return Query(
        language,
        "(call_expression function: [(await_expression) (unary_expression) (binary_expression)]"
        " type_arguments: (type_arguments) @types)",
    )


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
