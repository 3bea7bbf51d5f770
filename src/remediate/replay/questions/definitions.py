"""The functions of PostgreSQL's catalog that print an object: pg_get_constraintdef, pg_get_expr, format_type, …

Their text is the catalog's spelling of the definition, which is the server's up to implicit casts and parentheses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from remediate.evaluate.values import Unknown
from remediate.replay.catalog import QName
from remediate.replay.questions.session import Session
from remediate.replay.questions.values import Deparsed, Oid, Value
from remediate.sql.quote import quote_identifier


def _constraint(session: Session, values: list[Value], types: list[str]) -> Value:
    oid = values[0]
    if isinstance(oid, Oid) and isinstance(oid.key, tuple):
        table, name = oid.key
        for made in session.reader.constraints_of(table):
            if made.name == name:
                return Deparsed(made.definition)
    return Unknown("the definition of a constraint")


def _expression(session: Session, values: list[Value], types: list[str]) -> Value:
    return values[0] if isinstance(values[0], Deparsed) else Unknown("the text of an expression")


def _index(session: Session, values: list[Value], types: list[str]) -> Value:
    oid = values[0]
    if len(values) == 1 and isinstance(oid, Oid) and isinstance(oid.key, QName):
        made = session.reader.indexes.get(oid.key)
        if made is not None:
            return Deparsed(made.definition)
    return Unknown("the definition of an index")


def _function(session: Session, values: list[Value], types: list[str]) -> Value:
    oid = values[0]
    if isinstance(oid, Oid) and isinstance(oid.key, tuple):
        made = session.reader.functions.get(oid.key)
        if made is not None:
            return Deparsed(made.definition)
    return Unknown("the definition of a function")


def _arguments(session: Session, values: list[Value], types: list[str]) -> Value:
    oid = values[0]
    if isinstance(oid, Oid) and isinstance(oid.key, tuple):
        made = session.reader.functions.get(oid.key)
        if made is not None:
            return made.arguments
    return Unknown("the arguments of a function")


def _result(session: Session, values: list[Value], types: list[str]) -> Value:
    oid = values[0]
    if isinstance(oid, Oid) and isinstance(oid.key, tuple):
        made = session.reader.functions.get(oid.key)
        if made is not None:
            return made.returns
    return Unknown("the result of a function")


def _view(session: Session, values: list[Value], types: list[str]) -> Value:
    oid = session.class_oid(values[0]) if isinstance(values[0], str) else values[0]
    if isinstance(oid, Oid) and isinstance(oid.key, QName):
        made = session.reader.views.get(oid.key)
        if made is not None:
            return Deparsed(made.definition)
    return Unknown("the definition of a view")


def _trigger(session: Session, values: list[Value], types: list[str]) -> Value:
    oid = values[0]
    if isinstance(oid, Oid) and oid.kind == "trigger" and isinstance(oid.key, tuple):
        table, name = oid.key
        for made in session.reader.triggers_of(table):
            if made.name == name:
                return Deparsed(made.definition)
    return Unknown("the definition of a trigger")


def _format_type(session: Session, values: list[Value], types: list[str]) -> Value:
    # pg_attribute.atttypmod carries the whole spelling, since the number alone says nothing here.
    if len(values) > 1 and isinstance(values[1], Deparsed):
        return str(values[1])
    oid = values[0]
    if isinstance(oid, Oid) and isinstance(oid.key, QName):
        return session.spell_type(oid.key)
    return Unknown("the spelling of a type")


def _user(session: Session, values: list[Value], types: list[str]) -> Value:
    oid = values[0]
    return oid.key if isinstance(oid, Oid) and oid.kind == "role" else Unknown("the name of a role")


def _serial_sequence(session: Session, values: list[Value], types: list[str]) -> Value:
    oid = session.class_oid(str(values[0]))
    if oid is None or not isinstance(oid.key, QName):
        return Unknown("the sequence of a column")
    for made in session.reader.sequences.values():
        if made.owned_by == (oid.key, values[1]):
            return f"{quote_identifier(made.name.schema)}.{quote_identifier(made.name.name)}"
    return None


DEFINITIONS: Final[dict[str, Callable[[Session, list[Value], list[str]], Value]]] = {
    "pg_get_constraintdef": _constraint,
    "pg_get_expr": _expression,
    "pg_get_indexdef": _index,
    "pg_get_functiondef": _function,
    "pg_get_function_identity_arguments": _arguments,
    "pg_get_function_arguments": lambda session, values, types: Unknown("the defaults of a function's arguments"),
    "pg_get_function_result": _result,
    "pg_get_viewdef": _view,
    "pg_get_triggerdef": _trigger,
    "pg_get_userbyid": _user,
    "pg_get_serial_sequence": _serial_sequence,
    "format_type": _format_type,
}
