"""The state of lowering one file, and the ways into it; expressions, patterns and statements stand beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import tree_sitter

from remediate.evaluate import ast
from remediate.evaluate.stack import MOST_NESTED
from remediate.evaluate.syntax import SyntaxProblem

Tree: TypeAlias = tree_sitter.Node


class Lowering:
    """Lowers one file. `variables` collects what `var` declares in the function that is being lowered."""

    def __init__(self, file: ast.SourceFile) -> None:
        self.file = file
        self.data = file.data
        self.depth = 0
        self.deepest = 0
        self.variables: list[str] = []
        self.imports: list[ast.Import] = []
        self.modern = False

    def expression(self, node: Tree) -> ast.Node:
        """Any expression. Syntax that is not interpreted becomes `Unsupported`; too deep raises `SyntaxProblem`."""
        self.descend(node)
        lower = EXPRESSIONS.get(node.type)
        if lower is None:
            result: ast.Node = ast.Unsupported(node.start_byte, node.end_byte, f"{node.type} is not interpreted")
        else:
            result = lower(self, node)
        self.depth -= 1
        return result

    def descend(self, node: Tree) -> None:
        self.depth += 1
        if self.depth > self.deepest:
            self.deepest = self.depth
            if self.depth > MOST_NESTED:
                place = self.file.place(node.start_byte, node.start_byte)
                raise SyntaxProblem(f"nested more than {MOST_NESTED} levels deep", place)

    def text(self, node: Tree) -> str:
        return self.data[node.start_byte : node.end_byte].decode()

    def field(self, node: Tree, name: str) -> Tree:
        """A child that the grammar always has."""
        child = node.child_by_field_name(name)
        if child is None:
            place = self.file.place(node.start_byte, node.end_byte)
            raise SyntaxProblem(f"a {node.type} without {name}", place)
        return child


Lower: TypeAlias = Callable[[Lowering, Tree], ast.Node]
EXPRESSIONS: dict[str, Lower] = {}


def lowers(*types: str) -> Callable[[Lower], Lower]:
    """Registers a function for the tree's nodes of these types."""

    def register(function: Lower) -> Lower:
        EXPRESSIONS.update(dict.fromkeys(types, function))
        return function

    return register


def named(node: Tree) -> list[Tree]:
    """The named children without comments."""
    return [child for child in node.named_children if child.type != "comment"]


def has_token(node: Tree, token: str) -> bool:
    return any(child.type == token for child in node.children if not child.is_named)
