"""Writes `src/remediate/sql/builtins.txt` from a PostgreSQL 18: what is built in, so that it is never called missing.

    python tests/sql/generate_builtins.py     (with src on the path)

`test_builtins.py` holds the committed file against the embedded server.
"""

from __future__ import annotations

from pathlib import Path

from psycopg import Connection

TARGET = Path(__file__).resolve().parents[2] / "src" / "remediate" / "sql" / "builtins.txt"

FUNCTIONS = """
    SELECT proname, string_agg(format_type(argument, NULL), ',' ORDER BY position),
           CASE WHEN proretset THEN 'setof ' ELSE '' END || format_type(prorettype, NULL),
           provolatile::text, prokind::text
    FROM pg_proc LEFT JOIN LATERAL unnest(proargtypes) WITH ORDINALITY AS given (argument, position) ON true
    WHERE pronamespace = 'pg_catalog'::regnamespace AND prorettype <> 'internal'::regtype
      AND 'internal'::regtype <> ALL (proargtypes)
    GROUP BY pg_proc.oid ORDER BY proname COLLATE "C", 2 NULLS FIRST
"""
TYPES = """
    SELECT typname, format_type(oid, NULL) FROM pg_type
    WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype <> 'c' AND typelem = 0
       OR typname IN ('name', 'point', 'box', 'lseg', 'line')
    ORDER BY typname COLLATE "C"
"""
RELATIONS = """
    SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname IN ('pg_catalog', 'information_schema') AND relkind IN ('r', 'v') ORDER BY 1, relname COLLATE "C"
"""
KEYWORDS = "SELECT word FROM pg_get_keywords() WHERE catcode <> 'U' ORDER BY word COLLATE \"C\""


def generate(connection: Connection[tuple[str, ...]]) -> str:
    """The text of the file as that server gives it."""
    lines = []
    for section, query in (("keyword", KEYWORDS), ("type", TYPES), ("relation", RELATIONS), ("function", FUNCTIONS)):
        lines += ["\t".join((section, *(part or "" for part in row))) for row in connection.execute(query)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from remediate.postgres.database import connect
    from remediate.postgres.server import Server

    with Server() as server, connect(server.endpoint, "postgres") as session:
        TARGET.write_text(generate(session), encoding="utf-8")
