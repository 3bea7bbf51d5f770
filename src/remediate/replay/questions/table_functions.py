"""Functions in FROM: unnest, generate_series, and others that give rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from remediate.evaluate.values import Unknown
from remediate.replay.questions.errors import NotUnderstood
from remediate.replay.questions.operators import regular_expression
from remediate.replay.questions.scope import Env, Expression, Rows
from remediate.replay.questions.values import Json, Value, element_type

if TYPE_CHECKING:
    from remediate.replay.questions.expressions import Compiler

_MOST_ROWS: Final = 100_000


def _unnest(values: list[Value]) -> Value:
    return values[0] if values[0] is not None else []


def _series(values: list[Value]) -> Value:
    start, stop, step = (*values, 1)[:3] if len(values) == 2 else values
    if not all(isinstance(value, int) for value in (start, stop, step)) or step == 0:
        return [] if None in values else Unknown("a series of values that are not integers")
    numbers = range(start, stop + (1 if step > 0 else -1), step)
    return list(numbers) if len(numbers) <= _MOST_ROWS else Unknown("a series that is too long")


def _split(values: list[Value]) -> Value:
    if values[0] is None:
        return []
    return list(re.split(regular_expression(str(values[1]), False), str(values[0])))


def _string_to_table(values: list[Value]) -> Value:
    text, separator = values[0], values[1]
    return [] if text is None else text.split(separator) if separator else [text]


def _json_elements(values: list[Value]) -> Value:
    made = values[0]
    if not isinstance(made, Json) or not isinstance(made.value, list):
        return Unknown("the elements of a json value")
    return [item if isinstance(item, str) else Json(item) for item in made.value]


SETS: Final[dict[str, tuple[Callable[[list[str]], str], Callable[[list[Value]], Value]]]] = {
    "unnest": (lambda types: element_type(types[0]), _unnest),
    "generate_series": (lambda types: types[0], _series),
    "regexp_split_to_table": (lambda types: "text", _split),
    "string_to_table": (lambda types: "text", _string_to_table),
    "json_array_elements_text": (lambda types: "text", _json_elements),
    "jsonb_array_elements_text": (lambda types: "text", _json_elements),
}
"""Functions that give one column of several rows: the column's type and the values."""


def compile_set(compiler: Compiler, node: Any) -> tuple[Expression, Callable[[Env], Value]] | None:
    """A call of one of `SETS`: an expression for its name and type, and its list of values; None for other nodes."""
    if node.WhichOneof("node") != "func_call":
        return None
    call = node.func_call
    name = call.funcname[-1].string.sval
    if name not in SETS or len(call.args) == 0:
        return None
    parts = compiler.compile_all(call.args)
    if name == "unnest" and len(parts) > 1:
        return None
    if name in ("unnest",) and parts[0].type == "unknown":
        parts = [compiler.coerce(parts[0], "text[]")]
    if name.startswith("json"):
        parts = [compiler.coerce(part, "jsonb") for part in parts]
    typed, compute = SETS[name]
    runs = [part.run for part in parts]

    def values(env: Env) -> Value:
        arguments = [run(env) for run in runs]
        unknown = next((value for value in arguments if isinstance(value, Unknown)), None)
        return unknown if unknown is not None else compute(arguments)

    uses = frozenset().union(*(part.uses for part in parts))
    outer = any(part.outer for part in parts)
    return Expression(typed([part.type for part in parts]), lambda env: None, uses, outer, name), values


def compile_table_function(compiler: Compiler, node: Any) -> tuple[list[tuple[str, str]], Callable[[Env], Rows], str]:
    """A RangeFunction: its columns, its rows for a row of the items before it, and its alias."""
    calls = [item.list.items[0] for item in node.functions]
    compiled = []
    for call in calls:
        arguments = call.func_call.args if call.WhichOneof("node") == "func_call" else ()
        if len(arguments) > 1 and call.func_call.funcname[-1].string.sval == "unnest":
            # unnest(a, b) is ROWS FROM (unnest(a), unnest(b)).
            for argument in arguments:
                single = type(call)()
                single.CopyFrom(call)
                del single.func_call.args[:]
                single.func_call.args.append(argument)
                compiled.append(compile_set(compiler, single))
        else:
            compiled.append(compile_set(compiler, call))
    if any(item is None for item in compiled):
        return _scalar_call(compiler, node, calls)
    sets = [item for item in compiled if item is not None]
    alias = node.alias.aliasname if node.HasField("alias") else sets[0][0].name or "function"
    names = [part.string.sval for part in node.alias.colnames] if node.HasField("alias") else []
    columns = [(expression.name or "function", expression.type) for expression, _ in sets]
    if len(sets) == 1 and node.HasField("alias"):
        # A function with one column calls it by the alias.
        columns = [(alias, columns[0][1])]
    if node.ordinality:
        columns.append(("ordinality", "int8"))
    columns = [(names[number] if number < len(names) else name, kind) for number, (name, kind) in enumerate(columns)]
    width = len(columns)

    def run(env: Env) -> Rows:
        lists = [values(env) for _, values in sets]
        unknown = next((value for value in lists if isinstance(value, Unknown)), None)
        if unknown is not None:
            return [((unknown,) * width, unknown)]
        rows: Rows = []
        for number, values in enumerate(zip_longest(*lists), 1):
            rows.append(((*values, number) if node.ordinality else tuple(values), None))
        return rows

    return columns, run, alias


def _scalar_call(
    compiler: Compiler, node: Any, calls: list[Any]
) -> tuple[list[tuple[str, str]], Callable[[Env], Rows], str]:
    """A function that gives one value, in FROM: one row of one column."""
    if len(calls) != 1 or node.ordinality or len(node.coldeflist):
        raise NotUnderstood("rows of a function")
    expression = compiler.compile(calls[0])
    if expression.type == "record":
        raise NotUnderstood("rows of a function")
    name = expression.name or "function"
    alias = node.alias.aliasname if node.HasField("alias") else name
    names = [part.string.sval for part in node.alias.colnames] if node.HasField("alias") else []
    column = names[0] if names else alias

    def run(env: Env) -> Rows:
        value = expression.run(env)
        return [((value,), value if isinstance(value, Unknown) else None)]

    return [(column, expression.type)], run, alias
