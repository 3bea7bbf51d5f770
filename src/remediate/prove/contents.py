"""What is in the tables, so that nothing can be lost unseen: a count and a checksum of every table, and its file."""

from __future__ import annotations

from collections.abc import Mapping

from remediate.postgres.wire import Wire
from remediate.prove.shapes import TableShape
from remediate.replay.catalog import QName
from remediate.sql.quote import Identifier, Literal, QualifiedName

Columns = Mapping[QName, tuple[str, ...]]
Contents = dict[QName, tuple[int, str]]


def columns_of(shapes: Mapping[QName, TableShape]) -> Columns:
    """The columns to be summed up: those that are there now."""
    return {name: tuple(column.name for column in shape.columns) for name, shape in shapes.items()}


def contents(wire: Wire, columns: Columns) -> Contents | str:
    """Rows and checksum of each table over these columns; or what is not there any more. `wire` sees every row."""
    queries = []
    for name, listed in columns.items():
        chosen = ", ".join(Identifier(one).sql() for one in listed) or "1"
        queries.append(
            f"SELECT {Literal(name.schema).sql()}, {Literal(name.name).sql()}, count(*),"
            " coalesce(md5(string_agg(t::text, ',' ORDER BY t::text COLLATE \"C\")), '')"
            f" FROM (SELECT {chosen} FROM {QualifiedName(*name).sql()}) AS t"
        )
    found: Contents = {}
    # Some at a time: one query over all tables of a large schema takes more locks than there is room for.
    for start in range(0, len(queries), 50):
        sql = " UNION ALL ".join(queries[start : start + 50])
        reply = wire.send(f"SELECT FROM ({sql}) AS probe (s, n, c, m) LIMIT 0")
        if reply.error is not None:
            return reply.error.message
        for schema, table, count, checksum in wire.query(sql):
            found[QName(str(schema), str(table))] = (int(count or 0), str(checksum))
    return found


def lost(before: Contents, after: Contents) -> list[str]:
    """What is other in `after`, a sentence for each table."""
    sentences = []
    for name, (count, checksum) in before.items():
        there, now = after[name]
        if there != count:
            sentences.append(f"{name} has {there} rows, and had {count}")
        elif now != checksum:
            sentences.append(f"values of {name} changed in columns that no change is about")
    return sentences


def files_of(wire: Wire) -> dict[QName, str]:
    """The file that each table is stored in: another one means that the table was rewritten."""
    rows = wire.query(
        "SELECT n.nspname, c.relname, pg_catalog.pg_relation_filenode(c.oid)::text FROM pg_catalog.pg_class AS c"
        " JOIN pg_catalog.pg_namespace AS n ON n.oid = relnamespace WHERE relkind = 'r' AND c.oid >= 16384"
        " AND n.nspname !~ '^pg_' ORDER BY c.oid"
    )
    return {QName(str(schema), str(name)): str(file) for schema, name, file in rows}
