"""Lowering of what is assigned to: names, members, destructuring patterns."""

from __future__ import annotations

from remediate.evaluate import ast
from remediate.evaluate.knex.javascript import number_text
from remediate.evaluate.lower.lowering import Lowering, Tree, named
from remediate.evaluate.lower.text import number, unescape
from remediate.evaluate.values import Unknown

_NAMES = {"identifier", "shorthand_property_identifier_pattern", "shorthand_property_identifier", "undefined"}


def target(low: Lowering, node: Tree) -> ast.Target:
    """What stands left of an `=`, or is declared."""
    low.descend(node)
    result = _target(low, node)
    low.depth -= 1
    return result


def _target(low: Lowering, node: Tree) -> ast.Target:
    kind = node.type
    if kind in _NAMES:
        return ast.Name(node.start_byte, node.end_byte, low.text(node))
    if kind == "object_pattern":
        parts = [_object_part(low, child) for child in named(node)]
        return ast.ObjectTarget(node.start_byte, node.end_byte, tuple(parts))
    if kind == "array_pattern":
        return ast.ArrayTarget(node.start_byte, node.end_byte, _array_parts(low, node))
    if kind in ("parenthesized_expression", "non_null_expression", "as_expression", "satisfies_expression"):
        return target(low, named(node)[0])
    value = low.expression(node)
    if isinstance(value, ast.Member | ast.Element):
        return value
    return ast.Unsupported(node.start_byte, node.end_byte, f"assigns to {kind}")


def _object_part(low: Lowering, node: Tree) -> ast.TargetPart:
    if node.type == "rest_pattern":
        return ast.TargetPart(node.start_byte, node.end_byte, "", target(low, named(node)[0]), None, True)
    if node.type == "pair_pattern":
        inner, default = _with_default(low, low.field(node, "value"))
        return ast.TargetPart(node.start_byte, node.end_byte, key(low, low.field(node, "key")), inner, default, False)
    inner, default = _with_default(low, node)
    name = inner.name if isinstance(inner, ast.Name) else ""
    return ast.TargetPart(node.start_byte, node.end_byte, name, inner, default, False)


def _array_parts(low: Lowering, node: Tree) -> tuple[ast.TargetPart | None, ...]:
    parts: list[ast.TargetPart | None] = []
    expected = True
    for child in node.children:
        if child.type == ",":
            if expected:
                parts.append(None)
            expected = True
        elif child.is_named and child.type != "comment":
            rest = child.type == "rest_pattern"
            inner, default = _with_default(low, named(child)[0] if rest else child)
            parts.append(ast.TargetPart(child.start_byte, child.end_byte, "", inner, default, rest))
            expected = False
    return tuple(parts)


def _with_default(low: Lowering, node: Tree) -> tuple[ast.Target, ast.Node | None]:
    if node.type in ("assignment_pattern", "object_assignment_pattern"):
        return target(low, low.field(node, "left")), low.expression(low.field(node, "right"))
    return target(low, node), None


def key(low: Lowering, node: Tree) -> str | ast.Node:
    """The name of a property; an expression when it is computed."""
    if node.type == "computed_property_name":
        return low.expression(named(node)[0])
    text = low.text(node)
    if node.type == "string":
        return unescape(text[1:-1])
    if node.type == "number":
        value = number(text)
        return text if isinstance(value, Unknown) else number_text(value)
    return text


def declared_names(target: ast.Target) -> list[str]:
    """The names that a declaration of this target declares."""
    if isinstance(target, ast.Name):
        return [target.name]
    if isinstance(target, ast.ObjectTarget | ast.ArrayTarget):
        return [name for part in target.parts if part is not None for name in declared_names(part.target)]
    return []
