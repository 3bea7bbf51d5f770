"""What CREATE FUNCTION checks of a body (check_function_bodies): all of SQL, only the syntax of PL/pgSQL."""

from __future__ import annotations

from remediate.replay.apply.base import Applying
from remediate.replay.catalog import Function
from remediate.replay.refused import Refused
from remediate.sql.deparse import spell_query
from remediate.sql.functions import syntax_error
from remediate.sql.lookup import FoundRelation
from remediate.sql.parse import Node, SqlSyntaxError, UnreadableSqlError, parse

_TARGETED = ("insert_stmt", "update_stmt", "delete_stmt")


def check_body(node: Node, function: Function, inputs: list[tuple[str, str]], at: Applying) -> None:
    """Raises what fmgr_sql_validator and plpgsql_validator would."""
    if function.language == "plpgsql":
        message = syntax_error(at.statement.text)
        if message is not None:
            raise Refused("42601", message)
    if function.language != "sql" or node.HasField("sql_body"):
        return
    try:
        statements = parse(function.body)
    except SqlSyntaxError as error:
        raise Refused("42601", error.message) from error
    except UnreadableSqlError:
        return
    parameters = FoundRelation("", function.name.name, {name: type_name for name, type_name in inputs if name})
    made: set[str] = set()
    for statement in statements:
        if statement.kind == "create_stmt":
            made.add(statement.node.relation.relname)
        elif statement.kind == "select_stmt" and not made:
            spell_query(statement.node, at.lookup, around=[(function.name.name, parameters)])
        elif statement.kind in _TARGETED and statement.node.relation.relname not in made:
            at.relation(statement.node.relation)
