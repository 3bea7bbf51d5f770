"""Every relation, type and role that there is, users' and system's, as the sources of both catalogs need them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from remediate.replay.catalog import Column, Policy, QName, Sequence, Table, View
from remediate.replay.catalog import Index as CatalogIndex
from remediate.replay.questions.session import Row, Session
from remediate.replay.questions.system import PREDEFINED_ROLES, SYSTEM_SCHEMAS

Wanted: TypeAlias = Mapping[str, Collection[object]]
"""By column, the values that the question can use: rows with others may be left out."""

Found: TypeAlias = tuple[Row, str | None]
"""A row, and the reason why it may not be there after all, or None."""

RelationObject: TypeAlias = Table | View | CatalogIndex | Sequence | None


def all_schemas(session: Session) -> Iterator[str]:
    yield from SYSTEM_SCHEMAS
    if "public" not in session.reader.schemas:
        # A new database has it; a reader that lists it says when it was dropped by leaving it out, which the
        # search path's own finding shows.
        pass
    yield from (name for name in session.reader.schemas if name not in SYSTEM_SCHEMAS)


def _by_name(schemas: Collection[str], names: Collection[object]) -> Iterator[QName]:
    return (QName(schema, name) for name in names if isinstance(name, str) for schema in schemas)


def tables(session: Session, names: Collection[object] | None) -> Iterator[Table]:
    known = session.reader.tables
    if names is None:
        yield from known.values()
    else:
        yield from (known[key] for key in _by_name(list(session.reader.schemas), names) if key in known)


def views(session: Session, names: Collection[object] | None) -> Iterator[View]:
    known = session.reader.views
    if names is None:
        yield from known.values()
    else:
        yield from (known[key] for key in _by_name(list(session.reader.schemas), names) if key in known)


def indexes(
    session: Session, names: Collection[object] | None, table_names: Collection[object] | None
) -> Iterator[CatalogIndex]:
    """Those that are called so, or else those of tables that are; all where neither is known."""
    if names is not None:
        for name in names:
            if isinstance(name, str):
                yield from session.reader.indexes_named(name)
    elif table_names is not None:
        for key in _by_name(list(session.reader.schemas), table_names):
            yield from session.reader.indexes_of(key)
    else:
        yield from session.reader.indexes.values()


def policies(session: Session, table_names: Collection[object] | None) -> Iterator[Policy]:
    """Those of the tables that are called so, or all."""
    if table_names is None:
        yield from session.reader.all_policies()
    else:
        for key in _by_name(list(session.reader.schemas), table_names):
            yield from session.reader.policies_of(key)


def _kind(table: Table) -> str:
    """Its relkind."""
    return "f" if table.server is not None else "p" if table.partitioned else "r"


def relations(session: Session, names: Collection[object] | None) -> Iterator[tuple[QName, str, RelationObject]]:
    """Users' relations of all kinds with their relkind."""
    for table in tables(session, names):
        yield table.name, _kind(table), table
    for view in views(session, names):
        yield view.name, "m" if view.materialized else "v", view
    for mapping, kind in ((session.reader.indexes, "i"), (session.reader.sequences, "S")):
        keys = mapping if names is None else _by_name(list(session.reader.schemas), names)
        for key in keys:
            found = mapping.get(key)
            if isinstance(found, CatalogIndex):
                parent = session.reader.tables.get(found.table)
                yield key, "I" if parent is not None and parent.partitioned else kind, found
            elif isinstance(found, Sequence):
                yield key, kind, found
    for name, made in session.reader.types.items():
        if made.kind == "composite" and (names is None or name.name in names):
            yield name, "c", None


def attributes(session: Session, names: Collection[object] | None) -> Iterator[tuple[QName, str, int, Column]]:
    """The columns of users' tables and views: relation, relkind, position from 1, column."""
    for table in tables(session, names):
        for position, column in enumerate(table.columns, 1):
            yield table.name, _kind(table), position, column
    for view in views(session, names):
        for position, column in enumerate(view.columns, 1):
            yield view.name, "m" if view.materialized else "v", position, column


def roles(session: Session) -> Iterator[tuple[str, bool, bool, bool]]:
    """Name, superuser, bypassrls, login of every role; the one that statements run as counts as there."""
    known = session.reader.roles
    for role in known.values():
        yield role.name, role.superuser, role.bypassrls, role.login
    if session.reader.current_user not in known:
        yield session.reader.current_user, True, True, True
    yield from ((name, False, False, False) for name in PREDEFINED_ROLES if name not in known)


def was_narrowed(table: Table) -> bool:
    """Whether columns may have been dropped from it: then positions are no longer the numbers that the server has."""
    return any(re.search(r"\bdrop\b", origin.statement, re.I) for origin in table.history[1:])
