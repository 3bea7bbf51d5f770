"""A catalog that was recorded after a real run, as facts that a replay can be held against.

A record is JSON, gzipped or not:

    {"order": [service, …],                    the order in which services ran; [] where there is one, or it follows
     "applied": {                              after every string was run for itself, refused ones skipped
       "tables":      [[schema, name, rls enabled, rls forced, [[column, type, nullable, has default], …]], …],
       "policies":    [[schema, table, name, COMMAND, permissive, [custom setting that it reads, …], has check], …],
       "constraints": [[schema, table, name, contype], …],
       "indexes":     [[schema, table, name, unique], …],
       "functions":   [[schema, name, arguments, returns], …],      as pg_get_function_identity_arguments/_result
       "triggers":    [[schema, table, name], …],
       "views":       [[schema, name, materialized], …]},
     "fresh": [[service, file, went through, SQLSTATE, message], …]}    a plain `migrate:latest`, file by file

What a record does not hold is not compared. The tables of migration tools are left out of it, as of what is compared.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediate.replay.catalog import Catalog, Outcome, QName
from remediate.replay.compare import Fact, FactKey, Facts

_CONTYPES = "pufcx"
"""A constraint trigger (t) is compared as a trigger, NOT NULL (n) as nullability."""

_OF_TOOLS = ("knex_", "pg_")
_SETTING = re.compile(r"current_setting\('([^']+)'")


KINDS = (
    "table", "column", "type of column", "nullability", "default", "rls flags", "policy", "constraint", "index",
    "function", "trigger", "view",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    order: tuple[str, ...]
    applied: dict[str, Any]
    fresh: tuple[tuple[str, str, bool, str, str], ...]


def read_record(path: Path) -> Record:
    """The record in a file; raises `KeyError` or `ValueError` for what is none."""
    data = path.read_bytes()
    raw = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    return Record(tuple(raw["order"]), raw["applied"], tuple(tuple(one) for one in raw["fresh"]))


def recorded_facts(record: Record) -> Facts:
    """The facts of `applied`."""
    found = record.applied
    facts: dict[FactKey, Fact] = {}
    for schema, name, enabled, forced, columns in found["tables"]:
        facts.update(_table(QName(schema, name), enabled, forced, columns))
    for schema, table, name, command, permissive, settings, check in found["policies"]:
        facts.update(_policy(QName(schema, table), name, command.lower(), permissive, sorted(settings), check))
    for schema, table, name, kind in found["constraints"]:
        if kind in _CONTYPES:
            facts[_on("constraint", QName(schema, table), name)] = {"type": kind}
    for schema, table, name, unique in found["indexes"]:
        facts[_on("index", QName(schema, table), name)] = {"unique": unique}
    for schema, name, arguments, returns in found["functions"]:
        function = QName(schema, name)
        facts[FactKey("function", f"{function}({arguments})", (function,))] = {"returns": returns}
    for schema, table, name in found["triggers"]:
        facts[_on("trigger", QName(schema, table), name)] = {}
    for schema, name, materialized in found["views"]:
        view = QName(schema, name)
        facts[FactKey("view", str(view), (view,))] = {"materialized": materialized}
    return facts


def replayed_facts(catalog: Catalog) -> Facts:
    """The same facts of a catalog."""
    facts: dict[FactKey, Fact] = {}
    for table in catalog.tables.values():
        columns = [(one.name, one.type, one.nullable, _filled(one)) for one in table.columns]
        facts.update(_table(table.name, table.rls_enabled, table.rls_forced, columns))
    for policy in catalog.policies.values():
        settings = sorted(set(_SETTING.findall(f"{policy.using} {policy.check}")))
        check = policy.check is not None
        facts.update(_policy(policy.table, policy.name, policy.command, policy.permissive, settings, check))
    for constraint in catalog.constraints.values():
        facts[_on("constraint", constraint.table, constraint.name)] = {"type": constraint.type}
    for index in catalog.indexes.values():
        facts[_on("index", index.table, index.name)] = {"unique": index.unique}
    for function in catalog.functions.values():
        returns = None if function.kind == "procedure" else function.returns
        subject = f"{function.name}({function.arguments})"
        facts[FactKey("function", subject, (function.name,))] = {"returns": returns}
    for trigger in catalog.triggers.values():
        facts[_on("trigger", trigger.table, trigger.name)] = {}
    for view in catalog.views.values():
        facts[FactKey("view", str(view.name), (view.name,))] = {"materialized": view.materialized}
    return {key: fact for key, fact in facts.items() if not _of_tools(key)}


def recorded_ends(record: Record) -> Facts:
    """Of each service, the file that ended its run under `fresh`, and how."""
    ends = {}
    for service, file, through, code, message in record.fresh:
        if not through and (code or message):
            ends.setdefault(service, (file, code))
    return _ends({service: ends.get(service) for service, *_ in record.fresh})


def replayed_ends(outcomes: tuple[Outcome, ...]) -> Facts:
    """The same of a replay: the last file of a service that was run, if it failed."""
    ends: dict[str, tuple[str, str] | None] = {}
    for outcome in outcomes:
        name = outcome.migration.rpartition("/")[2]
        ends[outcome.service] = None if outcome.code is None else (name, outcome.code)
    return _ends(ends)


def _ends(ends: dict[str, tuple[str, str] | None]) -> Facts:
    # One service to a record, or names that a checkout gives otherwise: they are told apart by their order.
    return {
        FactKey("outcome", f"service {number}"): {"file": end and end[0], "code": end and end[1]}
        for number, end in enumerate(ends.values(), 1)
    }


def _table(name: QName, enabled: bool, forced: bool, columns: Any) -> Iterator[tuple[FactKey, Fact]]:
    about = (name,)
    yield FactKey("table", str(name), about), {}
    yield FactKey("rls flags", str(name), about), {"enabled": enabled, "forced": forced}
    for column, kind, nullable, default in columns:
        path = f"{name}.{column}"
        yield FactKey("column", path, about), {}
        yield FactKey("type of column", path, about), {"type": kind}
        yield FactKey("nullability", path, about), {"nullable": nullable}
        yield FactKey("default", path, about), {"has one": default}


def _policy(
    table: QName, name: str, command: str, permissive: bool, settings: list[str], check: bool
) -> Iterator[tuple[FactKey, Fact]]:
    fact = {"command": command, "permissive": permissive, "settings": settings, "has check": check}
    yield _on("policy", table, name), fact


def _on(kind: str, table: QName, name: str) -> FactKey:
    return FactKey(kind, f"{name} on {table}", (table,))


def _filled(column: Any) -> bool:
    """Whether pg_attribute.atthasdef: a default or a generation expression, and no identity."""
    return column.default is not None or column.generated is not None


def _of_tools(key: FactKey) -> bool:
    return key.kind not in ("function", "view") and any(name.name.startswith(_OF_TOOLS) for name in key.relations)
