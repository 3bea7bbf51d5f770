"""The whole catalog of a database as plain values, so that two of them can be compared exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import psycopg

Snapshot: TypeAlias = dict[str, dict[str, dict[str, Any]]]
"""Kind of object → its name, qualified → its properties, all of them plain values."""

# Of every query the first column is the object's name, the others are its properties. What belongs to the system or
# to an extension is left out everywhere: an extension is one object, with its version.
_OURS = (
    "{namespace} !~ '^pg_' AND {namespace} <> 'information_schema' AND NOT EXISTS (SELECT FROM pg_depend AS member"
    " WHERE member.classid = '{catalog}'::regclass AND member.objid = {oid} AND member.deptype = 'e')"
)


def _ours(catalog: str, oid: str) -> str:
    return _OURS.format(catalog=catalog, oid=oid, namespace="nspname")


# A privilege list that was never touched is null; after GRANT and REVOKE it spells out the default. Both mean the same.
def _acl(column: str, kind: str, owner: str) -> str:
    return (
        "(SELECT array_agg(format('%s: %s by %s%s', grantee, privilege_type, grantor,"
        " CASE WHEN is_grantable THEN ' with grant option' ELSE '' END) ORDER BY 1)"
        " FROM (SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS grantee, privilege_type,"
        " grantor::regrole::text AS grantor, is_grantable"
        f" FROM aclexplode(coalesce({column}, acldefault('{kind}', {owner})))) AS items)"
    )


_RELATION = "format('%I.%I', nspname, relname)"

_QUERIES: dict[str, str] = {
    "schemas": f"""
        SELECT nspname, nspowner::regrole::text AS owner, {_acl("nspacl", "n", "nspowner")} AS privileges
        FROM pg_namespace WHERE {_ours("pg_namespace", "pg_namespace.oid")}""",
    "extensions": """
        SELECT extname, extversion AS version, extnamespace::regnamespace::text AS schema
        FROM pg_extension WHERE extname <> 'plpgsql'""",
    "tables": f"""
        SELECT {_RELATION}, relkind::text AS kind, relpersistence::text AS persistence,
               relowner::regrole::text AS owner, relrowsecurity AS rls_enabled, relforcerowsecurity AS rls_forced,
               reloptions AS options, relreplident::text AS replica_identity,
               pg_get_partkeydef(c.oid) AS partition_key, pg_get_expr(relpartbound, c.oid) AS partition_bound,
               (SELECT array_agg(inhparent::regclass::text ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = c.oid)
                   AS parents,
               {_acl("relacl", "r", "relowner")} AS privileges
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
        WHERE relkind IN ('r', 'p', 'f') AND {_ours("pg_class", "c.oid")}""",
    "columns": f"""
        SELECT format('%I.%I.%I', nspname, relname, attname),
               row_number() OVER (PARTITION BY c.oid ORDER BY attnum) AS position,
               format_type(atttypid, atttypmod) AS type, attnotnull AS not_null,
               pg_get_expr(adbin, adrelid) AS default, attidentity::text AS identity, attgenerated::text AS generated,
               CASE WHEN attcollation <> 0 THEN attcollation::regcollation::text END AS collation,
               attstorage::text AS storage, attcompression::text AS compression, attstattarget AS statistics,
               attislocal AS local, attinhcount AS inherited,
               CASE WHEN attacl IS NOT NULL THEN {_acl("attacl", "c", "relowner")} END AS privileges
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = attrelid JOIN pg_namespace AS n ON n.oid = relnamespace
             LEFT JOIN pg_attrdef AS d ON d.adrelid = attrelid AND d.adnum = attnum
        WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND attnum > 0 AND NOT attisdropped
              AND {_ours("pg_class", "c.oid")}""",
    "constraints": f"""
        SELECT format('%s %I', coalesce(conrelid::regclass::text, contypid::regtype::text), conname),
               contype::text AS type, pg_get_constraintdef(c.oid) AS definition, convalidated AS validated,
               condeferrable AS deferrable, condeferred AS deferred, connoinherit AS no_inherit
        FROM pg_constraint AS c JOIN pg_namespace AS n ON n.oid = connamespace
        WHERE {_ours("pg_namespace", "n.oid")} AND NOT EXISTS (SELECT FROM pg_depend AS member
              WHERE member.objid IN (conrelid, contypid) AND member.objid <> 0 AND member.deptype = 'e')
              AND contype <> 't'""",
    "indexes": f"""
        SELECT {_RELATION}, indrelid::regclass::text AS table, pg_get_indexdef(c.oid) AS definition,
               indisunique AS unique, indisprimary AS primary, indisvalid AS valid, indisready AS ready,
               indisclustered AS clustered, indisreplident AS replica_identity, reloptions AS options
        FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid JOIN pg_namespace AS n ON n.oid = relnamespace
        WHERE {_ours("pg_class", "indrelid")}""",
    "policies": f"""
        SELECT format('%s %I', polrelid::regclass::text, polname), polcmd::text AS command,
               polpermissive AS permissive, pg_get_expr(polqual, polrelid) AS using,
               pg_get_expr(polwithcheck, polrelid) AS check,
               (SELECT array_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END ORDER BY 1)
                FROM unnest(polroles) AS role) AS roles
        FROM pg_policy AS p JOIN pg_class AS c ON c.oid = polrelid JOIN pg_namespace AS n ON n.oid = relnamespace
        WHERE {_ours("pg_class", "c.oid")}""",
    "functions": f"""
        SELECT p.oid::regprocedure::text, prokind::text AS kind, proowner::regrole::text AS owner,
               CASE WHEN prokind <> 'a' THEN pg_get_functiondef(p.oid) END AS definition,
               format_type(prorettype, NULL) AS returns, prosecdef AS security_definer, proconfig AS settings,
               {_acl("proacl", "f", "proowner")} AS privileges
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = pronamespace
        WHERE {_ours("pg_proc", "p.oid")}""",
    "triggers": f"""
        SELECT format('%s %I', tgrelid::regclass::text, tgname), pg_get_triggerdef(t.oid) AS definition,
               tgenabled::text AS enabled
        FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = tgrelid JOIN pg_namespace AS n ON n.oid = relnamespace
        WHERE NOT tgisinternal AND {_ours("pg_class", "c.oid")}""",
    "rules": f"""
        SELECT format('%s %I', ev_class::regclass::text, rulename), pg_get_ruledef(r.oid) AS definition,
               ev_enabled::text AS enabled
        FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = ev_class JOIN pg_namespace AS n ON n.oid = relnamespace
        WHERE rulename <> '_RETURN' AND {_ours("pg_class", "c.oid")}""",
    "views": f"""
        SELECT {_RELATION}, relkind::text AS kind, relowner::regrole::text AS owner, relispopulated AS populated,
               pg_get_viewdef(c.oid) AS definition, reloptions AS options,
               {_acl("relacl", "r", "relowner")} AS privileges
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
        WHERE relkind IN ('v', 'm') AND {_ours("pg_class", "c.oid")}""",
    "sequences": f"""
        SELECT {_RELATION}, relowner::regrole::text AS owner, seqtypid::regtype::text AS type, seqstart AS start,
               seqincrement AS increment, seqmin AS minimum, seqmax AS maximum, seqcache AS cache, seqcycle AS cycle,
               (SELECT format('%s.%I', refobjid::regclass, attname) FROM pg_depend JOIN pg_attribute
                    ON attrelid = refobjid AND attnum = refobjsubid
                WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype IN ('a', 'i')) AS owned_by,
               {_acl("relacl", "s", "relowner")} AS privileges
        FROM pg_sequence JOIN pg_class AS c ON c.oid = seqrelid JOIN pg_namespace AS n ON n.oid = relnamespace
        WHERE {_ours("pg_class", "c.oid")}""",
    # Row types of tables and array types come with what they belong to.
    "types": f"""
        SELECT format('%I.%I', nspname, typname), typtype::text AS kind, typowner::regrole::text AS owner,
               (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid) AS labels,
               CASE WHEN typtype = 'd' THEN format_type(typbasetype, typtypmod) END AS base,
               typnotnull AS not_null, typdefault AS default,
               (SELECT format_type(rngsubtype, NULL) FROM pg_range WHERE rngtypid = t.oid) AS subtype,
               {_acl("typacl", "T", "typowner")} AS privileges
        FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = typnamespace
        WHERE {_ours("pg_type", "t.oid")} AND typelem = 0
              AND (typrelid = 0 OR (SELECT relkind FROM pg_class WHERE oid = typrelid) = 'c')""",
    "statistics": f"""
        SELECT format('%I.%I', nspname, stxname), pg_get_statisticsobjdef(s.oid) AS definition
        FROM pg_statistic_ext AS s JOIN pg_namespace AS n ON n.oid = stxnamespace
        WHERE {_ours("pg_statistic_ext", "s.oid")}""",
    "event triggers": """
        SELECT evtname, evtevent AS event, evtfoid::regprocedure::text AS function, evtenabled::text AS enabled,
               evttags AS tags
        FROM pg_event_trigger""",
    "publications": """
        SELECT pubname, puballtables AS all_tables, pubinsert AS insert, pubupdate AS update, pubdelete AS delete,
               (SELECT array_agg(prrelid::regclass::text ORDER BY 1) FROM pg_publication_rel WHERE prpubid = p.oid)
                   AS tables
        FROM pg_publication AS p""",
    "comments": """
        SELECT format('%s of %s', identity.type, identity.identity), description AS text
        FROM (SELECT classoid, objoid, objsubid, description FROM pg_description
              WHERE objoid >= 16384 OR classoid = 'pg_namespace'::regclass AND objoid = 'public'::regnamespace
              UNION ALL
              SELECT classoid, objoid, 0, description FROM pg_shdescription
              WHERE classoid = 'pg_database'::regclass
                    AND objoid = (SELECT oid FROM pg_database WHERE datname = current_database())) AS d,
             pg_identify_object(classoid, objoid, objsubid) AS identity
        WHERE d.classoid <> 'pg_extension'::regclass  -- every extension brings one
              AND NOT EXISTS (SELECT FROM pg_depend AS member WHERE member.classid = d.classoid
                          AND member.objid = d.objoid AND member.deptype = 'e')""",
    "default privileges": """
        SELECT format('%s in %s for %s', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype),
               defaclacl::text AS privileges
        FROM pg_default_acl""",
    "settings of roles": """
        SELECT format('%s in %s', setrole::regrole,
                      CASE setdatabase WHEN 0 THEN 'every database' ELSE 'this database' END), setconfig AS settings
        FROM pg_db_role_setting
        WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))""",
    # Roles belong to the server, not to the database.
    "roles": """
        SELECT rolname, rolsuper AS superuser, rolbypassrls AS bypassrls, rolinherit AS inherit,
               rolcreaterole AS createrole, rolcreatedb AS createdb, rolcanlogin AS login,
               (SELECT array_agg(roleid::regrole::text ORDER BY 1) FROM pg_auth_members WHERE member = r.oid)
                   AS member_of
        FROM pg_roles AS r WHERE rolname !~ '^pg_'""",
}


def catalog_snapshot(connection: psycopg.Connection[Any]) -> Snapshot:
    """Everything that the catalog says about what users can make, names qualified whatever the search_path is.

    Equal snapshots mean equal schemas: what differs without a meaning (object ids, the gap that a dropped column
    leaves, a privilege list that spells out the default) is left out. Rows and sequence positions are not read. The
    connection may be in a transaction and then sees what that sees.
    """
    from psycopg.rows import dict_row

    snapshot: Snapshot = {}
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SELECT set_config('search_path', 'pg_catalog', true)")
        for kind, query in _QUERIES.items():
            objects: dict[str, dict[str, Any]] = {}
            for row in cursor.execute(query.encode()):
                name, *properties = row
                key = str(row[name])
                assert key not in objects, f"{kind}: two objects called {key}"
                objects[key] = {property: row[property] for property in properties}
            snapshot[kind] = dict(sorted(objects.items()))
    return snapshot


def snapshot_differences(before: Snapshot, after: Snapshot) -> list[str]:
    """What is other in `after`, one line each: `+ policies public.a p`, `- …`, `~ tables public.a: rls_forced: …`."""
    return sorted(_differences(before, after))


def _differences(before: Snapshot, after: Snapshot) -> Iterator[str]:
    for kind in _QUERIES:
        old, new = before.get(kind, {}), after.get(kind, {})
        for name in old.keys() | new.keys():
            if name not in new:
                yield f"- {kind} {name}"
            elif name not in old:
                yield f"+ {kind} {name}"
            else:
                for property, value in new[name].items():
                    if value != old[name][property]:
                        yield f"~ {kind} {name}: {property}: {old[name][property]!r} -> {value!r}"
