"""Lowering of functions, object literals and classes."""

from __future__ import annotations

from typing import Literal

import tree_sitter

from remediate.evaluate import ast
from remediate.evaluate.lower.lowering import Lowering, Tree, has_token, lowers, named
from remediate.evaluate.lower.patterns import key, target
from remediate.evaluate.lower.statements import block


@lowers(
    "arrow_function",
    "function_expression",
    "function",
    "generator_function",
    "function_declaration",
    "generator_function_declaration",
    "method_definition",
)
def function(low: Lowering, node: Tree) -> ast.Function:
    """Any function. Its own depth and `var` names are told apart from those of the function around it."""
    depth, deepest, variables = low.depth, low.deepest, low.variables
    low.deepest, low.variables = depth, []
    name = node.child_by_field_name("name")
    parameters = _parameters(low, node)
    body = low.field(node, "body")
    lowered = block(low, body) if body.type == "statement_block" else low.expression(body)
    names = tuple(dict.fromkeys(low.variables))
    own = low.deepest - depth + 2
    low.deepest, low.variables = max(deepest, low.deepest), variables
    return ast.Function(
        node.start_byte,
        node.end_byte,
        low.text(name) if name and name.type != "computed_property_name" else "",
        parameters,
        lowered,
        node.type == "arrow_function",
        has_token(node, "async"),
        node.type.startswith("generator") or (node.type == "method_definition" and has_token(node, "*")),
        names,
        own,
        all(isinstance(p.target, ast.Name) and p.default is None and not p.rest for p in parameters),
    )


def _parameters(low: Lowering, node: Tree) -> tuple[ast.Parameter, ...]:
    single = node.child_by_field_name("parameter")
    if single is not None:
        name = ast.Name(single.start_byte, single.end_byte, low.text(single))
        return (ast.Parameter(single.start_byte, single.end_byte, name, None, False, ""),)
    result = []
    for child in named(low.field(node, "parameters")):
        parameter = _parameter(low, child)
        if parameter is not None:
            result.append(parameter)
    return tuple(result)


def _parameter(low: Lowering, node: Tree) -> ast.Parameter | None:
    if node.type == "decorator":
        return None
    pattern = node.child_by_field_name("pattern") or node
    if pattern.type == "this":
        return None
    rest = pattern.type == "rest_pattern"
    default = node.child_by_field_name("value")
    declared = node.child_by_field_name("type")
    members = any(child.type in ("accessibility_modifier", "override_modifier", "readonly") for child in node.children)
    return ast.Parameter(
        node.start_byte,
        node.end_byte,
        target(low, named(pattern)[0] if rest else pattern),
        low.expression(default) if default else None,
        rest,
        low.text(declared).removeprefix(":").strip() if declared else "",
        members,
    )


@lowers("object")
def _object(low: Lowering, node: Tree) -> ast.Node:
    return ast.ObjectLiteral(node.start_byte, node.end_byte, tuple(_property(low, child) for child in named(node)))


def _property(low: Lowering, node: Tree) -> ast.Property:
    start, end = node.start_byte, node.end_byte
    if node.type == "shorthand_property_identifier":
        return ast.Property(start, end, "value", low.text(node), low.expression(node))
    if node.type == "spread_element":
        return ast.Property(start, end, "spread", "", low.expression(named(node)[0]))
    if node.type == "method_definition":
        kind = _accessor(node)
        name = key(low, low.field(node, "name"))
        return ast.Property(start, end, "value" if kind == "method" else kind, name, low.expression(node))
    if node.type == "pair":
        return ast.Property(
            start, end, "value", key(low, low.field(node, "key")), low.expression(low.field(node, "value"))
        )
    return ast.Property(start, end, "value", "", ast.Unsupported(start, end, f"{node.type} in an object"))


def _accessor(node: Tree) -> Literal["get", "set", "method"]:
    for child in node.children:
        if child.type == "get" and not child.is_named:
            return "get"
        if child.type == "set" and not child.is_named:
            return "set"
    return "method"


@lowers("class", "class_declaration", "abstract_class_declaration")
def class_literal(low: Lowering, node: Tree) -> ast.ClassLiteral:
    """A class as a value; declarations and signatures without a body are left out."""
    name = node.child_by_field_name("name")
    members = []
    for child in named(low.field(node, "body")):
        member = _member(low, child)
        if member is not None:
            members.append(member)
    return ast.ClassLiteral(
        node.start_byte, node.end_byte, low.text(name) if name else "", _parent(low, node), tuple(members)
    )


def _parent(low: Lowering, node: Tree) -> ast.Node | None:
    for child in named(node):
        if child.type == "class_heritage":
            for clause in named(child):
                if clause.type == "extends_clause":
                    return low.expression(low.field(clause, "value"))
                if clause.type != "implements_clause":
                    return low.expression(clause)
    return None


def _member(low: Lowering, node: tree_sitter.Node) -> ast.ClassMember | None:
    start, end = node.start_byte, node.end_byte
    static = has_token(node, "static")
    if node.type == "method_definition":
        return ast.ClassMember(
            start, end, _accessor(node), key(low, low.field(node, "name")), static, low.expression(node)
        )
    if node.type in ("public_field_definition", "field_definition"):
        if has_token(node, "declare") or has_token(node, "abstract"):
            return None
        name = node.child_by_field_name("name") or low.field(node, "property")
        value = node.child_by_field_name("value")
        return ast.ClassMember(start, end, "field", key(low, name), static, low.expression(value) if value else None)
    if node.type == "class_static_block":
        return ast.ClassMember(start, end, "block", "", True, block(low, low.field(node, "body")))
    return None
