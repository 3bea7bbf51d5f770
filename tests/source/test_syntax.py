"""Trees of TypeScript that say what is meant."""

from __future__ import annotations

import pytest

from remediate.source.syntax import descendants, parse, text_of


@pytest.mark.parametrize(
    ("text", "outermost", "called"),
    [
        ("await a.b<T>(c)", "await_expression", "a.b"),
        ("await b<T[]>(c)", "await_expression", "b"),
        ("await b<{ c: string }>(d)", "await_expression", "b"),
        ("!b<T>(c)", "unary_expression", "b"),
        ("typeof a.b<T>(c)", "unary_expression", "a.b"),
        ("a + b<T>(c)", "binary_expression", "b"),
        ("(await b)<T>(c)", "call_expression", "(await b)"),
        ("b<T>(c)", "call_expression", "b"),
    ],
)
def test_an_operator_before_a_call_with_type_arguments_is_about_the_call(
    text: str, outermost: str, called: str
) -> None:
    data = f"async function f() {{ {text}; }}".encode()
    tree = parse("a.ts", data)
    assert not tree.root_node.has_error
    statement = next(node for node in descendants(tree.root_node) if node.type == "expression_statement")
    (expression,) = statement.named_children
    assert expression.type == outermost
    call = next(node for node in descendants(expression) if node.type == "call_expression")
    function = call.child_by_field_name("function")
    assert function is not None
    assert data[function.start_byte : function.end_byte].decode() == called
    assert text_of(function) == called


def test_calls_within_calls_are_all_read() -> None:
    data = b"async function f() { await a<T>(await b<U>(await c<V>(d))); }"
    types = [node.type for node in descendants(parse("a.ts", data).root_node)]
    assert types.count("await_expression") == types.count("call_expression") == 3
    functions = [node for node in descendants(parse("a.ts", data).root_node) if node.type == "call_expression"]
    assert all((node.child_by_field_name("function") or node).type == "identifier" for node in functions)
