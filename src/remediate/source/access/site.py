"""Places in the syntax trees of code files, each with the nodes above it.

A node of tree-sitter finds its parent by searching from the root, which is quadratic on the way up. A site knows its
parent instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from tree_sitter import Node

from remediate.source.model import CodeFile
from remediate.source.syntax import parse, string_value, text_of

if TYPE_CHECKING:
    from remediate.source.access.scope import Binding

# Code that people write is nested some dozens of levels deep.
DEEPEST = 1000
# Names that a file holds more often are data.
_MOST = 2000

FUNCTIONS = frozenset(
    {"function_declaration", "function_expression", "generator_function", "generator_function_declaration"}
    | {"arrow_function", "method_definition"}
)
CLASSES = frozenset({"class_declaration", "abstract_class_declaration", "class"})
# What has the value of what it holds. `await` is not among them.
_WRAPPERS = frozenset(
    {"parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression"}
    | {"instantiation_expression"}
)


_IN_WORDS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$")
_NAMES = ("identifier", "identifier_pattern")


class TooMuch(Exception):
    """Code that nobody writes: nested too deeply, or one name too many times."""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """One node of a module's tree, below `parent` (None for the root)."""

    module: Module
    node: Node
    parent: Site | None

    @property
    def type(self) -> str:
        return self.node.type

    @property
    def text(self) -> str:
        return text_of(self.node)

    @property
    def short(self) -> str:
        """An expression for a message: names only. What is handed to calls stays out, be it long or a password."""
        text = _outline(self, 0)
        return text if len(text) <= 50 else f"{text[:49]}…"

    @property
    def key(self) -> tuple[str, int, int, str]:
        """What identifies it: a node object is made anew each time that it is asked for."""
        return (self.module.name, self.node.start_byte, self.node.end_byte, self.node.type)

    @property
    def place(self) -> str:
        """`file:line`, as messages give it."""
        return f"{self.module.name}:{self.node.start_point[0] + 1}"

    def is_same(self, other: Site | None) -> bool:
        return other is not None and self.key == other.key

    def field(self, name: str) -> Site | None:
        child = self.node.child_by_field_name(name)
        return Site(self.module, child, self) if child is not None else None

    def children(self) -> list[Site]:
        """The named children without comments."""
        return [Site(self.module, child, self) for child in self.node.named_children if child.type != "comment"]

    def above(self) -> Iterator[Site]:
        """The sites above it, the nearest first."""
        current = self.parent
        while current is not None:
            yield current
            current = current.parent

    def inside(self, types: frozenset[str]) -> Site | None:
        """The nearest site above of one of the types."""
        return next((site for site in self.above() if site.type in types), None)

    def is_field(self, name: str) -> bool:
        """Whether it stands in that field of its parent."""
        if self.parent is None:
            return False
        child = self.parent.node.child_by_field_name(name)
        return child is not None and child.id == self.node.id

    def bare(self) -> Site:
        """The expression without brackets, casts and `!` around it."""
        site = self
        while site.type in _WRAPPERS and (children := site.children()):
            site = children[0]
        return site

    def wrapped(self) -> Site:
        """The outermost expression that is this one with brackets, casts and `!` around it."""
        site = self
        while site.parent is not None and site.parent.type in _WRAPPERS and site.parent.children()[0].is_same(site):
            site = site.parent
        return site

    def string(self) -> str | None:
        """The value of a string literal, or of a template without `${}`."""
        return string_value(self.node)


def _outline(site: Site, depth: int) -> str:
    site = site.bare()
    if depth > 8 or not site.node.named_child_count:
        return "…" if depth > 8 or site.type in ("string", "template_string", "object", "number") else site.text
    match site.type:
        case "member_expression":
            target, name = site.field("object"), site.field("property")
            return f"{_outline(target, depth + 1) if target else '…'}.{name.text if name else '…'}"
        case "call_expression" | "new_expression":
            called, arguments = site.field("function") or site.field("constructor"), site.field("arguments")
            given = "…" if arguments is None or arguments.children() or arguments.type != "arguments" else ""
            new = "new " if site.type == "new_expression" else ""
            return f"{new}{_outline(called, depth + 1) if called else '…'}({given})"
        case "await_expression":
            return f"await {_outline(site.children()[0], depth + 1)}"
        case "binary_expression":
            operator = site.node.child_by_field_name("operator")
            parts = [_outline(part, depth + 1) for part in site.children()]
            return f" {operator.type if operator is not None else '…'} ".join(parts)
        case "object":
            return "{…}"
        case "arrow_function" | "function_expression":
            return "a function"
    return "…"


@dataclass(frozen=True, eq=False)
class Module:
    """A code file, parsed when a place in it is asked for."""

    code: CodeFile
    scopes: dict[tuple[str, int, int, str], dict[str, Binding]] = field(default_factory=dict)
    found: dict[tuple[str, int, int], list[Site]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.code.file

    @cached_property
    def root(self) -> Site:
        return Site(self, parse(self.code.file, self.code.data).root_node, None)

    @cached_property
    def text(self) -> str:
        """The file with one character for each byte, so that offsets in it are byte offsets."""
        return self.code.data.decode("latin-1")

    def at(self, offset: int) -> Site:
        """The smallest node at a byte offset. Raises TooMuch."""
        site = self.root
        cursor = site.node.walk()
        for _ in range(DEEPEST):
            if cursor.goto_first_child_for_byte(offset) is None:
                return site
            node = cursor.node
            if node is None or not node.start_byte <= offset < node.end_byte:
                return site
            site = Site(self, node, site)
        raise TooMuch

    def offsets(self, word: str) -> Iterator[int]:
        """The byte offsets of a word, wherever it stands, in any case. Raises TooMuch."""
        return _offsets(self._lowered, word.encode().lower(), 0, len(self.code.data))

    @cached_property
    def _lowered(self) -> bytes:
        return self.code.data.lower()

    def identifiers(self, word: str, inside: Site | None = None) -> list[Site]:
        """The identifiers of that very name, those of members too; `inside` a site or everywhere. Raises TooMuch."""
        first, last = (inside.node.start_byte, inside.node.end_byte) if inside is not None else (0, len(self.code.data))
        key = (word, first, last)
        if key not in self.found:
            sites = [self.at(offset) for offset in _offsets(self.code.data, word.encode(), first, last)]
            self.found[key] = [site for site in sites if site.type.endswith(_NAMES) and site.text == word]
        return self.found[key]


def _offsets(data: bytes, word: bytes, first: int, last: int) -> Iterator[int]:
    """Where a word begins, as a word of its own. Raises TooMuch."""
    found = 0
    at = data.find(word, first, last)
    while at >= 0:
        after = at + len(word)
        if (at == 0 or data[at - 1] not in _IN_WORDS) and (after >= len(data) or data[after] not in _IN_WORDS):
            found += 1
            if found > _MOST:
                raise TooMuch
            yield at
        at = data.find(word, after, last)
