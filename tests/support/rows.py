"""Rows for tables that nobody knows: a few for each of two tenants, and a checksum that tells whether any was lost."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from support.database import Database

TENANTS = 2
ROWS = 2
"""Rows of each tenant in each table."""

_TABLES = """
SELECT c.oid, nspname, relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND relname !~ '_?knex_migrations' ORDER BY c.oid"""
_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attnotnull, atthasdef OR attidentity <> '' OR attgenerated <> '',
    attgenerated <> '' OR attidentity = 'a', (SELECT enumlabel FROM pg_enum WHERE enumtypid = atttypid
    ORDER BY enumsortorder LIMIT 1) FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped
ORDER BY attnum"""
_KEYS = """
SELECT confrelid,
    (SELECT array_agg(attname ORDER BY place) FROM unnest(conkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_attribute ON attrelid = conrelid AND attnum = number),
    (SELECT array_agg(attname ORDER BY place) FROM unnest(confkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_attribute ON attrelid = confrelid AND attnum = number)
FROM pg_constraint WHERE contype = 'f' AND conrelid = %s AND conrelid <> confrelid"""


def fill(database: Database) -> dict[str, int]:
    """Puts rows of two tenants into every table that takes them; how many each has then, by its qualified name."""
    with database.connect() as connection:
        tables = connection.execute(_TABLES).fetchall()
        keys = {oid: connection.execute(_KEYS, (oid,)).fetchall() for oid, _, _ in tables}
        made: dict[int, list[dict[str, Any]]] = {}
        waiting = list(tables)
        while waiting:
            ready = [one for one in waiting if all(key[0] in made for key in keys[one[0]])]
            for one in ready or waiting[:1]:
                made[one[0]] = _fill_table(connection, one, keys[one[0]], made, tables)
                waiting.remove(one)
        return {f"{schema}.{table}": len(made[oid]) for oid, schema, table in tables}


def _fill_table(
    connection: psycopg.Connection[Any],
    table: tuple[int, str, str],
    keys: list[tuple[int, list[str], list[str]]],
    made: dict[int, list[dict[str, Any]]],
    tables: list[tuple[int, str, str]],
) -> list[dict[str, Any]]:
    oid, schema, name = table
    columns = connection.execute(_COLUMNS, (oid,)).fetchall()
    rows = []
    for number in range(TENANTS * ROWS):
        values: dict[str, Any] = {}
        for column, type_, _, has_default, always, label in columns:
            if always or (has_default and column != "tenant_id"):
                continue
            values[column] = label or _value(column, type_, number, made, tables)
        for parent, own, theirs in keys:
            for mine, other in zip(own, theirs, strict=True):
                there = made.get(parent) or []
                values[mine] = there[number][other] if number < len(there) else None
        row = _insert(connection, schema, name, values)
        if row is None:
            required = {column for column, _, not_null, *_ in columns if not_null or column == "tenant_id"}
            row = _insert(connection, schema, name, {key: value for key, value in values.items() if key in required})
        if row is not None:
            rows.append(row)
    return rows


def _insert(
    connection: psycopg.Connection[Any], schema: str, table: str, values: dict[str, Any]
) -> dict[str, Any] | None:
    names = sql.SQL(", ").join(map(sql.Identifier, values))
    literals = sql.SQL(", ").join(map(sql.Literal, values.values()))
    given = sql.SQL("({}) VALUES ({})").format(names, literals) if values else sql.SQL("DEFAULT VALUES")
    query = sql.SQL("INSERT INTO {} {} RETURNING *").format(sql.Identifier(schema, table), given)
    try:
        with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            return cursor.execute(query).fetchone()
    except psycopg.Error:
        return None


def _value(
    column: str, type_: str, number: int, made: dict[int, list[dict[str, Any]]], tables: list[tuple[int, str, str]]
) -> object:
    """A plausible value. Rows 0, 1 belong to the first tenant, 2, 3 to the second."""
    tenant = number // ROWS + 1
    if column in ("tenant_id", "tenantId"):
        return {"uuid": f"00000000-0000-0000-0000-00000000000{tenant}"}.get(type_, str(tenant))
    if column.endswith("_id"):
        # A reference without foreign key: the table that it is called after.
        for oid, _, name in tables:
            there = made.get(oid, [])
            if name in (f"{column[:-3]}s", column[:-3]) and number < len(there):
                return there[number].get("id")
    if type_.startswith(("character", "text", "citext", '"char"')):
        size = type_.partition("(")[2].rstrip(")")
        return f"{number}{column}"[: int(size) if size else 60]
    plain = {
        "uuid": f"00000000-0000-4000-8000-0000000000{number:02d}",
        "boolean": "true",
        "json": "{}",
        "jsonb": "{}",
        "inet": "127.0.0.1",
        "bytea": "\\x00",
        "date": "2026-01-01",
        "interval": "1 day",
    }
    if type_ in plain:
        return plain[type_]
    if type_.endswith("[]"):
        return "{}"
    if type_.startswith("time"):
        return "2026-01-01 12:00:00"
    return str(number + 1)


def checksums(database: Database, columns: dict[str, list[str]] | None = None) -> dict[str, tuple[int, str]]:
    """Rows and a checksum of each table's content; where columns are given, of those tables and columns only."""
    found = {}
    with database.connect() as connection:
        for _, schema, table in connection.execute(_TABLES).fetchall():
            name = f"{schema}.{table}"
            if columns is not None and name not in columns:
                continue
            wanted = (columns or {}).get(name) or ["*"]
            chosen = sql.SQL(", ").join(sql.SQL("*") if one == "*" else sql.Identifier(one) for one in wanted)
            query = sql.SQL(
                "SELECT count(*), coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '')"
                " FROM (SELECT {} FROM {}) AS t"
            ).format(chosen, sql.Identifier(schema, table))
            row = connection.execute(query).fetchone()
            assert row is not None
            found[name] = (row[0], row[1])
    return found


def columns_of(database: Database) -> dict[str, list[str]]:
    """The columns of every table, in order."""
    with database.connect() as connection:
        return {
            f"{schema}.{table}": [row[0] for row in connection.execute(_COLUMNS, (oid,)).fetchall()]
            for oid, schema, table in connection.execute(_TABLES).fetchall()
        }
