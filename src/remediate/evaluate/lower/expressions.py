"""Lowering of expressions."""

from __future__ import annotations

from remediate.evaluate import ast
from remediate.evaluate.lower.lowering import Lowering, Tree, has_token, lowers, named
from remediate.evaluate.lower.patterns import target
from remediate.evaluate.lower.text import join_surrogates, number, unescape
from remediate.evaluate.values import UNDEFINED

_LINKS = {"member_expression", "subscript_expression", "call_expression", "non_null_expression"}
_LOGICAL = ("&&", "||", "??")


@lowers("identifier", "this", "super", "undefined", "shorthand_property_identifier")
def _name(low: Lowering, node: Tree) -> ast.Node:
    return ast.Name(node.start_byte, node.end_byte, low.text(node))


@lowers("number")
def _number(low: Lowering, node: Tree) -> ast.Node:
    return ast.Constant(node.start_byte, node.end_byte, number(low.text(node)))


@lowers("true", "false", "null")
def _constant(low: Lowering, node: Tree) -> ast.Node:
    return ast.Constant(node.start_byte, node.end_byte, {"true": True, "false": False, "null": None}[node.type])


@lowers("string")
def string(low: Lowering, node: Tree) -> ast.Node:
    start, end = node.start_byte + 1, node.end_byte - 1
    text = low.data[start:end].decode()
    if "\\" in text:
        return ast.Constant(node.start_byte, node.end_byte, join_surrogates(unescape(text)))
    return ast.Text(node.start_byte, node.end_byte, text, start, end)


@lowers("template_string")
def template(low: Lowering, node: Tree) -> ast.Node:
    """A template without substitution, escape or carriage return is its text, and keeps where that stands."""
    start, last = node.start_byte + 1, node.end_byte - 1
    values: list[ast.Node] = []
    raws: list[str] = []
    for child in node.named_children:
        if child.type == "template_substitution":
            raws.append(low.data[start : child.start_byte].decode())
            values.append(_only(low, child))
            start = child.end_byte
    raws.append(low.data[start:last].decode())
    if not values and "\\" not in raws[0] and "\r" not in raws[0]:
        return ast.Text(node.start_byte, node.end_byte, raws[0], start, last)
    raws = [raw.replace("\r\n", "\n").replace("\r", "\n") for raw in raws]
    texts = tuple(join_surrogates(unescape(raw)) if "\\" in raw else raw for raw in raws)
    if not values:
        return ast.Constant(node.start_byte, node.end_byte, texts[0])
    return ast.Template(node.start_byte, node.end_byte, texts, tuple(values), tuple(raws))


@lowers("regex")
def _regex(low: Lowering, node: Tree) -> ast.Node:
    flags = node.child_by_field_name("flags")
    pattern = low.text(low.field(node, "pattern"))
    return ast.Regex(node.start_byte, node.end_byte, pattern, low.text(flags) if flags else "")


@lowers("array")
def _array(low: Lowering, node: Tree) -> ast.Node:
    items: list[ast.Node | None] = []
    expected = True
    for child in node.children:
        if child.type == ",":
            if expected:
                items.append(None)
            expected = True
        elif child.is_named and child.type != "comment":
            items.append(low.expression(child))
            expected = False
    return ast.Array(node.start_byte, node.end_byte, tuple(items))


@lowers("spread_element")
def _spread(low: Lowering, node: Tree) -> ast.Node:
    return ast.Spread(node.start_byte, node.end_byte, _only(low, node))


@lowers("parenthesized_expression", "non_null_expression", "as_expression", "satisfies_expression")
def _inner(low: Lowering, node: Tree) -> ast.Node:
    """Only what has a type is left when types are erased; the first child is the value."""
    if node.type == "non_null_expression" and named(node)[0].type in _LINKS:
        return _link_chain(low, node)
    return low.expression(named(node)[0])


@lowers("type_assertion", "instantiation_expression")
def _asserted(low: Lowering, node: Tree) -> ast.Node:
    children = named(node)
    return low.expression(children[-1] if node.type == "type_assertion" else children[0])


@lowers("member_expression", "subscript_expression", "call_expression")
def _link_chain(low: Lowering, node: Tree) -> ast.Node:
    found = _Chain()
    result = _link(low, node, found)
    start, end = node.start_byte, node.end_byte
    if found.optional:
        result = ast.Chain(start, end, result)
    for outer in reversed(found.operators):
        if outer.type == "await_expression":
            result = ast.Await(start, end, result)
            continue
        operator = low.text(low.field(outer, "operator"))
        if outer.type == "unary_expression":
            result = ast.Unary(start, end, operator, result)
        else:
            make = ast.Logical if operator in _LOGICAL else ast.Binary
            result = make(start, end, operator, low.expression(low.field(outer, "left")), result)
    return result


class _Chain:
    """What a chain `a.b[c](d)` is met with on the way to its beginning: links with `?.`, and operators before it.

    The grammar takes `await a.b<T>(c)` for `(await a.b)<T>(c)`, and does so with every operator that binds closely. In
    JavaScript none can stand there without parentheses: each is about the whole chain.
    """

    def __init__(self) -> None:
        self.optional: list[Tree] = []
        self.operators: list[Tree] = []


_OPERAND = {"await_expression": None, "unary_expression": "argument", "binary_expression": "right"}


def _head(low: Lowering, node: Tree, found: _Chain) -> ast.Node:
    """What a link begins with."""
    if node.type not in _OPERAND:
        return _link(low, node, found)
    found.operators.append(node)
    field = _OPERAND[node.type]
    return _head(low, low.field(node, field) if field else named(node)[0], found)


def _link(low: Lowering, node: Tree, found: _Chain) -> ast.Node:
    """One link of a chain."""
    kind = node.type
    if kind not in _LINKS:
        return low.expression(node)
    low.descend(node)
    result: ast.Node
    if kind == "non_null_expression":
        result = _head(low, named(node)[0], found)
    elif kind == "call_expression":
        result = _call(low, node, found)
    else:
        inner = _head(low, low.field(node, "object"), found)
        conditional = node.child_by_field_name("optional_chain") is not None
        if conditional:
            found.optional.append(node)
        if kind == "member_expression":
            name = low.field(node, "property")
            result = ast.Member(node.start_byte, node.end_byte, inner, low.text(name), conditional, name.start_byte)
        else:
            index = low.expression(low.field(node, "index"))
            result = ast.Element(node.start_byte, node.end_byte, inner, index, conditional)
    low.depth -= 1
    return result


def _call(low: Lowering, node: Tree, found: _Chain) -> ast.Node:
    callee = low.field(node, "function")
    passed = low.field(node, "arguments")
    if callee.type == "import":
        given = named(passed)
        value: ast.Node = low.expression(given[0]) if given else ast.Constant(node.start_byte, node.end_byte, UNDEFINED)
        return ast.DynamicImport(node.start_byte, node.end_byte, value)
    function = _head(low, callee, found)
    if passed.type == "template_string":
        text = template(low, passed)
        if isinstance(text, ast.Text):
            text = ast.Template(text.start, text.end, (text.value,), (), (text.value,))
        elif isinstance(text, ast.Constant):
            raw = low.data[passed.start_byte + 1 : passed.end_byte - 1].decode()
            text = ast.Template(text.start, text.end, (str(text.value),), (), (raw,))
        assert isinstance(text, ast.Template)
        return ast.Tagged(node.start_byte, node.end_byte, function, text)
    conditional = any(child.type in ("?.", "optional_chain") for child in node.children)
    if conditional:
        found.optional.append(node)
    arguments = tuple([low.expression(child) for child in passed.named_children if child.type != "comment"])
    spread = any(argument.__class__ is ast.Spread for argument in arguments)
    return ast.Call(node.start_byte, node.end_byte, function, arguments, conditional, spread)


@lowers("new_expression")
def _new(low: Lowering, node: Tree) -> ast.Node:
    passed = node.child_by_field_name("arguments")
    arguments = tuple(low.expression(child) for child in named(passed)) if passed else ()
    spread = any(isinstance(argument, ast.Spread) for argument in arguments)
    function = low.expression(low.field(node, "constructor"))
    return ast.New(node.start_byte, node.end_byte, function, arguments, spread)


@lowers("unary_expression")
def _unary(low: Lowering, node: Tree) -> ast.Node:
    operator = low.text(low.field(node, "operator"))
    return ast.Unary(node.start_byte, node.end_byte, operator, low.expression(low.field(node, "argument")))


@lowers("update_expression")
def _update(low: Lowering, node: Tree) -> ast.Node:
    operator = low.field(node, "operator")
    argument = low.field(node, "argument")
    step = 1 if low.text(operator) == "++" else -1
    return ast.Update(
        node.start_byte, node.end_byte, low.expression(argument), step, operator.start_byte < argument.start_byte
    )


@lowers("binary_expression")
def _binary(low: Lowering, node: Tree) -> ast.Node:
    """Long chains such as `'…' + '…' + …` lean to the left; they are walked, so that they take no depth."""
    chain: list[tuple[Tree, Tree, str]] = []
    current = node
    while current.type == "binary_expression":
        chain.append((current, low.field(current, "right"), low.text(low.field(current, "operator"))))
        current = low.field(current, "left")
    result = low.expression(current)
    for outer, right, operator in reversed(chain):
        make = ast.Logical if operator in _LOGICAL else ast.Binary
        result = make(outer.start_byte, outer.end_byte, operator, result, low.expression(right))
    return result


@lowers("ternary_expression")
def _ternary(low: Lowering, node: Tree) -> ast.Node:
    return ast.Conditional(
        node.start_byte,
        node.end_byte,
        low.expression(low.field(node, "condition")),
        low.expression(low.field(node, "consequence")),
        low.expression(low.field(node, "alternative")),
    )


@lowers("assignment_expression")
def _assignment(low: Lowering, node: Tree) -> ast.Node:
    left = target(low, low.field(node, "left"))
    return ast.Assign(node.start_byte, node.end_byte, "", left, low.expression(low.field(node, "right")))


@lowers("augmented_assignment_expression")
def _augmented(low: Lowering, node: Tree) -> ast.Node:
    operator = low.text(low.field(node, "operator"))[:-1]
    left = target(low, low.field(node, "left"))
    return ast.Assign(node.start_byte, node.end_byte, operator, left, low.expression(low.field(node, "right")))


@lowers("sequence_expression")
def _sequence(low: Lowering, node: Tree) -> ast.Node:
    return ast.Sequence(node.start_byte, node.end_byte, tuple(low.expression(child) for child in named(node)))


@lowers("await_expression")
def _await(low: Lowering, node: Tree) -> ast.Node:
    return ast.Await(node.start_byte, node.end_byte, _only(low, node))


@lowers("yield_expression")
def _yield(low: Lowering, node: Tree) -> ast.Node:
    children = named(node)
    value = low.expression(children[0]) if children else None
    return ast.Yield(node.start_byte, node.end_byte, value, has_token(node, "*"))


@lowers("meta_property")
def _meta(low: Lowering, node: Tree) -> ast.Node:
    return ast.Name(node.start_byte, node.end_byte, "".join(low.text(node).split()))


def _only(low: Lowering, node: Tree) -> ast.Node:
    return low.expression(named(node)[0])
