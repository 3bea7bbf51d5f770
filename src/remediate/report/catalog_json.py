"""`remediate catalog --format json`: the contract `remediate.catalog/1`. Fields may be added, none changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from remediate.replay.catalog import Catalog, History, Replayed
from remediate.report.plan_json import place_document, refusal_document
from remediate.source.model import Service, Workspace

FORMAT = "remediate.catalog/1"


def catalog_document(workspace: Workspace, databases: Sequence[Replayed]) -> dict[str, Any]:
    """The catalogs of all databases in one document, objects in the order of their names within each database."""
    document: dict[str, Any] = {"format": FORMAT, "services": _services(workspace, databases)}
    for name, rows in _SECTIONS:
        document[name] = [row for replayed in databases for row in rows(replayed.catalog)]
    document["settings"] = _settings(workspace.services, databases)
    unresolved = [*workspace.unresolved, *(one for replayed in databases for one in replayed.unresolved)]
    document["unresolved"] = [place_document(one) for one in unresolved]
    document["assumed"] = [place_document(one) for replayed in databases for one in replayed.assumptions]
    document["refused"] = [refusal_document(one) for replayed in databases for one in replayed.refusals]
    return document


def _services(workspace: Workspace, databases: Sequence[Replayed]) -> list[dict[str, Any]]:
    unresolved = [*workspace.unresolved, *(one for replayed in databases for one in replayed.unresolved)]
    counts = {file: count for replayed in databases for file, count in replayed.statements.items()}
    return [
        {
            "name": service.name,
            "directories": list(service.directories),
            "migrations": [
                {
                    "file": source.file,
                    "statements": counts.get(source.file, 0),
                    "unresolved": [
                        {"file": one.place.file, "line": one.place.line, "reason": one.reason}
                        for one in unresolved
                        if one.place.file == source.file
                    ],
                }
                for source in service.migrations
            ],
        }
        for service in workspace.services
    ]


def _where(history: History) -> dict[str, Any]:
    """The place of the statement that created the object."""
    return {"file": history[0].place.file, "line": history[0].place.line} if history else {"file": None, "line": None}


def _tables(catalog: Catalog) -> Iterable[dict[str, Any]]:
    for name, table in sorted(catalog.tables.items()):
        yield {
            "schema": name.schema,
            "name": name.name,
            "service": table.service,
            "rls_enabled": table.rls_enabled,
            "rls_forced": table.rls_forced,
            "columns": [
                {"name": column.name, "type": column.type, "nullable": column.nullable, "default": column.default}
                for column in table.columns
            ],
            **_where(table.history),
        }


def _policies(catalog: Catalog) -> Iterable[dict[str, Any]]:
    for (table, name), policy in sorted(catalog.policies.items()):
        yield {
            "schema": table.schema,
            "table": table.name,
            "name": name,
            "command": policy.command,
            "permissive": policy.permissive,
            "roles": list(policy.roles),
            "using": policy.using,
            "check": policy.check,
            **_where(policy.history),
        }


def _constraints(catalog: Catalog) -> Iterable[dict[str, Any]]:
    for (table, name), constraint in sorted(catalog.constraints.items()):
        yield {
            "schema": table.schema,
            "table": table.name,
            "name": name,
            "type": constraint.type,
            "columns": list(constraint.columns),
            "definition": constraint.definition,
        }


def _indexes(catalog: Catalog) -> Iterable[dict[str, Any]]:
    for name, index in sorted(catalog.indexes.items()):
        yield {
            "schema": name.schema,
            "table": index.table.name,
            "name": name.name,
            "unique": index.unique,
            "columns": list(index.columns),
            "predicate": index.predicate,
        }


def _functions(catalog: Catalog) -> Iterable[dict[str, Any]]:
    for (name, _), function in sorted(catalog.functions.items()):
        yield {
            "schema": name.schema,
            "name": name.name,
            "arguments": function.arguments,
            "returns": function.returns,
            "language": function.language,
            "security_definer": function.security_definer,
        }


def _triggers(catalog: Catalog) -> Iterable[dict[str, Any]]:
    for (table, name), trigger in sorted(catalog.triggers.items()):
        yield {"schema": table.schema, "table": table.name, "name": name, "function": str(trigger.function)}


def _views(catalog: Catalog) -> Iterable[dict[str, Any]]:
    for name, view in sorted(catalog.views.items()):
        yield {
            "schema": name.schema,
            "name": name.name,
            "materialized": view.materialized,
            "security_invoker": view.security_invoker,
        }


def _types(catalog: Catalog) -> Iterable[dict[str, Any]]:
    for name, type_ in sorted(catalog.types.items()):
        yield {"schema": name.schema, "name": name.name, "kind": type_.kind, "labels": list(type_.labels)}


def _extensions(catalog: Catalog) -> Iterable[dict[str, Any]]:
    return ({"name": name} for name in sorted(catalog.extensions))


def _roles(catalog: Catalog) -> Iterable[dict[str, Any]]:
    for name, role in sorted(catalog.roles.items()):
        yield {"name": name, "superuser": role.superuser, "bypassrls": role.bypassrls}


_SECTIONS = (
    ("tables", _tables),
    ("policies", _policies),
    ("constraints", _constraints),
    ("indexes", _indexes),
    ("functions", _functions),
    ("triggers", _triggers),
    ("views", _views),
    ("types", _types),
    ("extensions", _extensions),
    ("roles", _roles),
)


def _settings(services: Iterable[Service], databases: Sequence[Replayed]) -> list[dict[str, Any]]:
    """Every custom setting: who reads it in the database, who writes it in the code or in a function."""
    names: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for replayed in databases:
        for use in replayed.settings:
            entry = names.setdefault(use.name, {"reads": [], "writes": []})
            place = {"file": use.place.file, "line": use.place.line}
            if use.write:
                entry["writes"].append({**place, "form": use.kind, "local": None})
            else:
                entry["reads"].append({"kind": use.kind, "object": use.object, **place})
    for service in services:
        for file in service.code:
            for write in file.writes:
                entry = names.setdefault(write.name, {"reads": [], "writes": []})
                entry["writes"].append(
                    {"file": write.place.file, "line": write.place.line, "form": write.form, "local": write.local}
                )
    return [{"name": name, **names[name]} for name in sorted(names)]
