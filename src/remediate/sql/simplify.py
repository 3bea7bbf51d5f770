"""Conditions without what constants decide (clauses.c eval_const_expressions, for AND, OR and NOT)."""

from __future__ import annotations

from remediate.sql.parse import Node

_AND, _OR, _NOT = 1, 2, 3


def simplify(node: Node) -> Node:
    """A condition with true and false taken out of AND, OR and NOT; the node itself where there are none."""
    if node.WhichOneof("node") != "bool_expr":
        return node
    operator = node.bool_expr.boolop
    arguments = [simplify(argument) for argument in node.bool_expr.args]
    known = [_constant(argument) for argument in arguments]
    if operator == _NOT:
        return node if known[0] is None else _boolean(node, not known[0])
    decides = operator == _OR
    if decides in known:
        return _boolean(node, decides)
    kept = [argument for argument, constant in zip(arguments, known, strict=True) if constant is None]
    if not kept:
        return _boolean(node, not decides)
    if len(kept) == 1:
        return kept[0]
    copy = type(node)()
    copy.CopyFrom(node)
    del copy.bool_expr.args[:]
    for argument in kept:
        copy.bool_expr.args.add().CopyFrom(argument)
    return copy


def _constant(node: Node) -> bool | None:
    if node.WhichOneof("node") == "a_const" and node.a_const.WhichOneof("val") == "boolval":
        return bool(node.a_const.boolval.boolval)
    return None


def _boolean(node: Node, value: bool) -> Node:
    made = type(node)()
    made.a_const.boolval.boolval = value
    return made
