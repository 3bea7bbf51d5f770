"""Sub-queries in expressions: EXISTS, IN, ANY, ALL, scalar and ARRAY sub-queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediate.evaluate.values import Unknown
from remediate.replay.questions.binary import binary
from remediate.replay.questions.errors import NotUnderstood, Refused
from remediate.replay.questions.operators import both, either
from remediate.replay.questions.scope import Env, Expression, Query, Rows
from remediate.replay.questions.values import Record, Value

if TYPE_CHECKING:
    from remediate.replay.questions.expressions import Compiler


def compile_sublink(compiler: Compiler, node: Any) -> Expression:
    """A SubLink; its sub-query may read the columns of the query around it."""
    # select.py compiles expressions and expressions hold SELECTs: one of the two imports has to wait.
    from remediate.replay.questions.select import compile_select

    query = compile_select(node.subselect.select_stmt, compiler.session, compiler.scope)
    kind = int(node.sub_link_type)  # 1 EXISTS, 2 ALL, 3 ANY, 4 ROWCOMPARE, 5 EXPR, 6 MULTIEXPR, 7 ARRAY
    uses = frozenset(range(len(compiler.scope.columns))) if query.outer else frozenset()
    if kind == 1:
        return Expression("bool", lambda env: _exists(query.run(env)), uses, True, "exists")
    if kind == 5:
        name, type_name = query.columns[0]
        if len(query.columns) > 1:
            raise Refused("42601", "subquery must return only one column")
        return Expression(type_name, lambda env: _single(query.run(env)), uses, True, name)
    if kind == 7:
        return Expression(f"{query.columns[0][1]}[]", lambda env: _collect(query.run(env)), uses, True, "array")
    if kind in (2, 3):
        return _compare_all(compiler, node, query, uses, any_of=kind == 3)
    raise NotUnderstood("a comparison with several columns of a sub-query")


def _exists(rows: Rows) -> Value:
    doubt: Unknown | None = None
    for _, reason in rows:
        if reason is None:
            return True
        doubt = doubt or reason
    return doubt if doubt is not None else False


def _single(rows: Rows) -> Value:
    doubt = next((reason for _, reason in rows if reason is not None), None)
    if doubt is not None:
        return doubt
    if len(rows) > 1:
        raise Refused("21000", "more than one row returned by a subquery used as an expression")
    return rows[0][0][0] if rows else None


def _collect(rows: Rows) -> Value:
    doubt = next((reason for _, reason in rows if reason is not None), None)
    values = [row[0] for row, _ in rows]
    return doubt if doubt is not None else values


def _compare_all(compiler: Compiler, node: Any, query: Query, uses: frozenset[int], *, any_of: bool) -> Expression:
    left = compiler.compile(node.testexpr)
    operator = node.oper_name[-1].string.sval if node.oper_name else "="
    item: list[Value] = [None]
    if len(query.columns) == 1:
        element = Expression(query.columns[0][1], lambda env: item[0])
    else:
        element = Expression("record", lambda env: item[0])
    compared = binary(compiler, operator, left, element).run
    names = tuple(name for name, _ in query.columns)
    types = tuple(type_name for _, type_name in query.columns)

    def run(env: Env) -> Value:
        results: list[Value] = []
        for row, reason in query.run(env):
            item[0] = row[0] if len(row) == 1 else Record(names, types, row)
            result = compared(env)
            if reason is not None:
                # A row that may be missing counts only if it would decide.
                neutral = result is False if any_of else result is True
                result = result if neutral else reason
            results.append(result)
        return either(results) if any_of else both(results)

    return Expression("bool", run, uses | left.uses, True)
