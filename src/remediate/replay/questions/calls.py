"""Function calls in expressions: aggregates, built-in functions, and the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from remediate.evaluate.values import Unknown
from remediate.replay.catalog import Function
from remediate.replay.extensions import brings_function
from remediate.replay.questions.casts import type_of_spelling
from remediate.replay.questions.errors import NotUnderstood, Refused
from remediate.replay.questions.functions import FUNCTIONS
from remediate.replay.questions.operators import LONGEST, both, either, equal, text_of
from remediate.replay.questions.ordering import sort_rows
from remediate.replay.questions.scope import Env, Expression
from remediate.replay.questions.session import Session
from remediate.replay.questions.values import Json, Value
from remediate.sql.builtins import builtins

if TYPE_CHECKING:
    from remediate.replay.questions.expressions import Compiler

AGGREGATES: Final = frozenset(
    {"count", "array_agg", "string_agg", "bool_or", "bool_and", "every", "min", "max", "sum", "avg"}
    | {"json_agg", "jsonb_agg"}
)


@dataclass(slots=True)
class Aggregate:
    """One aggregate call, computed over the rows of a group."""

    name: str
    arguments: list[Expression]
    condition: Expression | None
    distinct: bool
    orders: list[tuple[Expression, bool, bool]]

    def compute(self, rows: Sequence[Env]) -> Value:
        kept = []
        for env in rows:
            passes = self.condition.run(env) if self.condition else True
            if isinstance(passes, Unknown):
                return passes
            if passes is True:
                kept.append(env)
        if self.orders:
            ordered = sort_rows(kept, [item.run for item, _, _ in self.orders], self.orders)
            if isinstance(ordered, Unknown):
                return ordered
            kept = ordered
        if not self.arguments:
            return len(kept)
        tuples = [tuple(argument.run(env) for argument in self.arguments) for env in kept]
        values = [row[0] for row in tuples]
        if self.distinct:
            values = unique(values)
            if not self.orders and not any(isinstance(value, Unknown) for value in values):
                values = sorted((v for v in values if v is not None), key=lambda v: (str(type(v)), str(v))) + [
                    v for v in values if v is None
                ]
        if self.name == "array_agg":
            return values or None
        unknown = next((value for value in values if isinstance(value, Unknown)), None)
        if self.name == "count":
            if unknown is not None:
                return unknown
            return sum(value is not None for value in values)
        if unknown is not None and self.name not in ("bool_or", "bool_and", "every"):
            return unknown
        return self._reduce([value for value in values if value is not None], tuples)

    def _reduce(self, values: list[Value], tuples: list[tuple[Value, ...]]) -> Value:
        if self.name in ("json_agg", "jsonb_agg"):
            plain = all(isinstance(value, str | int | bool | None) for value in values)
            return (Json(values) if values else None) if plain else Unknown("builds json")
        if not values:
            return None
        if self.name == "string_agg":
            separator = tuples[0][1]
            if isinstance(separator, Unknown):
                return separator
            texts = [text_of(value, "text") for value in values]
            unknown = next((text for text in texts if isinstance(text, Unknown)), None)
            return unknown if unknown is not None else str(separator or "").join(texts)
        if self.name == "bool_or":
            return either(values)
        if self.name in ("bool_and", "every"):
            return both(values)
        try:
            if self.name in ("min", "max"):
                return min(values) if self.name == "min" else max(values)
            if self.name == "sum":
                return sum(values)
            return Decimal(sum(values)) / len(values)
        except TypeError:
            return Unknown(f"{self.name}() over values that are not known")


def unique(values: Sequence[Value]) -> list[Value]:
    """Each value once, first come first kept."""
    kept: list[Value] = []
    seen: set[object] = set()
    for value in values:
        try:
            if value in seen:
                continue
            seen.add(value)
        except TypeError:
            if any(equal(value, other) is True for other in kept):
                continue
        kept.append(value)
    return kept


def _aggregate_type(name: str, arguments: list[Expression]) -> str:
    first = arguments[0].type if arguments else ""
    if name == "count":
        return "int8"
    if name == "array_agg":
        return f"{first if first != 'unknown' else 'text'}[]"
    if name in ("bool_or", "bool_and", "every"):
        return "bool"
    if name == "sum":
        return "int8" if first in ("int2", "int4") else "numeric" if first == "int8" else first
    if name == "avg":
        return "numeric"
    if name in ("json_agg", "jsonb_agg"):
        return name.removesuffix("_agg")
    return "text" if name == "string_agg" or first == "unknown" else first


def compile_call(compiler: Compiler, node: Any) -> Expression:
    """A FuncCall."""
    names = [part.string.sval for part in node.funcname]
    schema, name = (names[-2] if len(names) > 1 else None), names[-1]
    if node.HasField("over"):
        raise NotUnderstood("a window function")
    arguments = []
    for argument in node.args:
        if argument.WhichOneof("node") == "named_arg_expr":
            raise NotUnderstood("an argument by name")
        arguments.append(argument)
    if name in AGGREGATES and schema in (None, "pg_catalog"):
        return _compile_aggregate(compiler, node, name, arguments)
    parts = [compiler.compile(argument) for argument in arguments]
    if schema in (None, "pg_catalog") and name in FUNCTIONS:
        types = ["VARIADIC"] if node.func_variadic else []
        return builtin(name, parts, compiler.session, types)
    if schema == "pg_catalog" or (schema is None and name in builtins().functions):
        overloads = builtins().functions.get(name)
        if overloads is None:
            raise Refused("42883", f"function {name} does not exist")
        returned = type_of_spelling(overloads[0].returns, compiler.session)
        return Expression(returned, lambda env: Unknown(f"depends on the function {name}()"), _uses(parts), True, name)
    return _user_function(compiler.session, schema, name, parts)


def _uses(parts: Sequence[Expression]) -> frozenset[int]:
    return frozenset().union(*(part.uses for part in parts))


def builtin(name: str, parts: list[Expression], session: Session, extra_types: Sequence[str] = ()) -> Expression:
    """A call of one of `FUNCTIONS`."""
    function = FUNCTIONS[name]
    types = [*(part.type for part in parts), *extra_types]
    result = function.type if isinstance(function.type, str) else function.type(types)
    runs, strict, implementation = [part.run for part in parts], function.strict, function.run
    argument_types = types if "VARIADIC" in types else [part.type for part in parts]

    def run(env: Env) -> Value:
        session.step()
        values = [each(env) for each in runs]
        if strict:
            for value in values:
                if value is None or isinstance(value, Unknown):
                    return value
        elif not name.startswith(("format", "concat", "quote", "enum_")):
            unknown = next((value for value in values if isinstance(value, Unknown)), None)
            if unknown is not None:
                return unknown
        try:
            value = implementation(session, values, argument_types)
        except (TypeError, ValueError, AttributeError, IndexError):
            return Unknown(f"{name}() with these arguments")
        if isinstance(value, str | list) and len(value) > LONGEST:
            return Unknown("a value that is too long")
        return value

    return Expression(result, run, _uses(parts), any(part.outer for part in parts) or name in _VOLATILE, name)


_VOLATILE: Final = frozenset({"set_config", "current_setting", "setval"})


def _compile_aggregate(compiler: Compiler, node: Any, name: str, arguments: list[Any]) -> Expression:
    collected = compiler.aggregates
    if collected is None:
        raise Refused("42803", "aggregate functions are not allowed here")
    compiler.aggregates = None
    try:
        parts = [compiler.compile(argument) for argument in arguments]
        condition = compiler.condition(node.agg_filter) if node.HasField("agg_filter") else None
        orders = [
            (compiler.compile(item.sort_by.node), int(item.sort_by.sortby_dir) == 3, _nulls_first(item.sort_by))
            for item in node.agg_order
        ]
    finally:
        compiler.aggregates = collected
    if name == "string_agg":
        parts = [compiler.coerce(part, "text") for part in parts]
    if name == "array_agg" and parts and parts[0].type in ("regclass", "regtype"):
        # Rendering an array of names needs the search path, so it is done while their type is still at hand.
        parts = [compiler.coerce(part, "text") for part in parts]
    collected.append(Aggregate(name, parts, condition, bool(node.agg_distinct), orders))
    index = len(collected) - 1
    result = _aggregate_type(name, parts)
    return Expression(result, lambda env: env.aggregates[index], frozenset(), True, name)


def _nulls_first(item: Any) -> bool:
    nulls = int(item.sortby_nulls)
    return nulls == 2 or (nulls in (0, 1) and int(item.sortby_dir) == 3)


def _user_function(session: Session, schema: str | None, name: str, parts: list[Expression]) -> Expression:
    candidates = [made for made in session.reader.find_functions(name, schema) if _accepts(made, len(parts))]
    qualified = f"{schema}.{name}" if schema else name
    if not candidates:
        if session.reader.find_functions(name, schema):
            raise Refused("42883", f"function {qualified} does not exist with {len(parts)} arguments")
        if brings_function(session.reader.extensions, name):
            unknown = Unknown(f"depends on the function {name}()")
            return Expression("text", lambda env: unknown, _uses(parts), True, name)
        types = ", ".join(part.type for part in parts)
        raise Refused("42883", f"function {qualified}({types}) does not exist")
    made = _best(candidates, parts, session)
    runs, types_ = [part.run for part in parts], tuple(part.type for part in parts)
    returned = made.returns.removeprefix("SETOF ")

    def run(env: Env) -> Value:
        session.step()
        if session.call is None:
            return Unknown(f"depends on the function {name}()")
        return session.call(made, tuple(each(env) for each in runs), types_)

    return Expression(type_of_spelling(returned, session), run, _uses(parts), True, name)


def _accepts(made: Function, count: int) -> bool:
    inputs = len(made.argument_types)
    return count == inputs or ("VARIADIC" in made.arguments and count >= inputs - 1) or count < inputs


def _best(candidates: list[Function], parts: list[Expression], session: Session) -> Function:
    """The overload whose argument types agree best; exact matches first, as parse_func.c prefers them."""

    def score(made: Function) -> tuple[bool, int]:
        agreeing = sum(
            part.type in ("unknown", type_of_spelling(spelled, session))
            for part, spelled in zip(parts, made.argument_types, strict=False)
        )
        return len(made.argument_types) == len(parts), agreeing

    return max(candidates, key=score)
