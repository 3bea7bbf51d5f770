"""From bytes to a syntax tree, with tree-sitter's TypeScript grammar (JavaScript is read by it too)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import tree_sitter
import tree_sitter_typescript

from remediate.evaluate.ast import SourceFile
from remediate.source.place import Place
from remediate.source.syntax import parse_with

LARGEST_FILE = 5 * 1024 * 1024
"""Bytes. Code is written by hand; what is larger holds data, and reading it would take longer than all the rest."""


class SyntaxProblem(Exception):
    """A file that cannot be read as a program: the reason, and where."""

    def __init__(self, reason: str, place: Place) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place


def parse(file: SourceFile) -> tree_sitter.Tree:
    """The tree of a file that has no syntax error. Raises `SyntaxProblem`."""
    data = file.data
    if len(data) > LARGEST_FILE:
        raise SyntaxProblem(f"is larger than {LARGEST_FILE // 1024 // 1024} MB", Place(file.path))
    if b"\0" in data:
        raise SyntaxProblem("is no text", Place(file.path))
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SyntaxProblem(f"is not UTF-8 (byte {error.start})", Place(file.path)) from None
    tree = parse_with(_parser("typescript"), data)
    if tree.root_node.has_error:
        other = parse_with(_parser("tsx"), data)
        if not other.root_node.has_error:
            return other
        raise SyntaxProblem("syntax error", _first_error(tree.root_node, file))
    return tree


@cache
def _parser(dialect: str) -> tree_sitter.Parser:
    language = (
        tree_sitter_typescript.language_typescript()
        if dialect == "typescript"
        else tree_sitter_typescript.language_tsx()
    )
    return tree_sitter.Parser(tree_sitter.Language(language))


def _first_error(root: tree_sitter.Node, file: SourceFile) -> Place:
    for node in _with_errors(root):
        if node.is_error or node.is_missing:
            return file.place(node.start_byte, node.end_byte)
    return Place(file.path)


def _with_errors(root: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed([child for child in node.children if child.has_error or child.is_missing]))
