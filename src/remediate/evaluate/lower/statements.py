"""Lowering of statements and modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from remediate.evaluate import ast
from remediate.evaluate.lower.lowering import Lowering, Tree, has_token, named
from remediate.evaluate.lower.patterns import declared_names, key, target

_ERASED = {
    "comment",
    "empty_statement",
    "interface_declaration",
    "type_alias_declaration",
    "ambient_declaration",
    "function_signature",
    "hash_bang_line",
    "debugger_statement",
}
"""What leaves nothing behind once types are erased."""


def block(low: Lowering, node: Tree) -> ast.Block:
    """The statements of a block, in a scope of their own where they declare something."""
    return statements(low, node, named(node))


def statements(low: Lowering, node: Tree, children: Sequence[Tree]) -> ast.Block:
    body: list[ast.Node] = []
    functions: list[ast.FunctionDeclaration] = []
    for child in children:
        statement_into(low, child, body, functions)
    scoped = bool(functions) or any(
        isinstance(item, ast.ClassDeclaration | ast.Enum | ast.Namespace)
        or (isinstance(item, ast.Declaration) and item.kind != "var")
        for item in body
    )
    return ast.Block(node.start_byte, node.end_byte, tuple(body), tuple(functions), scoped)


def statement(low: Lowering, node: Tree) -> ast.Node:
    """One statement as the body of another."""
    if node.type == "statement_block":
        low.descend(node)
        result: ast.Node = block(low, node)
        low.depth -= 1
        return result
    whole = statements(low, node, [node])
    return whole.body[0] if len(whole.body) == 1 and not whole.functions and not whole.scoped else whole


def statement_into(low: Lowering, node: Tree, body: list[ast.Node], functions: list[ast.FunctionDeclaration]) -> None:
    """Lowers one statement to none, one or more; functions go apart, for they are hoisted."""
    kind = node.type
    if kind in _ERASED:
        return
    low.descend(node)
    start, end = node.start_byte, node.end_byte
    if kind in ("function_declaration", "generator_function_declaration"):
        function = low.expression(node)
        assert isinstance(function, ast.Function)
        functions.append(ast.FunctionDeclaration(start, end, function))
    elif kind == "export_statement":
        _export(low, node, body, functions)
    elif kind == "import_statement":
        _import(low, node)
    elif kind == "expression_statement" and node.named_children and node.named_children[0].type == "internal_module":
        _namespace(low, node.named_children[0], body)
    elif kind in ("internal_module", "module"):
        _namespace(low, node, body)
    else:
        lower = _STATEMENTS.get(kind)
        if lower is None:
            unsupported = ast.Unsupported(start, end, f"{kind} is not interpreted")
            body.append(ast.Expression(start, end, unsupported))
        else:
            body.append(lower(low, node))
    low.depth -= 1


def _export(low: Lowering, node: Tree, body: list[ast.Node], functions: list[ast.FunctionDeclaration]) -> None:
    start, end = node.start_byte, node.end_byte
    low.modern = True
    tokens = {child.type for child in node.children if not child.is_named}
    source = node.child_by_field_name("source")
    declaration = node.child_by_field_name("declaration")
    value = node.child_by_field_name("value")
    if "type" in tokens:
        return
    clause = next((child for child in node.named_children if child.type in ("export_clause", "namespace_export")), None)
    if source is not None:
        origin = _string(low, source)
        names: tuple[tuple[str, str], ...] = (("*", "*"),)
        if clause is not None and clause.type == "namespace_export":
            names = (("*", low.text(named(clause)[0])),)
        elif clause is not None:
            names = _specifiers(low, clause)
        body.append(ast.ExportFrom(start, end, origin, names))
    elif clause is not None:
        body.append(ast.Export(start, end, _specifiers(low, clause)))
    elif declaration is not None:
        _exported_declaration(low, node, declaration, body, functions)
    elif value is not None:
        body.append(ast.ExportValue(start, end, low.expression(value), False))
    elif "=" in tokens:
        body.append(ast.ExportValue(start, end, low.expression(named(node)[-1]), True))


def _exported_declaration(
    low: Lowering,
    node: Tree,
    declaration: Tree,
    body: list[ast.Node],
    functions: list[ast.FunctionDeclaration],
) -> None:
    start, end = node.start_byte, node.end_byte
    before, before_functions = len(body), len(functions)
    statement_into(low, declaration, body, functions)
    names = [function.function.name for function in functions[before_functions:]]
    for item in body[before:]:
        if isinstance(item, ast.Declaration):
            names.extend(name for left, _ in item.declarators for name in declared_names(left))
        elif isinstance(item, ast.ClassDeclaration | ast.Enum | ast.Namespace):
            names.append(item.name)
    if has_token(node, "default"):
        body.append(ast.Export(start, end, tuple((name, "default") for name in names)))
    else:
        body.append(ast.Export(start, end, tuple((name, name) for name in names)))


def _specifiers(low: Lowering, clause: Tree) -> tuple[tuple[str, str], ...]:
    pairs = []
    for item in named(clause):
        if item.type != "export_specifier" or has_token(item, "type"):
            continue
        name = low.field(item, "name")
        pairs.append((_plain(low, name), _plain(low, item.child_by_field_name("alias") or name)))
    return tuple(pairs)


def _import(low: Lowering, node: Tree) -> None:
    low.modern = True
    if has_token(node, "type") or has_token(node, "typeof"):
        return
    names: list[tuple[str, str]] = []
    source = node.child_by_field_name("source")
    for child in named(node):
        if child.type == "import_require_clause":
            source = low.field(child, "source")
            names.append(("=", low.text(named(child)[0])))
        elif child.type == "import_clause":
            names.extend(_imported(low, child))
    if source is not None:
        low.imports.append(ast.Import(node.start_byte, node.end_byte, _string(low, source), tuple(names)))


def _imported(low: Lowering, clause: Tree) -> list[tuple[str, str]]:
    names: list[tuple[str, str]] = []
    for child in named(clause):
        if child.type == "identifier":
            names.append(("default", low.text(child)))
        elif child.type == "namespace_import":
            names.append(("*", low.text(named(child)[0])))
        elif child.type == "named_imports":
            for item in named(child):
                if not has_token(item, "type"):
                    name = low.field(item, "name")
                    names.append((_plain(low, name), low.text(item.child_by_field_name("alias") or name)))
    return names


def _namespace(low: Lowering, node: Tree, body: list[ast.Node]) -> None:
    inner = node.child_by_field_name("body")
    name = node.child_by_field_name("name")
    if inner is not None and name is not None and name.type == "identifier":
        body.append(ast.Namespace(node.start_byte, node.end_byte, low.text(name), block(low, inner)))


def _declaration(low: Lowering, node: Tree) -> ast.Node:
    text = low.text(node.children[0])
    kind: Literal["const", "let", "var"] = "var" if text == "var" else "let" if text == "let" else "const"
    declarators = []
    for child in named(node):
        if child.type != "variable_declarator":
            continue
        left = target(low, low.field(child, "name"))
        value = child.child_by_field_name("value")
        declarators.append((left, low.expression(value) if value else None))
        if kind == "var":
            low.variables.extend(declared_names(left))
    return ast.Declaration(node.start_byte, node.end_byte, kind, tuple(declarators))


def _expression(low: Lowering, node: Tree) -> ast.Node:
    return ast.Expression(node.start_byte, node.end_byte, low.expression(named(node)[0]))


def _block(low: Lowering, node: Tree) -> ast.Node:
    return block(low, node)


def _if(low: Lowering, node: Tree) -> ast.Node:
    otherwise = node.child_by_field_name("alternative")
    return ast.If(
        node.start_byte,
        node.end_byte,
        low.expression(low.field(node, "condition")),
        statement(low, low.field(node, "consequence")),
        statement(low, named(otherwise)[0]) if otherwise and named(otherwise) else None,
    )


def _for(low: Lowering, node: Tree) -> ast.Node:
    first = node.child_by_field_name("initializer")
    test = node.child_by_field_name("condition")
    step = node.child_by_field_name("increment")
    return ast.For(
        node.start_byte,
        node.end_byte,
        None if first is None or first.type == "empty_statement" else _clause(low, first),
        None if test is None or test.type == "empty_statement" else _test(low, test),
        low.expression(step) if step else None,
        statement(low, low.field(node, "body")),
    )


def _clause(low: Lowering, node: Tree) -> ast.Node:
    if node.type in _STATEMENTS:
        return _STATEMENTS[node.type](low, node)
    return ast.Expression(node.start_byte, node.end_byte, low.expression(node))


def _test(low: Lowering, node: Tree) -> ast.Node:
    return low.expression(named(node)[0] if node.type == "expression_statement" else node)


def _for_each(low: Lowering, node: Tree) -> ast.Node:
    keyword = node.child_by_field_name("kind")
    text = low.text(keyword) if keyword else ""
    kind: Literal["", "const", "let", "var"] = (
        "var" if text == "var" else "let" if text == "let" else "const" if text else ""
    )
    left = target(low, low.field(node, "left"))
    if kind == "var":
        low.variables.extend(declared_names(left))
    return ast.ForEach(
        node.start_byte,
        node.end_byte,
        kind,
        left,
        low.expression(low.field(node, "right")),
        statement(low, low.field(node, "body")),
        low.text(low.field(node, "operator")) == "in",
        has_token(node, "await"),
    )


def _while(low: Lowering, node: Tree) -> ast.Node:
    test = low.expression(low.field(node, "condition"))
    body = statement(low, low.field(node, "body"))
    return ast.While(node.start_byte, node.end_byte, test, body, node.type == "do_statement")


def _return(low: Lowering, node: Tree) -> ast.Node:
    children = named(node)
    return ast.Return(node.start_byte, node.end_byte, low.expression(children[0]) if children else None)


def _throw(low: Lowering, node: Tree) -> ast.Node:
    return ast.Throw(node.start_byte, node.end_byte, low.expression(named(node)[0]))


def _jump(low: Lowering, node: Tree) -> ast.Node:
    label = node.child_by_field_name("label")
    kind: Literal["break", "continue"] = "break" if node.type == "break_statement" else "continue"
    return ast.Jump(node.start_byte, node.end_byte, kind, low.text(label) if label else "")


def _labelled(low: Lowering, node: Tree) -> ast.Node:
    label = low.text(low.field(node, "label"))
    return ast.Labelled(node.start_byte, node.end_byte, label, statement(low, low.field(node, "body")))


def _try(low: Lowering, node: Tree) -> ast.Node:
    handler = node.child_by_field_name("handler")
    finalizer = node.child_by_field_name("finalizer")
    parameter = handler.child_by_field_name("parameter") if handler else None
    return ast.Try(
        node.start_byte,
        node.end_byte,
        block(low, low.field(node, "body")),
        target(low, parameter) if parameter else None,
        block(low, low.field(handler, "body")) if handler else None,
        block(low, low.field(finalizer, "body")) if finalizer else None,
    )


def _switch(low: Lowering, node: Tree) -> ast.Node:
    cases: list[tuple[ast.Node | None, tuple[ast.Node, ...]]] = []
    for child in named(low.field(node, "body")):
        value = child.child_by_field_name("value")
        children = [item for item in named(child) if value is None or item.id != value.id]
        whole = statements(low, child, children)
        cases.append((low.expression(value) if value else None, (*whole.functions, *whole.body)))
    return ast.Switch(node.start_byte, node.end_byte, low.expression(low.field(node, "value")), tuple(cases))


def _class(low: Lowering, node: Tree) -> ast.Node:
    return ast.ClassDeclaration(node.start_byte, node.end_byte, low.text(low.field(node, "name")), low.expression(node))


def _enum(low: Lowering, node: Tree) -> ast.Node:
    members: list[tuple[str, ast.Node | None]] = []
    for child in named(low.field(node, "body")):
        value = child.child_by_field_name("value")
        name = key(low, low.field(child, "name") if child.type == "enum_assignment" else child)
        members.append((name if isinstance(name, str) else "", low.expression(value) if value else None))
    return ast.Enum(node.start_byte, node.end_byte, low.text(low.field(node, "name")), tuple(members))


def _string(low: Lowering, node: Tree) -> str:
    return low.text(node)[1:-1]


def _plain(low: Lowering, node: Tree) -> str:
    return _string(low, node) if node.type == "string" else low.text(node)


_STATEMENTS: dict[str, Callable[[Lowering, Tree], ast.Node]] = {
    "lexical_declaration": _declaration,
    "variable_declaration": _declaration,
    "expression_statement": _expression,
    "statement_block": _block,
    "if_statement": _if,
    "for_statement": _for,
    "for_in_statement": _for_each,
    "while_statement": _while,
    "do_statement": _while,
    "return_statement": _return,
    "throw_statement": _throw,
    "break_statement": _jump,
    "continue_statement": _jump,
    "labeled_statement": _labelled,
    "try_statement": _try,
    "switch_statement": _switch,
    "class_declaration": _class,
    "abstract_class_declaration": _class,
    "enum_declaration": _enum,
}
