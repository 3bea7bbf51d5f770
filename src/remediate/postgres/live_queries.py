"""What a look at a live database asks pg_catalog beside `queries`: what a replay of migrations cannot have.

Read with search_path = pg_catalog, like `queries`. None of it calls a function of the user.
"""

from remediate.postgres.queries import USER_SCHEMAS, not_of_extension

INVALID_INDEXES = f"""
    SELECT n.nspname, i.relname FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
    JOIN pg_namespace AS n ON n.oid = i.relnamespace WHERE {USER_SCHEMAS} AND NOT x.indisvalid ORDER BY 1, 2
"""

DISABLED_TRIGGERS = f"""
    SELECT n.nspname, c.relname, t.tgname, CASE t.tgenabled WHEN 'R' THEN 'on replicas only' ELSE 'disabled' END
    FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE {USER_SCHEMAS} AND NOT t.tgisinternal AND t.tgenabled IN ('D', 'R') ORDER BY 1, 2, 3
"""

# Whom policies do not bind: superusers, BYPASSRLS, and who can become one of them (pg_has_role knows inheritance; a
# superuser is a member of everything). Roles that nobody can log in as, and those of PostgreSQL itself, are means only.
BYPASSING_ROLES = """
    SELECT r.rolname::text, r.rolsuper, r.rolbypassrls,
           ARRAY(SELECT above.rolname::text FROM pg_roles AS above
                 WHERE (above.rolsuper OR above.rolbypassrls) AND above.oid <> r.oid AND NOT r.rolsuper
                   AND pg_has_role(r.oid, above.oid, 'MEMBER') ORDER BY 1)
    FROM pg_roles AS r
    WHERE r.rolcanlogin AND r.rolname !~ '^pg_'
      AND (r.rolsuper OR r.rolbypassrls
           OR EXISTS (SELECT 1 FROM pg_roles AS above WHERE (above.rolsuper OR above.rolbypassrls)
                      AND pg_has_role(r.oid, above.oid, 'MEMBER')))
    ORDER BY r.rolname
"""

# Tables whose rows come from somewhere else, themselves or a part of them: reading them runs a foreign data wrapper.
FOREIGN_PARTS = f"""
    WITH RECURSIVE above (relation) AS (
        SELECT i.inhparent FROM pg_class AS f JOIN pg_inherits AS i ON i.inhrelid = f.oid WHERE f.relkind = 'f'
        UNION SELECT i.inhparent FROM above JOIN pg_inherits AS i ON i.inhrelid = above.relation
    )
    SELECT n.nspname, c.relname FROM above JOIN pg_class AS c ON c.oid = above.relation
    JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE {USER_SCHEMAS}
"""

# Columns that no operator of PostgreSQL itself compares: that of the user, or of an extension, may do anything.
STRANGE_COLUMNS = f"""
    SELECT n.nspname, c.relname, a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_type AS b ON b.oid = t.typbasetype
    WHERE {USER_SCHEMAS} AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND t.typtype <> 'e'
      AND coalesce(b.typnamespace, t.typnamespace) <> 'pg_catalog'::regnamespace AND coalesce(b.typtype, '') <> 'e'
"""

_OF_USER = """
    (d.refclassid = 'pg_proc'::regclass AND EXISTS (SELECT 1 FROM pg_proc AS f WHERE f.oid = d.refobjid
         AND f.pronamespace <> 'pg_catalog'::regnamespace)
     OR d.refclassid = 'pg_operator'::regclass AND EXISTS (SELECT 1 FROM pg_operator AS f WHERE f.oid = d.refobjid
         AND f.oprnamespace <> 'pg_catalog'::regnamespace))
"""

# Tables that cannot be read without running code of the user: planning a query works out what an immutable function
# in an index, a partition key or extended statistics makes of constants, with the rights of who plans.
CALLING_TABLES = f"""
    WITH RECURSIVE calling (relation) AS (
        SELECT x.indrelid FROM pg_index AS x JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass
             AND d.objid = x.indexrelid WHERE {_OF_USER}
        UNION SELECT s.stxrelid FROM pg_statistic_ext AS s JOIN pg_depend AS d
             ON d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid WHERE {_OF_USER}
        UNION SELECT d.objid FROM pg_depend AS d JOIN pg_class AS c ON c.oid = d.objid AND c.relkind IN ('r', 'p')
             WHERE d.classid = 'pg_class'::regclass AND {_OF_USER}
        UNION SELECT a.adrelid FROM pg_attrdef AS a JOIN pg_depend AS d ON d.classid = 'pg_attrdef'::regclass
             AND d.objid = a.oid JOIN pg_attribute AS g ON g.attrelid = a.adrelid AND g.attnum = a.adnum
             WHERE g.attgenerated = 'v' AND {_OF_USER}
        UNION SELECT i.inhparent FROM calling JOIN pg_inherits AS i ON i.inhrelid = calling.relation
    )
    SELECT n.nspname, c.relname FROM calling JOIN pg_class AS c ON c.oid = calling.relation
    JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE {USER_SCHEMAS}
"""

DEFINITIONS = f"""
    SELECT n.nspname, p.proname,
           ARRAY(SELECT format_type(type, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS u (type, at) ORDER BY at),
           pg_get_functiondef(p.oid)
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE {USER_SCHEMAS} AND p.prokind IN ('f', 'p') AND {not_of_extension("p.oid", "pg_proc")}
"""

# Knex's own tables, by their shape (knex/lib/migrations/migrate/table-creator.js): any name, any schema.
RECORD_TABLES = f"""
    SELECT n.nspname, c.relname, row_security_active(c.oid),
           (SELECT l.relname FROM pg_class AS l JOIN pg_attribute AS a ON a.attrelid = l.oid AND a.attname = 'is_locked'
            WHERE l.relnamespace = c.relnamespace AND l.relname = c.relname || '_lock' AND l.relkind = 'r')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE {USER_SCHEMAS} AND c.relkind = 'r'
      AND (SELECT count(*) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND NOT a.attisdropped
           AND a.attname IN ('id', 'name', 'batch', 'migration_time')) = 4
    ORDER BY 1, 2
"""

QUERIES = (
    INVALID_INDEXES, DISABLED_TRIGGERS, BYPASSING_ROLES, FOREIGN_PARTS, STRANGE_COLUMNS, CALLING_TABLES, DEFINITIONS,
    RECORD_TABLES,
)  # fmt: skip
