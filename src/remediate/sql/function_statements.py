"""Statements about functions, as far as an edit of a file has to recognise them."""

from __future__ import annotations

from dataclasses import dataclass

from remediate.sql.parse import SqlSyntaxError, UnreadableSqlError, parse


@dataclass(frozen=True, slots=True)
class FunctionStatement:
    """A CREATE or DROP FUNCTION (or PROCEDURE) at `start` to `end` in a text, byte offsets.

    `schema` is empty where the statement names none; `arguments` counts the input arguments, None where a DROP names no
    argument list.
    """

    verb: str
    schema: str
    name: str
    arguments: int | None
    start: int
    end: int


def function_statements(text: str) -> list[FunctionStatement]:
    """Those of a string, in order; empty where it is no SQL that can be read."""
    try:
        statements = parse(text)
    except (SqlSyntaxError, UnreadableSqlError):
        return []
    found = []
    for statement in statements:
        span = (statement.offset, statement.offset + len(statement.text.encode()))
        if statement.kind == "create_function_stmt":
            schema, name = _split([part.string.sval for part in statement.node.funcname])
            modes = [parameter.function_parameter.mode for parameter in statement.node.parameters]
            found.append(FunctionStatement("create", schema, name, sum(mode not in _OUTPUT for mode in modes), *span))
        elif statement.kind == "drop_stmt":
            named = [node.object_with_args for node in statement.node.objects if node.HasField("object_with_args")]
            # A DROP of several functions at once is no statement about one of them.
            if len(named) == 1:
                schema, name = _split([part.string.sval for part in named[0].objname])
                arguments = None if named[0].args_unspecified else len(named[0].objargs)
                found.append(FunctionStatement("drop", schema, name, arguments, *span))
    return found


_OUTPUT = frozenset((2, 5))
"""FUNC_PARAM_OUT and FUNC_PARAM_TABLE of the parser's FunctionParameterMode."""


def _split(parts: list[str]) -> tuple[str, str]:
    return (parts[-2] if len(parts) > 1 else "", parts[-1])
