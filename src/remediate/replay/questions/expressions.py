"""Compiles SQL expressions, once, into functions of a row.

The trees are libpg_query's (parsenodes.h). What is not understood raises `NotUnderstood` at compile time; what
PostgreSQL refuses raises `Refused`, also for names, since parse analysis refuses them before any row is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from remediate.evaluate.values import Unknown
from remediate.replay.questions import calls, sublinks
from remediate.replay.questions.binary import binary, combine, unify
from remediate.replay.questions.casts import cast, common_type, type_of_node
from remediate.replay.questions.errors import NotUnderstood, Refused
from remediate.replay.questions.operators import (
    arithmetic,
    both,
    distinct,
    either,
    negate,
)
from remediate.replay.questions.scope import Env, Expression, Run, Scope
from remediate.replay.questions.values import Record, Value, element_type, is_array

_DEPTH: Final = 200


class Compiler:
    """Compiles the expressions of one SELECT. `aggregates` collects aggregate calls where they are allowed."""

    def __init__(self, scope: Scope, aggregates: list[calls.Aggregate] | None = None) -> None:
        self.scope = scope
        self.session = scope.session
        self.aggregates = aggregates
        self.depth = 0

    def compile(self, node: Any) -> Expression:
        """`node` is the parser's Node; its kind decides."""
        kind = node.WhichOneof("node")
        handler = _HANDLERS.get(kind)
        if handler is None:
            raise NotUnderstood(f"an expression of kind {kind}")
        self.depth += 1
        if self.depth > _DEPTH:
            raise NotUnderstood("an expression that is nested too deeply")
        try:
            return handler(self, getattr(node, kind))
        finally:
            self.depth -= 1

    def compile_all(self, nodes: Sequence[Any]) -> list[Expression]:
        return [self.compile(node) for node in nodes]

    def coerce(self, expression: Expression, target: str) -> Expression:
        """`expression::target`, without a name."""
        if expression.type == target:
            return expression
        session, run, source = self.session, expression.run, expression.type
        return Expression(
            target,
            lambda env: cast(run(env), source, target, session),
            expression.uses,
            expression.outer,
            expression.name,
        )

    def condition(self, node: Any) -> Expression:
        """An expression in a place for booleans."""
        return self.coerce(self.compile(node), "bool")


def _constant(compiler: Compiler, node: Any) -> Expression:
    value: Value
    if node.isnull:
        return Expression("unknown", lambda env: None)
    kind = node.WhichOneof("val")
    if kind == "ival":
        value, type_name = int(node.ival.ival), "int4"
    elif kind == "fval":
        text = node.fval.fval
        try:
            value, type_name = int(text), "int8"
        except ValueError:
            value, type_name = Decimal(text), "numeric"
    elif kind == "boolval":
        value, type_name = bool(node.boolval.boolval), "bool"
    elif kind == "sval":
        value, type_name = str(node.sval.sval), "unknown"
    else:
        raise NotUnderstood("a bit string")
    return Expression(type_name, lambda env: value)


def _column(compiler: Compiler, node: Any) -> Expression:
    fields: list[str] = []
    for part in node.fields:
        if part.WhichOneof("node") != "string":
            raise NotUnderstood("a * inside of an expression")
        fields.append(part.string.sval)
    return compiler.scope.resolve(fields)


def _parameter(compiler: Compiler, node: Any) -> Expression:
    variables, number = compiler.session.variables, node.number
    found = variables.parameter(number) if variables is not None else None
    if found is None:
        raise Refused("42P02", f"there is no parameter ${number}")

    def run(env: Env) -> Value:
        assert variables is not None
        now = variables.parameter(number)
        return now[1] if now else None

    return Expression(found[0], run, outer=True)


def _bool(compiler: Compiler, node: Any) -> Expression:
    parts = [compiler.condition(argument) for argument in node.args]
    runs = [part.run for part in parts]
    operator = int(node.boolop)  # 1 AND, 2 OR, 3 NOT
    if operator == 3:
        return combine("bool", parts, lambda env: negate(runs[0](env)))
    join = both if operator == 1 else either
    return combine("bool", parts, lambda env: join(run(env) for run in runs))


def _null_test(compiler: Compiler, node: Any) -> Expression:
    part, wanted = compiler.compile(node.arg), int(node.nulltesttype) == 1

    def run(env: Env) -> Value:
        value = part.run(env)
        if isinstance(value, Unknown):
            return value
        if isinstance(value, Record):
            nulls = [item is None for item in value.values]
            return all(nulls) if wanted else not any(nulls)
        return (value is None) == wanted

    return combine("bool", [part], run)


_BOOLEAN_TESTS: Final[dict[int, tuple[Value, bool]]] = {
    1: (True, True),
    2: (True, False),
    3: (False, True),
    4: (False, False),
    5: (None, True),
    6: (None, False),
}


def _boolean_test(compiler: Compiler, node: Any) -> Expression:
    part = compiler.condition(node.arg)
    expected, positive = _BOOLEAN_TESTS[int(node.booltesttype)]

    def run(env: Env) -> Value:
        value = part.run(env)
        return value if isinstance(value, Unknown) else (value is expected) == positive

    return combine("bool", [part], run)


def _type_cast(compiler: Compiler, node: Any) -> Expression:
    part = compiler.compile(node.arg)
    target = type_of_node(node.type_name, compiler.session)
    if part.type == "unknown" and part.run(Env((), None)) is None and not part.outer and not part.uses:
        return Expression(target, lambda env: None, name=node.type_name.names[-1].string.sval, weak=True)
    made = compiler.coerce(part, target)
    limit = node.type_name.typmods[0].a_const.ival.ival if len(node.type_name.typmods) == 1 else 0
    if target in ("varchar", "bpchar") and limit:
        inner = made.run

        def cut(env: Env) -> Value:
            value = inner(env)
            return value[:limit] if isinstance(value, str) else value

        made = Expression(target, cut, made.uses, made.outer, made.name)
    type_name = node.type_name.names[-1].string.sval
    weak = part.weak or part.name is None
    return Expression(made.type, made.run, made.uses, made.outer, type_name if weak else part.name, weak)


def _a_expr(compiler: Compiler, node: Any) -> Expression:
    kind = int(node.kind)
    operator = node.name[-1].string.sval
    # 1 OP, 2 OP_ANY, 3 OP_ALL, 4 DISTINCT, 5 NOT_DISTINCT, 6 NULLIF, 7 IN, 8 LIKE, 9 ILIKE, 10 SIMILAR, 11.. BETWEEN
    if kind == 7:
        return _in_list(compiler, node, operator == "<>")
    if kind in (11, 12, 13, 14):
        low, high = compiler.compile_all(node.rexpr.list.items)
        value = compiler.compile(node.lexpr)
        inside = combine(
            "bool",
            [value, low, high],
            _between(binary(compiler, ">=", value, low).run, binary(compiler, "<=", value, high).run),
        )
        if kind in (12, 14):
            return combine("bool", [inside], lambda env: negate(inside.run(env)))
        return inside
    if not node.HasField("lexpr"):
        part = compiler.compile(node.rexpr)
        if operator == "-":
            return combine(part.type, [part], lambda env: arithmetic("-", 0, part.run(env)))
        if operator == "+":
            return part
        raise NotUnderstood(f"the prefix operator {operator}")
    left, right = compiler.compile(node.lexpr), compiler.compile(node.rexpr)
    if kind in (1, 8, 9):
        if left.type == "record" and right.type == "record" and operator not in ("=", "<>"):
            raise NotUnderstood("an order of rows")
        return binary(compiler, operator, left, right)
    if kind in (2, 3):
        return _quantified(compiler, operator, left, right, any_of=kind == 2)
    if kind in (4, 5):
        left, right = unify(compiler, left, right)
        first, second = left.run, right.run
        if kind == 4:
            return combine("bool", (left, right), lambda env: distinct(first(env), second(env)))
        return combine("bool", (left, right), lambda env: negate(distinct(first(env), second(env))))
    if kind == 6:
        second = binary(compiler, "=", left, right).run

        def nullif(env: Env) -> Value:
            value, same = left.run(env), second(env)
            return same if isinstance(same, Unknown) else None if same is True else value

        return combine(left.type, (left, right), nullif, "nullif")
    raise NotUnderstood("SIMILAR TO")


def _between(low: Run, high: Run) -> Run:
    return lambda env: both((low(env), high(env)))


def _in_list(compiler: Compiler, node: Any, negated: bool) -> Expression:
    left = compiler.compile(node.lexpr)
    parts = [binary(compiler, "=", left, compiler.compile(item)) for item in node.rexpr.list.items]
    runs = [part.run for part in parts]
    if negated:
        return combine("bool", parts, lambda env: negate(either(run(env) for run in runs)))
    return combine("bool", parts, lambda env: either(run(env) for run in runs))


def _quantified(compiler: Compiler, operator: str, left: Expression, right: Expression, *, any_of: bool) -> Expression:
    """`x op ANY (array)` and ALL."""
    if right.type == "unknown":
        right = compiler.coerce(right, f"{left.type if left.type != 'unknown' else 'text'}[]")
    if not is_array(right.type):
        raise NotUnderstood(f"{operator} ANY over {right.type}")
    item: list[Value] = [None]
    element = Expression(element_type(right.type), lambda env: item[0])
    compared = binary(compiler, operator, left, element).run
    decide = either if any_of else both

    def run(env: Env) -> Value:
        array = right.run(env)
        if array is None or isinstance(array, Unknown):
            return array
        results = []
        for value in array:
            item[0] = value
            results.append(compared(env))
        return decide(results)

    return combine("bool", (left, right), run)


def _case(compiler: Compiler, node: Any) -> Expression:
    subject = compiler.compile(node.arg) if node.HasField("arg") else None
    conditions: list[Expression] = []
    results: list[Expression] = []
    for when in node.args:
        test = when.case_when
        if subject is None:
            conditions.append(compiler.condition(test.expr))
        else:
            conditions.append(binary(compiler, "=", subject, compiler.compile(test.expr)))
        results.append(compiler.compile(test.result))
    otherwise = (
        compiler.compile(node.defresult) if node.HasField("defresult") else Expression("unknown", lambda env: None)
    )
    target = common_type([part.type for part in (*results, otherwise)])
    weak = otherwise.name is None or otherwise.weak
    name = "case" if weak else otherwise.name
    results = [compiler.coerce(part, target) for part in results]
    otherwise = compiler.coerce(otherwise, target)

    def run(env: Env) -> Value:
        for condition, result in zip(conditions, results, strict=True):
            value = condition.run(env)
            if isinstance(value, Unknown):
                return value
            if value is True:
                return result.run(env)
        return otherwise.run(env)

    made = combine(target, [*conditions, *results, otherwise], run, name)
    made.weak = weak
    return made


def _coalesce(compiler: Compiler, node: Any) -> Expression:
    parts = compiler.compile_all(node.args)
    target = common_type([part.type for part in parts])
    parts = [compiler.coerce(part, target) for part in parts]

    def run(env: Env) -> Value:
        for part in parts:
            value = part.run(env)
            if value is not None:
                return value
        return None

    return combine(target, parts, run, "coalesce")


def _min_max(compiler: Compiler, node: Any) -> Expression:
    name = "greatest" if int(node.op) == 1 else "least"
    return calls.builtin(name, [compiler.compile(argument) for argument in node.args], compiler.session)


def _array(compiler: Compiler, node: Any) -> Expression:
    parts = compiler.compile_all(node.elements)
    if any(is_array(part.type) for part in parts):
        raise NotUnderstood("an array of arrays")
    target = common_type([part.type for part in parts])
    parts = [compiler.coerce(part, target) for part in parts]

    def run(env: Env) -> Value:
        values = [part.run(env) for part in parts]
        return next((value for value in values if isinstance(value, Unknown)), values)

    return combine(f"{target}[]", parts, run, "array")


def _row(compiler: Compiler, node: Any) -> Expression:
    parts = compiler.compile_all(node.args)
    names = tuple(f"f{number}" for number in range(1, len(parts) + 1))
    types = tuple(part.type for part in parts)
    return combine("record", parts, lambda env: Record(names, types, tuple(part.run(env) for part in parts)), "row")


def _indirection(compiler: Compiler, node: Any) -> Expression:
    made = compiler.compile(node.arg)
    for step in node.indirection:
        kind = step.WhichOneof("node")
        if kind == "a_indices" and not step.a_indices.is_slice and is_array(made.type):
            made = _subscript(made, compiler.compile(step.a_indices.uidx))
        elif kind == "string" and made.type == "record":
            made = _field(made, step.string.sval)
        else:
            raise NotUnderstood("a part of a composite value")
    return made


def _subscript(array: Expression, index: Expression) -> Expression:
    def run(env: Env) -> Value:
        value, number = array.run(env), index.run(env)
        for item in (value, number):
            if isinstance(item, Unknown):
                return item
        if value is None or number is None or not 1 <= number <= len(value):
            return None
        return value[number - 1]

    return combine(element_type(array.type), [array, index], run, array.name)


def _field(record: Expression, name: str) -> Expression:
    def run(env: Env) -> Value:
        value = record.run(env)
        if isinstance(value, Record):
            return value.fields().get(name, Unknown(f"the field {name} of a row"))
        return value

    return combine("text", [record], run, name)


def _value_function(compiler: Compiler, node: Any) -> Expression:
    # SVFOp: 1..9 dates and times, 10 CURRENT_ROLE, 11 CURRENT_USER, 12 USER, 13 SESSION_USER, 14 CURRENT_CATALOG,
    # 15 CURRENT_SCHEMA
    session, operator = compiler.session, int(node.op)
    names = {10: "current_role", 11: "current_user", 12: "user", 13: "session_user", 14: "current_catalog"}
    if operator in (10, 11, 12):
        return Expression("name", lambda env: session.reader.current_user, name=names[operator])
    if operator == 13:
        return Expression("name", lambda env: Unknown("depends on who connects"), name="session_user")
    if operator == 14:
        return Expression("name", lambda env: session.reader.database, name="current_catalog")
    if operator == 15:
        return Expression("name", lambda env: session.reader.current_schema, name="current_schema")
    return Expression("timestamptz", lambda env: Unknown("depends on the time"), name="current_timestamp")


def _call(compiler: Compiler, node: Any) -> Expression:
    return calls.compile_call(compiler, node)


def _sublink(compiler: Compiler, node: Any) -> Expression:
    return sublinks.compile_sublink(compiler, node)


def _collate(compiler: Compiler, node: Any) -> Expression:
    return compiler.compile(node.arg)


_HANDLERS: Final[dict[str, Callable[[Compiler, Any], Expression]]] = {
    "a_const": _constant,
    "column_ref": _column,
    "param_ref": _parameter,
    "bool_expr": _bool,
    "null_test": _null_test,
    "boolean_test": _boolean_test,
    "type_cast": _type_cast,
    "a_expr": _a_expr,
    "case_expr": _case,
    "coalesce_expr": _coalesce,
    "min_max_expr": _min_max,
    "a_array_expr": _array,
    "row_expr": _row,
    "a_indirection": _indirection,
    "sqlvalue_function": _value_function,
    "func_call": _call,
    "sub_link": _sublink,
    "collate_clause": _collate,
}
