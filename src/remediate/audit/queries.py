"""The seven queries of a database's integrity audit, on pg_catalog: what is run is what `--show-sql` prints.

Names are held against each other by oid, so that equal names in two schemas are two tables; whether a key has an index
is a question of leading columns, not of a text that contains a name; partitions are asked about through their parents.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from remediate.postgres.queries import USER_SCHEMAS, not_of_extension
from remediate.replay.catalog import QName, Table
from remediate.sql.quote import Identifier, QualifiedName, quote_literal

MOST = 1000
"""Rows are counted up to here: that there are many is enough to know."""

_OWN = not_of_extension("c.oid", "pg_class")

WITHOUT_PRIMARY_KEY = f"""
    SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {USER_SCHEMAS}
      AND {_OWN}
      AND NOT EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'p')
    ORDER BY 1, 2
"""

WITHOUT_INDEX = f"""
    SELECT n.nspname, c.relname, k.conname,
           ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (number, at)
                 JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.at),
           k.confrelid::regclass::text
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE k.contype = 'f' AND k.conparentid = 0 AND {USER_SCHEMAS}
      AND {_OWN}
      AND NOT EXISTS (
          SELECT 1 FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_am AS m ON m.oid = i.relam
          WHERE x.indrelid = k.conrelid AND x.indisvalid AND m.amname IN ('btree', 'hash')
            AND x.indnkeyatts >= cardinality(k.conkey)
            -- The first columns of the index, in whatever order, are those of the key.
            AND (x.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey
            -- An index on rows that have a value serves every look-up by value.
            AND (x.indpred IS NULL OR pg_get_expr(x.indpred, x.indrelid) IN (
                SELECT format('(%I IS NOT NULL)', a.attname) FROM pg_attribute AS a
                WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey))))
    ORDER BY 1, 2, 3
"""

WITHOUT_RLS = f"""
    SELECT n.nspname, c.relname,
           (SELECT count(*) FROM pg_policy AS p WHERE p.polrelid = c.oid),
           (SELECT p.oid::regclass::text FROM pg_inherits AS i JOIN pg_class AS p ON p.oid = i.inhparent
            WHERE i.inhrelid = c.oid AND p.relrowsecurity LIMIT 1)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relrowsecurity AND {USER_SCHEMAS}
      AND {_OWN}
    ORDER BY 1, 2
"""

CHECKS = f"""
    SELECT n.nspname, c.relname, k.conname, k.convalidated, pg_get_constraintdef(k.oid)
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE k.contype = 'c' AND k.conislocal AND {USER_SCHEMAS}
      AND {_OWN}
    ORDER BY 1, 2, 3
"""


def without_column(column: str) -> str:
    """Tables that lack the tenant column."""
    return f"""
    SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {USER_SCHEMAS}
      AND {_OWN}
      AND NOT EXISTS (SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = c.oid AND NOT a.attisdropped
                      AND a.attname = {quote_literal(column)})
    ORDER BY 1, 2
"""


def orphans(child: Table, columns: Sequence[str], parent: Table, parent_columns: Sequence[str]) -> str:
    """How many rows of `child` refer to no row of `parent`, up to `MOST` and one."""
    own = [f"c.{Identifier(name).sql()}" for name in columns]
    theirs = [f"p.{Identifier(name).sql()}" for name in parent_columns]
    there = " AND ".join(f"{one} IS NOT NULL" for one in own)
    same = " AND ".join(f"{two} = {one}" for one, two in zip(own, theirs, strict=True))
    return (
        f"SELECT count(*) FROM (SELECT 1 FROM {_rows(child)} AS c WHERE {there}"
        f" AND NOT EXISTS (SELECT 1 FROM {_rows(parent)} AS p WHERE {same}) LIMIT {MOST + 1}) AS found"
    )


def duplicates(table: Table, columns: Iterable[str], *, live_only: str | None) -> str:
    """How many values of a key several rows have, up to `MOST` and one; `live_only` is a column of deleted rows."""
    names = [Identifier(name).sql() for name in columns]
    there = [f"{name} IS NOT NULL" for name in names]
    if live_only is not None:
        there.append(f"{Identifier(live_only).sql()} IS NULL")
    return (
        f"SELECT count(*) FROM (SELECT 1 FROM {_rows(table)} WHERE {' AND '.join(there)}"
        f" GROUP BY {', '.join(names)} HAVING count(*) > 1 LIMIT {MOST + 1}) AS found"
    )


def _rows(table: Table) -> str:
    """Constraints hold for a table without those that inherit from it; a partitioned one has its rows in these."""
    return f"{'' if table.partitioned else 'ONLY '}{sql_name(table.name)}"


def sql_name(name: QName) -> str:
    return QualifiedName(*name).sql()
