"""Which variables a function call makes of its arguments: names, types, defaults, VARIADIC."""

from __future__ import annotations

from typing import Any

from remediate.evaluate.values import Unknown
from remediate.replay.catalog import Function
from remediate.replay.plpgsql.variables import Variable
from remediate.replay.questions.casts import cast, type_of_node
from remediate.replay.questions.errors import NotUnderstood
from remediate.replay.questions.expressions import Compiler
from remediate.replay.questions.scope import Env, Scope
from remediate.replay.questions.session import Session
from remediate.replay.questions.values import Value, element_type
from remediate.replay.reading import CatalogReader
from remediate.sql.parse import SqlSyntaxError, UnreadableSqlError, parse

_INPUT, _VARIADIC = frozenset({1, 3, 4, 6}), 4  # IN, INOUT, VARIADIC, DEFAULT (parsenodes.h, FunctionParameterMode)


def bind_arguments(
    function: Function, arguments: tuple[Value, ...], types: tuple[str, ...], reader: CatalogReader
) -> list[tuple[str, Variable]] | None:
    """Name (or "") and variable of each input parameter; None where the function's statement cannot be read."""
    parameters = _parameters(function)
    if parameters is None:
        return None
    session = Session(reader)
    bound: list[tuple[str, Variable]] = []
    for number, parameter in enumerate(parameters):
        kind = type_of_node(parameter.arg_type, session)
        variable = Variable(kind)
        if int(parameter.mode) == _VARIADIC:
            given = [
                cast(value, source, element_type(kind), session)
                for value, source in zip(arguments[number:], types[number:], strict=False)
            ]
            variable.set(given, given)
        elif number < len(arguments):
            value = cast(arguments[number], types[number], kind, session)
            variable.set(value, value)
        elif parameter.HasField("defexpr"):
            value = _default(parameter.defexpr, kind, session)
            variable.set(value, value)
        bound.append((parameter.name, variable))
    return bound


def _parameters(function: Function) -> list[Any] | None:
    try:
        statements = parse(function.statement)
    except (SqlSyntaxError, UnreadableSqlError):
        return None
    if len(statements) != 1 or statements[0].kind != "create_function_stmt":
        return None
    parameters = [item.function_parameter for item in statements[0].node.parameters]
    return [parameter for parameter in parameters if int(parameter.mode) in _INPUT]


def _default(node: Any, kind: str, session: Session) -> Value:
    compiler = Compiler(Scope(session))
    try:
        return compiler.coerce(compiler.compile(node), kind).run(Env((), None))
    except NotUnderstood as error:
        return Unknown(f"the default of an argument uses {error.reason}")
