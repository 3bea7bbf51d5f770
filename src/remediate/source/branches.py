"""What a condition decides about: the text of the branch that is not run, and of all that it refers to in its file.

Read off the syntax tree, for the question whether a branch may touch a table. It errs towards more: a name that is
declared twice counts with both of its values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tree_sitter import Node

from remediate.source.syntax import descendants, parse, string_value, text_of
from remediate.source.text import without_comments

_FUNCTIONS = frozenset(
    {"function_declaration", "function_expression", "arrow_function", "method_definition", "generator_function"}
)
_LOOPS = frozenset({"for_in_statement", "for_statement", "while_statement", "do_statement"})
_LEAVING = frozenset({"return_statement", "throw_statement", "continue_statement", "break_statement"})
_NAMES = frozenset({"identifier", "shorthand_property_identifier"})
# What a program does with a logger tells nothing of tables.
_SPEAKING = re.compile(r"[\w$.]+\.(?:log|info|warn|error|debug|trace)$")


@dataclass(frozen=True, slots=True)
class Decided:
    """`text` may name tables; `elsewhere` holds names that are imported from other files of the workspace."""

    text: str
    elsewhere: tuple[str, ...]


@lru_cache(maxsize=1024)
def decided(name: str, data: bytes, start: int, *, taken: bool) -> Decided | None:
    """What the `if` or loop whose condition stands at byte `start` may have done otherwise; None if there is none.

    `taken` says whether the first branch was run: then it is the other one that is asked for. A branch that leaves its
    function or loop decides about what comes after it, too.
    """
    root = parse(name, data).root_node
    found = _statement(root, start)
    if found is None:
        return None
    nodes = list(_decided(found, taken=taken))
    declared = _Declarations(root)
    seen: set[int] = set()
    elsewhere: dict[str, None] = {}
    texts: list[str] = []
    while nodes:
        node = nodes.pop()
        if node.id in seen:
            continue
        seen.add(node.id)
        texts.append(text_of(node))
        for used in _used(node):
            for meant in declared.of(used):
                nodes += meant.values
                if meant.imported:
                    elsewhere[text_of(used)] = None
    return Decided(without_comments("\n".join(texts)), tuple(elsewhere))


def _statement(root: Node, start: int) -> Node | None:
    """The innermost `if` or loop whose condition, or what it goes over, holds the offset."""
    best: Node | None = None
    node = root.descendant_for_byte_range(start, start)
    while node is not None and best is None:
        parent = node.parent
        if parent is not None and parent.type in (_LOOPS | {"if_statement"}):
            heads = [parent.child_by_field_name(field) for field in ("condition", "right")]
            if any(head is not None and head.id == node.id for head in heads):
                best = parent
        node = parent
    return best


def _decided(statement: Node, *, taken: bool) -> Iterator[Node]:
    if statement.type in _LOOPS:
        body = statement.child_by_field_name("body")
        yield from (body,) if body is not None else ()
        return
    branch = statement.child_by_field_name("alternative" if taken else "consequence")
    if branch is None:
        return
    yield branch
    if any(node.type in _LEAVING for node in _within(branch)):
        following, node = statement.next_named_sibling, statement
        while True:
            while following is not None:
                yield following
                following = following.next_named_sibling
            parent = node.parent
            if parent is None or parent.type in _FUNCTIONS:
                return
            node, following = parent, parent.next_named_sibling


def _within(node: Node) -> Iterator[Node]:
    """The node and what is under it, functions of their own left out."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending += [child for child in current.named_children if child.type not in _FUNCTIONS]


def _used(node: Node) -> Iterator[Node]:
    """The names that a node uses, those that only speak to people left out."""
    for one in descendants(node):
        if one.type not in _NAMES:
            continue
        parent = one.parent
        if parent is None or parent.type != "member_expression" or not _SPEAKING.fullmatch(text_of(parent)):
            yield one


@dataclass(frozen=True, slots=True)
class _Declaration:
    """What a name means between two offsets: the nodes that say what it holds, or that it comes from another file."""

    start: int
    end: int
    values: tuple[Node, ...] = ()
    imported: bool = False


class _Declarations:
    """What the names of a file mean, by the scopes in which they are declared."""

    def __init__(self, root: Node) -> None:
        self._known: dict[str, list[_Declaration]] = {}
        self._calls: dict[str, list[Node]] = {}
        functions = []
        for node in descendants(root):
            if node.type == "variable_declarator":
                self._variable(node)
            elif node.type == "import_statement":
                self._import(node)
            elif node.type == "for_in_statement":
                right = node.child_by_field_name("right")
                self._add(node.child_by_field_name("left"), node, (right,) if right is not None else ())
            elif node.type == "call_expression":
                called = node.child_by_field_name("function")
                if called is not None and called.type == "identifier":
                    self._calls.setdefault(text_of(called), []).append(node)
            elif node.type in _FUNCTIONS:
                functions.append(node)
        for node in functions:
            self._function(node)

    def of(self, name: Node) -> list[_Declaration]:
        """What it means where it stands: its declarations in the innermost scope that has any."""
        around = [one for one in self._known.get(text_of(name), ()) if one.start <= name.start_byte < one.end]
        nearest = min((one.end - one.start for one in around), default=0)
        return [one for one in around if one.end - one.start == nearest]

    def _add(self, pattern: Node | None, scope: Node, values: tuple[Node, ...], *, imported: bool = False) -> None:
        for name in _bound(pattern) if pattern is not None else ():
            declaration = _Declaration(scope.start_byte, scope.end_byte, values, imported)
            self._known.setdefault(name, []).append(declaration)

    def _variable(self, node: Node) -> None:
        value = node.child_by_field_name("value")
        required = value is not None and bool(_REQUIRED_HERE.match(text_of(value)))
        self._add(
            node.child_by_field_name("name"), _scope(node), (value,) if value is not None else (), imported=required
        )

    def _import(self, node: Node) -> None:
        source = node.child_by_field_name("source")
        if source is not None and (string_value(source) or "").startswith("."):
            self._add(node, _scope(node), (), imported=True)

    def _function(self, node: Node) -> None:
        """A function stands for its body, and its parameters for what it is called with."""
        name, body, parent = node.child_by_field_name("name"), node.child_by_field_name("body"), node.parent
        if node.type == "function_declaration" and body is not None:
            self._add(name, _scope(node), (body,))
        elif parent is not None and parent.type == "variable_declarator":
            name = parent.child_by_field_name("name")
        passed: list[Node | None] = []
        if parent is not None and parent.type == "arguments" and parent.parent is not None:
            passed.append(parent.parent.child_by_field_name("function"))
        elif name is not None:
            passed += [call.child_by_field_name("arguments") for call in self._calls.get(text_of(name), ())]
        parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        self._add(parameters, node, tuple(one for one in passed if one is not None))


_REQUIRED_HERE = re.compile(r"(?:await\s+)?(?:require|import)\s*\(\s*['\"]\.")


def _scope(node: Node) -> Node:
    """The block or file around a declaration."""
    current = node.parent or node
    while current.type not in ("statement_block", "program") and current.parent is not None:
        current = current.parent
    return current


def _bound(pattern: Node) -> list[str]:
    """The names that a pattern or a parameter list declares; a few more, of types and defaults, do no harm."""
    kinds = ("identifier", "shorthand_property_identifier_pattern")
    return [text_of(one) for one in descendants(pattern) if one.type in kinds]
