"""The rows of pg_catalog's friendly views: pg_tables, pg_indexes, pg_policies, …"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from remediate.replay.questions.names import Found, Wanted, indexes, policies, tables, views
from remediate.replay.questions.session import Session
from remediate.replay.questions.system import system_relations
from remediate.replay.questions.values import Deparsed, Placeholder


def _names(wanted: Wanted, column: str) -> set[object] | None:
    return set(wanted[column]) if column in wanted else None


def _tables(session: Session, wanted: Wanted) -> Iterator[Found]:
    names = _names(wanted, "tablename")
    for table in tables(session, names):
        if table.server is not None:
            continue
        yield (
            {
                "schemaname": table.name.schema,
                "tablename": table.name.name,
                "tableowner": table.owner or session.reader.current_user,
                "hasindexes": any(True for _ in session.reader.indexes_of(table.name)),
                "hasrules": False,
                "rowsecurity": table.rls_enabled,
            },
            None,
        )
    for name, system in system_relations().items():
        if system.kind == "r" and (names is None or name.name in names):
            yield {"schemaname": name.schema, "tablename": name.name, "rowsecurity": False}, None


def _views(session: Session, wanted: Wanted) -> Iterator[Found]:
    names = _names(wanted, "viewname")
    for view in views(session, names):
        if not view.materialized:
            yield (
                {
                    "schemaname": view.name.schema,
                    "viewname": view.name.name,
                    "definition": Deparsed(view.definition),
                },
                None,
            )
    for name, system in system_relations().items():
        if system.kind == "v" and (names is None or name.name in names):
            yield {"schemaname": name.schema, "viewname": name.name}, None


def _matviews(session: Session, wanted: Wanted) -> Iterator[Found]:
    for view in views(session, _names(wanted, "matviewname")):
        if view.materialized:
            yield (
                {
                    "schemaname": view.name.schema,
                    "matviewname": view.name.name,
                    "definition": Deparsed(view.definition),
                },
                None,
            )


def _indexes(session: Session, wanted: Wanted) -> Iterator[Found]:
    names = _names(wanted, "indexname")
    table_names = _names(wanted, "tablename")
    for made in indexes(session, names, table_names):
        if names is not None and made.name not in names:
            continue
        if table_names is not None and made.table.name not in table_names:
            continue
        yield (
            {
                "schemaname": made.table.schema,
                "tablename": made.table.name,
                "indexname": made.name,
                "tablespace": None,
                "indexdef": Deparsed(made.definition),
            },
            None,
        )
    for name, system in system_relations().items():
        if system.kind == "i" and (names is None or name.name in names):
            table = Placeholder(f"pg_ table of {name.name}")
            yield {"schemaname": name.schema, "tablename": table, "indexname": name.name}, None


def _policies(session: Session, wanted: Wanted) -> Iterator[Found]:
    table_names = _names(wanted, "tablename")
    for made in policies(session, table_names):
        yield (
            {
                "schemaname": made.table.schema,
                "tablename": made.table.name,
                "policyname": made.name,
                "permissive": "PERMISSIVE" if made.permissive else "RESTRICTIVE",
                "roles": list(made.roles),
                "cmd": made.command.upper(),
                "qual": Deparsed(made.using) if made.using is not None else None,
                "with_check": Deparsed(made.check) if made.check is not None else None,
            },
            None,
        )


def _sequences(session: Session, wanted: Wanted) -> Iterator[Found]:
    for made in session.reader.sequences.values():
        yield {"schemaname": made.name.schema, "sequencename": made.name.name}, None


VIEWS: Final[dict[str, Callable[[Session, Wanted], Iterator[Found]]]] = {
    "pg_tables": _tables,
    "pg_views": _views,
    "pg_matviews": _matviews,
    "pg_indexes": _indexes,
    "pg_policies": _policies,
    "pg_sequences": _sequences,
}
