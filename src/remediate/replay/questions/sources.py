"""Where the rows of a named relation come from: the catalog as it stands, or nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from remediate.evaluate.values import Unknown
from remediate.replay.catalog import QName
from remediate.replay.questions import information_schema, pg_catalog
from remediate.replay.questions.casts import type_of_spelling
from remediate.replay.questions.errors import NotUnderstood, Refused
from remediate.replay.questions.names import Found, Wanted
from remediate.replay.questions.scope import Rows
from remediate.replay.questions.session import Session
from remediate.replay.questions.system import system_relations


@dataclass(slots=True)
class Source:
    """A relation: its columns with their types, and its rows."""

    name: QName
    columns: list[tuple[str, str]]
    rows: Callable[[Wanted], Rows]


def find_source(session: Session, name: str, schema: str | None) -> Source:
    """The relation of that name. Raises `Refused` 42P01 (or 3F000) where there is none."""
    found = session.find_relation(name, schema)
    if found is None:
        qualified = f"{schema}.{name}" if schema else name
        if name.startswith(("pg_stat", "pg_replication")):
            raise NotUnderstood(f"the relation {qualified}")
        raise Refused("42P01", f'relation "{qualified}" does not exist')
    system = system_relations().get(found)
    if system is not None:
        sources = pg_catalog.SOURCES if found.schema == "pg_catalog" else information_schema.SOURCES
        columns = list(system.columns)
        made = sources.get(found.name)
        if made is None:
            reason = Unknown(f"the rows of {found} are not known")
            return Source(found, columns, lambda wanted: [((reason,) * len(columns), reason)])
        return Source(found, columns, lambda wanted: list(_system_rows(session, found, columns, made(session, wanted))))
    columns = _user_columns(session, found)
    return Source(found, columns, lambda wanted: _data_rows(session, found, columns))


def _system_rows(
    session: Session, name: QName, columns: list[tuple[str, str]], found: Iterator[Found]
) -> Iterator[tuple[tuple[object, ...], Unknown | None]]:
    missing = [Unknown(f"{name.name}.{column} is not known") for column, _ in columns]
    names = [column for column, _ in columns]
    for row, doubt in found:
        session.step()
        values = tuple(row.get(column, unknown) for column, unknown in zip(names, missing, strict=True))
        yield values, Unknown(doubt) if doubt is not None else None


def _user_columns(session: Session, name: QName) -> list[tuple[str, str]]:
    table = session.reader.tables.get(name)
    if table is not None:
        return [(column.name, type_of_spelling(column.type, session)) for column in table.columns]
    view = session.reader.views.get(name)
    if view is not None and view.columns:
        return [(column.name, type_of_spelling(column.type, session)) for column in view.columns]
    raise NotUnderstood(f"the columns of {name}")


def _data_rows(session: Session, name: QName, columns: list[tuple[str, str]]) -> Rows:
    from remediate.replay.questions.remembered import remembered

    log = session.reader.rows_of(name)
    known = remembered(log, session) if log is not None else None
    if known:
        # Others may be there by now; but these are what the next migrations were written for.
        session.assumptions.append("reads a table, which is taken to hold just the rows that the migrations put there")
        unknown = Unknown(f"depends on the rows of {name}", about_data=True)
        return [(tuple(row.get(column, unknown) for column, _ in columns), None) for row in known]
    width = len(columns)
    if session.tables_are_empty:
        session.assumptions.append(f"takes {name} to be empty, as in a fresh database")
        return []
    reason = Unknown(f"depends on the rows of {name}", about_data=True)
    return [((reason,) * width, reason)]
