"""Whether a piece of syntax, or a value that is handed on, can reach the database: judged without running it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from remediate.evaluate import ast
from remediate.evaluate.functions import ClassValue, Closure
from remediate.evaluate.knex.handle import Connection, KnexHandle
from remediate.evaluate.knex.method import Method, Scripted
from remediate.evaluate.knex.pool import PoolHandle
from remediate.evaluate.knex.raw import Functions
from remediate.evaluate.knex.session import Settled, Thenable
from remediate.evaluate.machine import MISSING, Lazy, Scope
from remediate.evaluate.values import UNDEFINED, HostObject, Value

_MOST_NESTED = 6
_SCHEMA_WORDS = frozenset({"schema", "raw", "query", "transaction"})


def is_database(value: Any) -> bool:
    """Whether a value is the handle, a builder, or something else through which a statement can be sent."""
    if isinstance(value, KnexHandle | PoolHandle):
        return True
    if isinstance(value, Functions | Settled | Method):
        return False
    return isinstance(value, Scripted | Thenable) or bool(getattr(value, "is_foreign_database", False))


def knows_connection(value: Value, depth: int = 0) -> bool:
    """Whether whoever gets this value may connect to the database by itself."""
    if isinstance(value, list | dict) and depth <= _MOST_NESTED:
        items = list(value.values()) if isinstance(value, dict) else value
        return any(knows_connection(item, depth + 1) for item in items[:100])
    return isinstance(value, Connection)


def reaches_database(value: Value, depth: int = 0, seen: set[int] | None = None) -> bool:
    """Whether whoever gets this value can reach the database with it."""
    if is_database(value):
        return True
    if depth > _MOST_NESTED:
        return False
    if isinstance(value, Closure):
        return touches_database(value.node, value.scope, seen)
    if isinstance(value, ClassValue):
        return touches_database(value.node, value.scope, seen)
    if isinstance(value, list):
        return any(reaches_database(item, depth + 1, seen) for item in value[:100])
    if isinstance(value, dict):
        return any(reaches_database(item, depth + 1, seen) for item in list(value.values())[:100])
    return False


def touches_database(node: ast.Node | None, scope: Scope, seen: set[int] | None = None) -> bool:
    """Whether a name in this syntax stands for the database here, or for a function that reaches it."""
    if node is None:
        return False
    seen = set() if seen is None else seen
    if id(node) in seen:
        return False
    seen.add(id(node))
    names = {item.name for item in ast.walk(node) if isinstance(item, ast.Name)}
    for name in names:
        value = scope.find(name)
        if value is MISSING or isinstance(value, Lazy) or name in ("this", "arguments"):
            continue
        if (isinstance(value, HostObject | list | dict)) and reaches_database(value, 1, seen):
            return True
    return False


def changes_schema(node: ast.Node, scope: Scope) -> bool:
    """Whether what this syntax does to the database may be more than rows: DDL, raw SQL, a helper with the handle."""
    if not touches_database(node, scope):
        return False
    for item in ast.walk(node):
        if isinstance(item, ast.Member) and item.name in _SCHEMA_WORDS:
            return True
        if isinstance(item, ast.Call):
            if isinstance(item.function, ast.Name) and isinstance(scope.find(item.function.name), Closure | Lazy):
                return True
            if any(isinstance(passed, ast.Name) and is_database(scope.find(passed.name)) for passed in item.arguments):
                return True
    return False


def always_leaves(node: ast.Node | None) -> str | None:
    """How a statement always ends: "return", "throw", "break", "continue"; None if it may go on."""
    if isinstance(node, ast.Return):
        return "return"
    if isinstance(node, ast.Throw):
        return "throw"
    if isinstance(node, ast.Jump):
        return node.kind
    if isinstance(node, ast.Block):
        for item in node.body:
            found = always_leaves(item)
            if found is not None:
                return found
    if isinstance(node, ast.If) and node.otherwise is not None and always_leaves(node.then) is not None:
        return always_leaves(node.otherwise)
    if isinstance(node, ast.Expression) and _ends_process(node.value):
        return "throw"
    return None


def _ends_process(node: ast.Node) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.function, ast.Member)
        and node.function.name == "exit"
        and isinstance(node.function.object, ast.Name)
        and node.function.object.name == "process"
    )


def ways_out(body: ast.Node, test: ast.Node | None) -> Iterator[int]:
    """The identities of the `if` statements that alone end a loop with this body, none where its test can end it.

    `while (true) { … if (updated === 0) break; }` has one, and so has `while (more) { … if (…) more = false; }`.
    """
    flag = test.value if isinstance(test, ast.Unary) and test.operator == "!" else test
    if flag is not None and not isinstance(flag, ast.Name | ast.Constant):
        return
    waiting: list[tuple[Any, bool]] = [(body, True)]
    while waiting:
        item, breaks = waiting.pop()
        if isinstance(item, tuple):
            waiting.extend((inner, breaks) for inner in item)
        elif isinstance(item, ast.Node) and not isinstance(item, ast.Function):
            if isinstance(item, ast.If):
                ended = always_leaves(item.then)
                if ended == "return" or (ended == "break" and breaks) or _assigns(item.then, flag):
                    yield id(item)
            breaks = breaks and not isinstance(item, ast.For | ast.ForEach | ast.While | ast.Switch)
            waiting.extend((getattr(item, entry.name), breaks) for entry in fields(item))


def _assigns(node: ast.Node, flag: ast.Node | None) -> bool:
    return isinstance(flag, ast.Name) and any(
        isinstance(item, ast.Assign) and isinstance(item.target, ast.Name) and item.target.name == flag.name
        for item in _own(node)
    )


def may_leave(node: ast.Node | None) -> bool:
    """Whether a return, break or continue of the function around stands in this syntax."""
    return node is not None and any(isinstance(item, ast.Return | ast.Jump) for item in _own(node))


def _own(node: ast.Node) -> Iterator[ast.Node]:
    """The syntax below a node without that of inner functions."""
    waiting: list[Any] = [node]
    while waiting:
        item = waiting.pop()
        if isinstance(item, tuple):
            waiting.extend(item)
        elif isinstance(item, ast.Node) and not isinstance(item, ast.Function):
            yield item
            waiting.extend(getattr(item, entry.name) for entry in fields(item))


def rethrows(handler: Value) -> bool:
    """Whether an error handler always throws again: then it swallows nothing."""
    if not isinstance(handler, Closure):
        return handler is UNDEFINED
    return always_leaves(handler.node.body) == "throw"
