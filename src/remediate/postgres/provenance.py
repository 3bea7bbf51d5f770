"""Which string made which object, by the order of oids.

PostgreSQL gives out oids in rising order (they wrap around after four thousand million), so an object whose oid lies
between the largest before and the largest after a string was made by that string. Nothing has to be put into the
database for it, where migrations would see it, and what is rolled back leaves no trace.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from remediate.postgres.wire import Wire
from remediate.replay.catalog import Catalog, History, Origin

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

_CATALOGS = (
    "pg_class", "pg_type", "pg_proc", "pg_policy", "pg_constraint", "pg_trigger", "pg_namespace", "pg_extension",
    "pg_roles",
)  # fmt: skip

_LARGEST = (
    "SELECT greatest("
    + ", ".join(f"(SELECT max(oid) FROM pg_catalog.{name})" for name in _CATALOGS)
    + ")::pg_catalog.int8 AS oid"
)

_OBJECTS = """
    SELECT kind, coalesce(n.nspname, ''), name, coalesce(detail, ''), o.oid FROM (
        SELECT 'relation' AS kind, relnamespace AS namespace, relname AS name, '' AS detail, oid FROM pg_class
        UNION ALL SELECT 'type', typnamespace, typname, '', oid FROM pg_type
        UNION ALL SELECT 'policy', relnamespace, relname, polname, p.oid
            FROM pg_policy AS p JOIN pg_class AS c ON c.oid = polrelid
        UNION ALL SELECT 'constraint', relnamespace, relname, conname, k.oid
            FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = conrelid
        UNION ALL SELECT 'trigger', relnamespace, relname, tgname, t.oid
            FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = tgrelid
        UNION ALL SELECT 'function', pronamespace, proname,
            (SELECT string_agg(format_type(type, NULL), ', ' ORDER BY at)
             FROM unnest(proargtypes) WITH ORDINALITY AS u (type, at)), oid FROM pg_proc
        UNION ALL SELECT 'schema', 0, nspname, '', oid FROM pg_namespace
        UNION ALL SELECT 'extension', 0, extname, '', oid FROM pg_extension
        UNION ALL SELECT 'role', 0, rolname, '', oid FROM pg_roles
    ) AS o LEFT JOIN pg_namespace AS n ON n.oid = o.namespace WHERE o.oid > 16383 -- the first of the user's
"""


class Provenance:
    """Told after each string; at the end it says who made what."""

    def __init__(self, wire: Wire) -> None:
        self._ends = [_largest(wire)]
        self._origins: list[Origin] = []

    def note(self, wire: Wire, origin: Origin) -> None:
        """After a string that may have made something. Not to be called in an aborted transaction."""
        largest = _largest(wire)
        if largest > self._ends[-1]:
            self._ends.append(largest)
            self._origins.append(origin)

    def attribute(self, catalog: Catalog, connection: Connection[TupleRow]) -> Catalog:
        """The catalog with a history of one for each object that a string made; the session's path is pg_catalog."""
        oids: dict[tuple[str, ...], int] = {}
        for kind, schema, name, detail, oid in connection.execute(_OBJECTS).fetchall():
            oids[kind, schema, name, detail.replace("public.", "")] = oid

        def made(kind: str, schema: str, name: str, detail: str = "") -> History:
            return self._history(oids.get((kind, schema, name, detail)))

        def named(kind: str, objects: Any) -> Any:
            return {key: replace(one, history=made(kind, *key)) for key, one in objects.items()}

        def beneath(kind: str, objects: Any) -> Any:
            return {
                (above, name): replace(one, history=made(kind, above.schema, above.name, name))
                for (above, name), one in objects.items()
            }

        return replace(
            catalog,
            tables=named("relation", catalog.tables),
            views=named("relation", catalog.views),
            indexes=named("relation", catalog.indexes),
            sequences=named("relation", catalog.sequences),
            types=named("type", catalog.types),
            policies=beneath("policy", catalog.policies),
            constraints=beneath("constraint", catalog.constraints),
            triggers=beneath("trigger", catalog.triggers),
            functions={
                key: replace(one, history=made("function", key[0].schema, key[0].name, ", ".join(key[1])))
                for key, one in catalog.functions.items()
            },
            schemas={name: made("schema", "", name) for name in catalog.schemas},
            extensions={name: made("extension", "", name) for name in catalog.extensions},
            roles={name: replace(role, history=made("role", "", name)) for name, role in catalog.roles.items()},
        )

    def _history(self, oid: int | None) -> History:
        if oid is None:
            return ()
        at = bisect_left(self._ends, oid) - 1
        return (self._origins[at],) if 0 <= at < len(self._origins) else ()


def _largest(wire: Wire) -> int:
    # Everybody may read these catalogs, whatever role the migration has taken on (and pg_roles, not pg_authid).
    rows = wire.ask(_LARGEST, [])
    return int(rows[0]["oid"]) if rows else 0
