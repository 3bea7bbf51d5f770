"""duplicate-function in existing files: create the function only where it is missing, drop it only when unused."""

from __future__ import annotations

from collections.abc import Iterator

from remediate.plan.model import GuardCreation
from remediate.rewrite.edits import Edit
from remediate.rewrite.literals import SqlLiteral, sql_literals
from remediate.sql.function_statements import FunctionStatement, function_statements
from remediate.sql.quote import Literal

CODEMOD = "duplicate-function"


def guard_function(request: GuardCreation, file: str, data: bytes) -> list[Edit]:
    """The edits of one file; empty where it creates the function otherwise than in a literal that can be edited.

    Then its `down` is left alone too: half of the guards would keep the function without its creation knowing.
    """
    found = [
        (literal, statement)
        for literal in sql_literals(CODEMOD, file, data)
        for statement in function_statements(literal.text)
        if _is_about(statement, request)
    ]
    creations = [(literal, statement) for literal, statement in found if statement.verb == "create"]
    if not creations or not all(_can_wrap(literal, statement) for literal, statement in creations):
        return []
    return [
        edit
        for literal, statement in found
        if _can_wrap(literal, statement)
        for edit in _wrap(literal, statement, request.signature)
    ]


def _is_about(statement: FunctionStatement, request: GuardCreation) -> bool:
    qualified, _, arguments = request.signature.partition("(")
    schema, _, name = qualified.partition(".")
    count = len([one for one in arguments.rstrip(")").split(",") if one.strip()])
    return statement.name == name and statement.schema in ("", schema) and statement.arguments in (None, count)


def _can_wrap(literal: SqlLiteral, statement: FunctionStatement) -> bool:
    """Whether the guard's own tags are free."""
    body = literal.text.encode()[statement.start : statement.end].decode()
    return not any(tag in body for tag in ("$guard$", "$create$"))


def _wrap(literal: SqlLiteral, statement: FunctionStatement, signature: str) -> Iterator[Edit]:
    """Two insertions around the statement; its own text stays."""
    procedure = Literal(signature).sql()
    gap = "\n" if literal.template else " "
    if statement.verb == "create":
        before = f"DO $guard$ BEGIN IF to_regprocedure({procedure}) IS NULL THEN EXECUTE $create${gap}"
        after = f"{gap}$create$; END IF; END $guard$"
    else:
        used = (
            "SELECT 1 FROM pg_catalog.pg_depend WHERE refclassid = 'pg_catalog.pg_proc'::regclass "
            f"AND refobjid = to_regprocedure({procedure}) AND deptype = 'n'"
        )
        before = f"DO $guard$ BEGIN IF NOT EXISTS ({used}) THEN{gap}"
        after = f";{gap}END IF; END $guard$"
    if not literal.template:
        mark = literal.quote
        before, after = before.replace(mark, "\\" + mark), after.replace(mark, "\\" + mark)
    yield Edit(literal.start + statement.start, literal.start + statement.start, before)
    yield Edit(literal.start + statement.end, literal.start + statement.end, after)
