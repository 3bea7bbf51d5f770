"""The same strings through the static engine and a real PostgreSQL, string by string, and what differs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psycopg

from remediate.evaluate.model import Sent
from remediate.postgres.introspect import introspect
from remediate.replay.catalog import Catalog
from remediate.replay.engine import StaticEngine
from remediate.source.place import Place
from remediate.sql.functions import normal_body
from support.database import Database

_IDIOMS = Path(__file__).with_name("idioms.txt")


def idioms() -> dict[str, list[str]]:
    """The scripts of idioms.txt: `# name`, then strings with an empty line between them."""
    scripts = {}
    for block in re.split(r"^# ", _IDIOMS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name, _, body = block.partition("\n")
        assert name not in scripts, name
        scripts[name] = [part.strip() for part in body.strip().split("\n\n")]
    return scripts


def send(engine: StaticEngine, sql: str) -> str | None:
    """Sends one string as a migration would; the SQLSTATE of its refusal, or None."""
    before = len(engine.told.refusals)
    engine.execute(Sent("service", "1.ts", "up", Place("1.ts"), sql, "raw"), False)
    new = engine.told.refusals[before:]
    assert len(new) < 2
    return new[0].code if new else None


def differences(database: Database, strings: Sequence[str], *, codes: bool = True) -> list[str]:
    """What the two engines disagree on after these strings: SQLSTATEs and facts of the catalog."""
    engine = StaticEngine(database.name, strict=True)
    found = []
    with database.connect() as connection:
        for sql in strings:
            real = _run(connection, sql)
            static = send(engine, sql)
            if real != static and (codes or (real is None) != (static is None)):
                found.append(f"{sql!r}: PostgreSQL {real}, static {static}")
        theirs = facts(introspect(connection))
    ours = facts(engine.builder.freeze())
    for key in sorted({*theirs, *ours}, key=str):
        # Roles belong to the server, so other tests' may be there too.
        if theirs.get(key) != ours.get(key) and not (key[0] == "role" and key not in ours):
            found.append(f"{key}\n    PostgreSQL {theirs.get(key)}\n    static     {ours.get(key)}")
    found += [f"unresolved: {place.reason}" for place in engine.told.unresolved]
    return found


def _run(connection: psycopg.Connection[Any], sql: str) -> str | None:
    try:
        connection.execute(sql.encode(), prepare=False)
    except psycopg.Error as error:
        connection.execute(b"ROLLBACK")
        return error.sqlstate
    return None


def facts(catalog: Catalog) -> dict[tuple[str, ...], object]:
    """Everything that both engines have to agree on, by a key."""
    return {key: value for group in (_relations(catalog), _objects(catalog)) for key, value in group}


def _relations(catalog: Catalog) -> Iterable[tuple[tuple[str, ...], object]]:
    for table in catalog.tables.values():
        flags = (table.rls_enabled, table.rls_forced, table.partitioned)
        yield ("table", str(table.name)), (*flags, table.partition_of, table.inherits, table.owner, table.comment)
        yield ("columns", str(table.name)), [column.name for column in table.columns]
        for column in table.columns:
            yield ("column", str(table.name), column.name), column
    for view in catalog.views.values():
        columns = [(column.name, column.type) for column in view.columns]
        options = (view.materialized, view.security_invoker)
        yield ("view", str(view.name)), (*options, columns, sorted(view.reads), view.definition)
    for constraint in catalog.constraints.values():
        # pg_constraint lists the columns of a check by number, and an exclusion's text is not made canonical.
        columns = sorted(constraint.columns) if constraint.type == "c" else list(constraint.columns)
        definition = "" if constraint.type == "x" else constraint.definition
        rest = (constraint.references, constraint.referenced_columns, constraint.on_delete, constraint.on_update)
        key = ("constraint", str(constraint.table), constraint.name)
        yield key, (constraint.type, columns, definition, *rest, constraint.validated)
    for index in catalog.indexes.values():
        key = ("index", str(index.table), index.name)
        yield key, (index.unique, index.columns, index.predicate, index.method, index.constraint)
    for policy in catalog.policies.values():
        key = ("policy", str(policy.table), policy.name)
        yield key, (policy.command, policy.permissive, policy.roles, policy.using, policy.check)
    for trigger in catalog.triggers.values():
        key = ("trigger", str(trigger.table), trigger.name)
        events = set(trigger.events)
        yield key, (str(trigger.function), trigger.timing, events, trigger.row, trigger.arguments)


def _objects(catalog: Catalog) -> Iterable[tuple[tuple[str, ...], object]]:
    for function in catalog.functions.values():
        body = normal_body(function.body, function.language)
        how = (function.kind, function.security_definer, function.volatility, function.settings)
        yield ("function", function.signature), (function.arguments, function.returns, function.language, body, *how)
    for type_ in catalog.types.values():
        yield ("type", str(type_.name)), (type_.kind, type_.labels)
    for sequence in catalog.sequences.values():
        yield ("sequence", str(sequence.name)), sequence.owned_by
    for schema in catalog.schemas:
        yield ("schema", schema), True
    for extension in catalog.extensions:
        yield ("extension", extension), True
    for role in catalog.roles.values():
        yield ("role", role.name), (role.superuser, role.bypassrls, role.login)
    for grant in catalog.grants:
        if grant.kind in ("table", "sequence"):
            yield ("grant", grant.subject, grant.role), grant.privileges
