"""The types that DECLARE names: SQL types, %TYPE, %ROWTYPE, and row types of tables."""

from __future__ import annotations

from remediate.replay.plpgsql.variables import Frames
from remediate.replay.questions.casts import named_type, type_of_spelling
from remediate.replay.questions.session import Session, split_identifier
from remediate.replay.questions.values import Record, Value
from remediate.replay.refused import Refused


def declared_type(text: str, session: Session, frames: Frames) -> str:
    """The name of the type, "record" for every kind of row. Raises `Refused` where there is none of that name."""
    spelled = " ".join(text.split())
    lowered = spelled.lower()
    if lowered == "record" or lowered.endswith("%rowtype"):
        if lowered.endswith("%rowtype"):
            _relation(spelled[: -len("%rowtype")], session)
        return "record"
    base, percent, rest = lowered.rpartition("%")
    if percent and rest.startswith("type"):
        kind = _type_of(spelled[: len(base)], session, frames)
        return f"{kind}[]" if rest.endswith("[]") else kind
    array = lowered.endswith("array") and lowered.split()[-1] == "array"
    found = session.find_type(spelled[: -len("array")].strip() if array else spelled)
    if found is None:
        raise Refused("42704", f'type "{spelled}" does not exist')
    made = session.reader.types.get(found)
    if found in session.reader.tables or found in session.reader.views or (made and made.kind == "composite"):
        return "record"
    name = named_type(found)
    return f"{name}[]" if array else name


def initial_record(text: str, session: Session, kind: str) -> Value:
    """A row variable starts as a row of NULLs, so that its fields can be assigned; a plain record has no fields yet."""
    spelled = " ".join(text.split())
    if kind != "record" or spelled.lower() == "record":
        return None
    name = spelled[: -len("%rowtype")] if spelled.lower().endswith("%rowtype") else spelled
    parts = split_identifier(name.strip())
    found = session.reader.find_relation(parts[-1], parts[-2] if len(parts) > 1 else None) if parts else None
    table = session.reader.tables.get(found[0]) if found else None
    if table is None:
        return None
    names = tuple(column.name for column in table.columns)
    types = tuple(type_of_spelling(column.type, session) for column in table.columns)
    return Record(names, types, (None,) * len(names))


def _relation(text: str, session: Session) -> None:
    parts = split_identifier(text.strip())
    if parts is None or session.find_relation(parts[-1], parts[-2] if len(parts) > 1 else None) is None:
        raise Refused("42P01", f'relation "{text.strip()}" does not exist')


def _type_of(text: str, session: Session, frames: Frames) -> str:
    parts = split_identifier(text.strip())
    if parts is None:
        raise Refused("42601", f'syntax error at or near "{text}"')
    variable = frames.find_path(tuple(parts))
    if variable is not None:
        return variable[0].type
    if len(parts) == 1:
        raise Refused("42704", f'variable "{parts[0]}" does not exist')
    found = session.find_relation(parts[-2], parts[-3] if len(parts) > 2 else None)
    if found is None:
        raise Refused("42P01", f'relation "{".".join(parts[:-1])}" does not exist')
    table = session.reader.tables.get(found)
    column = table.column(parts[-1]) if table else None
    if table is not None and column is None:
        raise Refused("42703", f'column "{parts[-1]}" of relation "{parts[-2]}" does not exist')
    return type_of_spelling(column.type, session) if column else "text"
