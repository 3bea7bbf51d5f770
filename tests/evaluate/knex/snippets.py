"""Evaluates the snippets of the oracle tests: expressions of builder calls, literals and callbacks, nothing more.

The real interpreter is another package; the tests of this one must not depend on it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from remediate.evaluate.knex.javascript import text
from remediate.evaluate.knex.session import Settled, ThrownError, settle, thrown
from remediate.evaluate.values import UNDEFINED, HostObject, Unknown, Value
from remediate.source.place import Place

_PARSER = Parser(Language(tree_sitter_typescript.language_typescript()))


class Closure(HostObject):
    """An arrow function or a function expression of a snippet."""

    def __init__(self, node: Node, scope: dict[str, Any]) -> None:
        self.node = node
        self.scope = scope

    def call(self, arguments: Sequence[Value], place: Place) -> Value:
        return self.call_with_this(UNDEFINED, arguments, place)

    def call_with_this(self, this: Value, arguments: Sequence[Value], place: Place) -> Value:
        scope = dict(self.scope)
        if self.node.type == "function_expression":
            scope["this"] = this
        single = self.node.child_by_field_name("parameter")
        listed = self.node.child_by_field_name("parameters")
        names = [single] if single is not None else (listed.named_children if listed is not None else [])
        for index, name in enumerate(names):
            assert name is not None
            scope[_text(name)] = arguments[index] if index < len(arguments) else UNDEFINED
        body = self.node.child_by_field_name("body")
        assert body is not None
        if self.node.children[0].type != "async":
            return self._run(body, scope)
        try:
            return Settled(settle(self._run(body, scope)))
        except ThrownError as error:
            return Settled(error=error)

    def _run(self, body: Node, scope: dict[str, Any]) -> Value:
        if body.type != "statement_block":
            return evaluate(body, scope)
        for statement in body.named_children:
            if statement.type == "return_statement":
                return evaluate(statement.named_children[0], scope)
            if statement.type == "expression_statement":
                evaluate(statement.named_children[0], scope)
            if statement.type == "lexical_declaration":
                name, value = statement.named_children[0].named_children
                scope[_text(name)] = evaluate(value, scope)
        return UNDEFINED


def run(snippet: str, scope: dict[str, Any]) -> Value:
    """The value of one expression."""
    tree = _PARSER.parse(f"({snippet});".encode())
    assert not tree.root_node.has_error, f"does not parse: {snippet}"
    return evaluate(tree.root_node.named_children[0].named_children[0], scope)


def evaluate(node: Node, scope: dict[str, Any]) -> Value:
    """The value of one node; an unknown kind of node is a fault of the test."""
    place = Place("snippet.js", node.start_point.row + 1, node.start_point.column + 1, node.start_byte, node.end_byte)
    kind = node.type
    if kind == "parenthesized_expression":
        return evaluate(node.named_children[0], scope)
    if kind == "await_expression":
        return settle(evaluate(node.named_children[0], scope))
    if kind in ("identifier", "this", "undefined"):
        return UNDEFINED if _text(node) == "undefined" else scope[_text(node)]
    if kind in ("string", "template_string"):
        return _string(node)
    if kind == "number":
        return float(_text(node)) if set(_text(node)) & set(".e") else int(_text(node))
    if kind == "unary_expression":
        value = evaluate(node.named_children[0], scope)
        assert isinstance(value, int | float)
        return -value
    if kind in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[kind]
    if kind == "array":
        return [evaluate(child, scope) for child in node.named_children]
    if kind == "object":
        return {_key(pair.named_children[0]): evaluate(pair.named_children[1], scope) for pair in node.named_children}
    if kind in ("arrow_function", "function_expression"):
        return Closure(node, scope)
    if kind == "member_expression":
        return _member(evaluate(node.named_children[0], scope), _text(node.named_children[1]), place)
    if kind == "call_expression":
        function = evaluate(node.named_children[0], scope)
        arguments = [evaluate(child, scope) for child in node.named_children[1].named_children]
        if isinstance(function, Unknown):
            return function
        if not isinstance(function, HostObject):
            raise thrown(f"{_text(node.named_children[0])} is not a function", "TypeError")
        return function.call(arguments, place)
    raise AssertionError(f"{kind} in a snippet: {_text(node)}")


def _member(target: Value, name: str, place: Place) -> Value:
    if isinstance(target, HostObject):
        return target.get(name, place)
    if isinstance(target, Unknown):
        return target
    if isinstance(target, dict):
        member: Value = target.get(name, UNDEFINED)
        return member
    raise ThrownError({"message": f"Cannot read properties of {text(target)} (reading '{name}')"})


def _string(node: Node) -> str:
    body = _text(node)[1:-1].replace("\n", "\\n")
    quote = '"' if '"' not in body.replace('\\"', "") else "'"
    return str(ast.literal_eval(f"{quote}{body}{quote}"))


def _key(node: Node) -> str:
    return _string(node) if node.type == "string" else _text(node)


def _text(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()
