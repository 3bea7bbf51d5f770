"""Seeing every row as an owner whom FORCE ROW LEVEL SECURITY binds: for that, FORCE is off until the rollback.

Only where nobody better is there: a superuser sees everything anyhow.
"""

from __future__ import annotations

from remediate.postgres.wire import Wire

_FORCED = """
SELECT c.oid::pg_catalog.regclass::text FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = relnamespace
WHERE relforcerowsecurity AND n.nspname !~ '^pg_' AND pg_catalog.pg_has_role(relowner, 'USAGE') ORDER BY c.oid"""


def is_bound(wire: Wire) -> bool:
    """Whether row security binds the session's user at all, be it by FORCE only."""
    query = "SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user"
    return wire.query(query) != [("t",)]


def lift(wire: Wire) -> list[str]:
    """Takes FORCE off every table in the open transaction; gives the statements that put it back."""
    tables = [name for (name,) in wire.query(_FORCED)]
    for name in tables:
        wire.query(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    return [f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY" for name in tables]


class SeeingWire(Wire):
    """A session whose queries see every row. They are reads: each is rolled back with what made it see."""

    def query(self, sql: str) -> list[tuple[str | None, ...]]:
        if self.in_transaction:
            return super().query(sql)
        super().query("BEGIN")
        try:
            lift(self)
            return super().query(sql)
        finally:
            self.send("ROLLBACK")
