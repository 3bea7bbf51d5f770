"""The catalog of a real database in a `CatalogBuilder`: what questions and blocks read, without the static engine."""

from __future__ import annotations

from typing import Any

import psycopg

from remediate.replay.builder import CatalogBuilder
from remediate.replay.catalog import (
    Column,
    Constraint,
    Function,
    Index,
    Policy,
    QName,
    Role,
    Sequence,
    Table,
    Trigger,
    Type,
    View,
)

_OURS = "nspname !~ '^pg_' AND nspname <> 'information_schema'"
_NOT_OF_EXTENSION = "NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = {oid} AND d.deptype = 'e')"
_ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_COMMANDS = {"*": "all", "r": "select", "a": "insert", "w": "update", "d": "delete"}


def introspect(connection: psycopg.Connection[Any]) -> CatalogBuilder:
    """Reads everything, uncommitted changes of this connection included."""
    rows = lambda sql: connection.execute(sql).fetchall()  # noqa: E731
    ((database, user, path),) = rows("SELECT current_database(), current_user, current_schemas(false)")
    builder = CatalogBuilder(database, user)
    del builder.schemas["public"]
    for (name,) in rows(f"SELECT nspname::text FROM pg_namespace WHERE {_OURS} ORDER BY oid"):
        builder.schemas[name] = ()
    builder.session["search_path"] = tuple(path)
    for (name,) in rows("SELECT extname::text FROM pg_extension WHERE extname <> 'plpgsql'"):
        builder.extensions[name] = ()
    for name, superuser, bypass, login in rows(
        "SELECT rolname::text, rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY oid"
    ):
        builder.roles[name] = Role(name, superuser, bypass, (), login)
    _relations(builder, rows)
    _constraints(builder, rows)
    _others(builder, rows)
    return builder


def _relations(builder: CatalogBuilder, rows: Any) -> None:
    columns: dict[QName, list[Column]] = {}
    for schema, table, name, kind, null, default, identity, generated in rows(
        f"""SELECT nspname::text, relname::text, attname::text, format_type(atttypid, atttypmod), NOT attnotnull,
                   pg_get_expr(adbin, adrelid), attidentity::text, attgenerated::text
            FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
            LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
            WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm') AND {_OURS} ORDER BY attnum"""
    ):
        columns.setdefault(QName(schema, table), []).append(
            Column(
                name,
                kind,
                null,
                None if generated else default,
                {"a": "always", "d": "by default"}.get(identity),  # type: ignore[arg-type]
                default if generated else None,
            )
        )
    parents: dict[QName, tuple[bool, list[QName]]] = {}
    for schema, name, parent_schema, parent, partition in rows(
        f"""SELECT nspname::text, c.relname::text, p.relnamespace::regnamespace::text, p.relname::text, c.relispartition
            FROM pg_inherits i JOIN pg_class c ON c.oid = inhrelid JOIN pg_class p ON p.oid = inhparent
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS} ORDER BY inhseqno"""
    ):
        parents.setdefault(QName(schema, name), (partition, []))[1].append(QName(parent_schema, parent))
    for schema, name, kind, enabled, forced, owner, definition, options in rows(
        f"""SELECT nspname::text, relname::text, relkind::text, relrowsecurity, relforcerowsecurity,
                   pg_get_userbyid(relowner)::text, CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
                   reloptions
            FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            WHERE relkind IN ('r', 'p', 'v', 'm') AND {_OURS} AND {_NOT_OF_EXTENSION.format(oid="c.oid")}
            ORDER BY c.oid"""
    ):
        key = QName(schema, name)
        made = tuple(columns.get(key, ()))
        if kind in "rp":
            partition, above = parents.get(key, (False, []))
            builder.tables[key] = Table(
                key,
                made,
                (),
                enabled,
                forced,
                owner,
                partitioned=kind == "p",
                partition_of=above[0] if partition else None,
                inherits=() if partition else tuple(above),
            )
        else:
            invoker = "security_invoker=true" in (options or ())
            builder.views[key] = View(key, definition, (), kind == "m", invoker, columns=made)


def _constraints(builder: CatalogBuilder, rows: Any) -> None:
    for schema, table, name, kind, keys, definition, ref_schema, ref_table, ref_keys, delete, update, valid in rows(
        f"""SELECT nspname::text, c.relname::text, conname::text, contype::text, {_keys("conkey", "conrelid")},
                   pg_get_constraintdef(o.oid), f.relnamespace::regnamespace::text, f.relname::text,
                   {_keys("confkey", "confrelid")}, confdeltype::text, confupdtype::text, convalidated
            FROM pg_constraint o JOIN pg_class c ON c.oid = conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_class f ON f.oid = confrelid WHERE contype IN ('p', 'u', 'f', 'c', 'x') AND {_OURS}
            ORDER BY o.oid"""
    ):
        key = QName(schema, table)
        builder.constraints[(key, name)] = Constraint(
            key,
            name,
            kind,
            tuple(keys or ()),
            definition,
            (),
            QName(ref_schema, ref_table) if ref_table else None,
            tuple(ref_keys or ()),
            _ACTIONS.get(delete, "no action"),
            _ACTIONS.get(update, "no action"),
            valid,
        )
    for schema, name, table_schema, table, unique, keys, predicate, definition in rows(
        f"""SELECT nspname::text, c.relname::text, t.relnamespace::regnamespace::text, t.relname::text, indisunique,
                   ARRAY(SELECT pg_get_indexdef(c.oid, k, true) FROM generate_series(1, indnkeyatts) k),
                   pg_get_expr(indpred, indrelid), pg_get_indexdef(c.oid)
            FROM pg_index i JOIN pg_class c ON c.oid = indexrelid JOIN pg_class t ON t.oid = indrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS} ORDER BY c.oid"""
    ):
        builder.indexes[QName(schema, name)] = Index(
            QName(table_schema, table), name, unique, tuple(keys), predicate, (), definition=definition
        )


def _keys(column: str, relation: str) -> str:
    return (
        f"(SELECT array_agg(attname::text ORDER BY ord) FROM unnest({column}) WITH ORDINALITY k(num, ord)"
        f" JOIN pg_attribute ON attrelid = {relation} AND attnum = num)"
    )


def _others(builder: CatalogBuilder, rows: Any) -> None:
    for schema, table, name, command, permissive, roles, using, check in rows(
        f"""SELECT nspname::text, relname::text, polname::text, polcmd::text, polpermissive,
                   ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r)::text END FROM unnest(polroles) r),
                   pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
            FROM pg_policy p JOIN pg_class c ON c.oid = polrelid JOIN pg_namespace n ON n.oid = relnamespace
            WHERE {_OURS} ORDER BY p.oid"""
    ):
        key = QName(schema, table)
        builder.policies[(key, name)] = Policy(
            key,
            name,
            _COMMANDS[command],
            permissive,
            tuple(roles),
            using,
            check,
            (),  # type: ignore[arg-type]
        )
    for schema, name, arguments, types, returns, language, body, kind, definer, volatility, config, statement in rows(
        f"""SELECT nspname::text, proname::text, pg_get_function_identity_arguments(p.oid),
                   ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) t), pg_get_function_result(p.oid),
                   lanname::text, prosrc, prokind::text, prosecdef, provolatile::text, proconfig,
                   pg_get_functiondef(p.oid)
            FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace JOIN pg_language l ON l.oid = prolang
            WHERE {_OURS} AND {_NOT_OF_EXTENSION.format(oid="p.oid")} AND prokind IN ('f', 'p') ORDER BY p.oid"""
    ):
        key = QName(schema, name)
        builder.functions[(key, tuple(types))] = Function(
            key,
            arguments,
            tuple(types),
            returns or "void",
            language,
            body,
            (),
            "procedure" if kind == "p" else "function",
            definer,
            {"v": "volatile", "s": "stable", "i": "immutable"}[volatility],
            tuple((one.partition("=")[0], one.partition("=")[2]) for one in config or ()),
            statement,
            statement,
        )
    for schema, table, name, function_schema, function, definition in rows(
        f"""SELECT n.nspname::text, relname::text, tgname::text, fn.nspname::text, proname::text,
                   pg_get_triggerdef(t.oid)
            FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = relnamespace
            JOIN pg_proc p ON p.oid = tgfoid JOIN pg_namespace fn ON fn.oid = pronamespace
            WHERE NOT tgisinternal AND n.{_OURS.replace("AND nspname", "AND n.nspname")} ORDER BY t.oid"""
    ):
        key = QName(schema, table)
        head = definition.split(" ON ")[0]
        timing = next(word for word in ("BEFORE", "AFTER", "INSTEAD OF") if word in head)
        events = tuple(word.lower() for word in ("INSERT", "DELETE", "UPDATE", "TRUNCATE") if f" {word}" in head)
        row = "FOR EACH ROW" in definition
        builder.triggers[(key, name)] = Trigger(
            key, name, QName(function_schema, function), timing.lower(), events, definition, (), row
        )
    for schema, name, kind, labels in rows(
        f"""SELECT nspname::text, typname::text, typtype::text,
                   ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder)
            FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace LEFT JOIN pg_class c ON c.oid = typrelid
            WHERE (typtype IN ('e', 'd', 'r') OR relkind = 'c') AND {_OURS}
                AND {_NOT_OF_EXTENSION.format(oid="t.oid")} ORDER BY t.oid"""
    ):
        key = QName(schema, name)
        kinds = {"e": "enum", "d": "domain", "c": "composite", "r": "range"}
        builder.types[key] = Type(key, kinds[kind], tuple(labels), ())  # type: ignore[arg-type]
    for schema, name, owner_schema, owner_table, owner_column in rows(
        f"""SELECT nspname::text, c.relname::text, t.relnamespace::regnamespace::text, t.relname::text, attname::text
            FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            LEFT JOIN pg_depend d ON d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.refclassid = 'pg_class'::regclass
            LEFT JOIN pg_class t ON t.oid = d.refobjid
            LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
            WHERE c.relkind = 'S' AND {_OURS} ORDER BY c.oid"""
    ):
        owner = (QName(owner_schema, owner_table), owner_column) if owner_table else None
        builder.sequences[QName(schema, name)] = Sequence(QName(schema, name), owner, ())
