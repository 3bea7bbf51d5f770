"""What `introspect` asks pg_catalog. User objects only; every list in creation order (by oid)."""

USER_SCHEMAS = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(temp|toast_temp)_'"
)


def not_of_extension(oid: str, catalog: str) -> str:
    """What no extension brought."""
    return (
        f"NOT EXISTS (SELECT 1 FROM pg_depend AS e WHERE e.objid = {oid} AND e.classid = '{catalog}'::regclass"
        " AND e.deptype = 'e')"
    )


SCHEMAS = f"SELECT nspname FROM pg_namespace AS n WHERE {USER_SCHEMAS} AND nspname <> 'public' ORDER BY oid"
EXTENSIONS = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY oid"
ROLES = "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY oid"

TYPES = f"""
    SELECT n.nspname, t.typname, t.typtype::text,
           (SELECT array_agg(enumlabel::text ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
           CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END
    FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
    LEFT JOIN pg_class AS c ON c.oid = t.typrelid
    WHERE {USER_SCHEMAS} AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c')
      AND {not_of_extension("t.oid", "pg_type")} ORDER BY t.oid
"""

RELATIONS = f"""
    SELECT n.nspname, c.relname, c.relkind::text, c.relrowsecurity, c.relforcerowsecurity,
           pg_get_userbyid(c.relowner)::text, c.relispartition,
           (SELECT array_agg(pn.nspname || E'\\001' || p.relname ORDER BY i.inhseqno)
            FROM pg_inherits AS i JOIN pg_class AS p ON p.oid = i.inhparent
            JOIN pg_namespace AS pn ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid),
           c.reloptions, CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
           obj_description(c.oid, 'pg_class')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE {USER_SCHEMAS} AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND {not_of_extension("c.oid", "pg_class")}
    ORDER BY c.oid
"""

COLUMNS = f"""
    SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
           pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text, col_description(c.oid, a.attnum)
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE {USER_SCHEMAS} AND c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.oid, a.attnum
"""

VIEW_COLUMNS = f"""
    SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE {USER_SCHEMAS} AND c.relkind IN ('v', 'm') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.oid, a.attnum
"""

VIEW_READS = f"""
    SELECT DISTINCT n.nspname, c.relname, rn.nspname, r.relname
    FROM pg_rewrite AS w JOIN pg_class AS c ON c.oid = w.ev_class JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
         AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class AS r ON r.oid = d.refobjid AND r.oid <> c.oid JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
    WHERE {USER_SCHEMAS} AND c.relkind IN ('v', 'm') ORDER BY 1, 2, 3, 4
"""

SEQUENCES = f"""
    SELECT n.nspname, c.relname, tn.nspname, t.relname, a.attname
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
         AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
    LEFT JOIN pg_class AS t ON t.oid = d.refobjid LEFT JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
    LEFT JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE {USER_SCHEMAS} AND c.relkind = 'S' AND {not_of_extension("c.oid", "pg_class")} ORDER BY c.oid
"""

FUNCTIONS = f"""
    SELECT n.nspname, p.proname, pg_get_function_identity_arguments(p.oid),
           ARRAY(SELECT format_type(type, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS u (type, at) ORDER BY at),
           pg_get_function_result(p.oid), l.lanname, coalesce(pg_get_function_sqlbody(p.oid), p.prosrc),
           p.prokind::text, p.prosecdef, p.provolatile::text, p.proconfig
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace JOIN pg_language AS l ON l.oid = p.prolang
    WHERE {USER_SCHEMAS} AND p.prokind IN ('f', 'p') AND {not_of_extension("p.oid", "pg_proc")}
      AND NOT EXISTS (SELECT 1 FROM pg_depend AS i WHERE i.classid = 'pg_proc'::regclass AND i.objid = p.oid
                      AND i.deptype = 'i') ORDER BY p.oid
"""

AGGREGATES = f"""
    SELECT p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE {USER_SCHEMAS} AND p.prokind = 'a' ORDER BY p.oid
"""
"""They are in no catalog of ours; views that call them are spelled."""

CONSTRAINTS = f"""
    SELECT n.nspname, c.relname, k.conname, k.contype::text,
           (SELECT array_agg(a.attname::text ORDER BY u.at) FROM unnest(k.conkey) WITH ORDINALITY AS u (number, at)
            JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.number),
           pg_get_constraintdef(k.oid), pg_get_expr(k.conbin, k.conrelid), k.convalidated,
           pn.nspname, p.relname,
           (SELECT array_agg(a.attname::text ORDER BY u.at) FROM unnest(k.confkey) WITH ORDINALITY AS u (number, at)
            JOIN pg_attribute AS a ON a.attrelid = p.oid AND a.attnum = u.number),
           k.confdeltype::text, k.confupdtype::text
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_class AS p ON p.oid = k.confrelid AND k.contype = 'f'
    LEFT JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
    WHERE {USER_SCHEMAS} AND k.contype IN ('p', 'u', 'f', 'c', 'x') AND {not_of_extension("c.oid", "pg_class")}
      -- A key that refers to a partitioned table has one more row for each partition there.
      AND NOT (k.contype = 'f' AND k.conparentid <> 0
               AND k.conrelid = (SELECT conrelid FROM pg_constraint AS above WHERE above.oid = k.conparentid))
    ORDER BY k.oid
"""

INDEXES = f"""
    SELECT n.nspname, c.relname, i.relname, x.indisunique,
           ARRAY[ARRAY(SELECT (number <> 0)::text
                       FROM unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY AS u (number, at) ORDER BY at),
                 ARRAY(SELECT CASE WHEN number <> 0
                              THEN (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = number)::text
                              ELSE pg_get_indexdef(i.oid, at::integer, false) END
                       FROM unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY AS u (number, at) ORDER BY at)],
           pg_get_expr(x.indpred, x.indrelid), m.amname,
           EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x')),
           pg_get_indexdef(i.oid)
    FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS c ON c.oid = x.indrelid
    JOIN pg_namespace AS n ON n.oid = i.relnamespace JOIN pg_am AS m ON m.oid = i.relam
    WHERE {USER_SCHEMAS} AND {not_of_extension("c.oid", "pg_class")} ORDER BY i.oid
"""

POLICIES = f"""
    SELECT n.nspname, c.relname, p.polname, p.polcmd::text, p.polpermissive,
           ARRAY(SELECT CASE WHEN role = 0 THEN 'public' ELSE pg_get_userbyid(role)::text END
                 FROM unnest(p.polroles) AS role ORDER BY 1),
           pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
    FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE {USER_SCHEMAS} ORDER BY p.oid
"""

TRIGGERS = f"""
    SELECT n.nspname, c.relname, t.tgname, t.tgtype::integer, fn.nspname, f.proname, pg_get_triggerdef(t.oid), t.tgargs
    FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_proc AS f ON f.oid = t.tgfoid JOIN pg_namespace AS fn ON fn.oid = f.pronamespace
    WHERE {USER_SCHEMAS} AND NOT t.tgisinternal ORDER BY t.oid
"""

GRANTS = f"""
    SELECT CASE WHEN c.relkind = 'S' THEN 'sequence' ELSE 'table' END, n.nspname || '.' || c.relname,
           CASE WHEN g.grantee = 0 THEN 'public' ELSE pg_get_userbyid(g.grantee)::text END,
           array_agg(DISTINCT lower(g.privilege_type) ORDER BY lower(g.privilege_type))
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace, aclexplode(c.relacl) AS g
    WHERE {USER_SCHEMAS} AND g.grantee <> c.relowner AND {not_of_extension("c.oid", "pg_class")}
    GROUP BY c.oid, c.relkind, n.nspname, c.relname, g.grantee ORDER BY c.oid, 3
"""

QUERIES = (
    SCHEMAS, EXTENSIONS, ROLES, TYPES, RELATIONS, COLUMNS, VIEW_COLUMNS, VIEW_READS, SEQUENCES, FUNCTIONS, AGGREGATES,
    CONSTRAINTS, INDEXES, POLICIES, TRIGGERS, GRANTS,
)  # fmt: skip
