"""The roles of a proof: an ordinary owner, as whom changes run, and the application, which owns nothing."""

from __future__ import annotations

from dataclasses import dataclass

from remediate.config.model import Config
from remediate.errors import RemediateError
from remediate.postgres.wire import Wire
from remediate.sql.quote import Identifier, Literal

OWNER = "remediate_owner"
APPLICATION = "remediate_application"


@dataclass(frozen=True, slots=True)
class Actors:
    """The names of the two roles. `application` is None where there may be none but the owner."""

    owner: str
    application: str | None


_HAND_OVER = """
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END AS kind,
            c.oid::regclass::text AS name
        FROM pg_class AS c WHERE relkind IN ('r', 'p', 'v', 'm') AND c.oid >= 16384
            AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
            AND NOT EXISTS (SELECT FROM pg_depend
                WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
        UNION ALL
        SELECT 'SEQUENCE', c.oid::regclass::text FROM pg_class AS c WHERE relkind = 'S' AND c.oid >= 16384
            AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid
                AND deptype IN ('a', 'i', 'e'))
        UNION ALL
        SELECT CASE prokind WHEN 'a' THEN 'AGGREGATE' ELSE 'ROUTINE' END, p.oid::regprocedure::text FROM pg_proc AS p
        WHERE p.oid >= 16384
            AND NOT EXISTS (SELECT FROM pg_depend
                WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
        UNION ALL
        SELECT 'TYPE', t.oid::regtype::text FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = typrelid
        WHERE t.oid >= 16384 AND (typtype IN ('e', 'd', 'r') OR c.relkind = 'c')
            AND NOT EXISTS (SELECT FROM pg_depend
                WHERE classid = 'pg_type'::regclass AND objid = t.oid AND deptype = 'e')
        UNION ALL
        SELECT 'SCHEMA', quote_ident(nspname) FROM pg_namespace AS n WHERE n.oid >= 16384 AND nspname !~ '^pg_'
            AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_namespace'::regclass AND objid = n.oid
                AND deptype = 'e')
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO {owner}', made.kind, made.name);
    END LOOP;
    GRANT CREATE, USAGE ON SCHEMA public TO {owner};
END
$$
"""

_OPEN = """
DO $$
DECLARE
    schema record;
BEGIN
    FOR schema IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO {role}', schema.nspname);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO {role}', schema.nspname);
        EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO {role}', schema.nspname);
    END LOOP;
END
$$
"""


def make_actors(wire: Wire, config: Config) -> Actors:
    """Makes the two roles, hands every object to the owner, and opens every table to the application.

    The application is the role of `[roles] application`, with its own rights and, so that only row security stands
    between it and the rows, the rights to read and write everything. `wire` acts as a superuser.
    """
    application = config.roles.application or APPLICATION
    for name in (OWNER, application):
        if not wire.query(f"SELECT FROM pg_roles WHERE rolname = {Literal(name).sql()}"):
            wire.query(f"CREATE ROLE {Identifier(name).sql()}")
    passing = f"SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = {Literal(application).sql()}"
    if wire.query(passing) == [("t",)]:
        raise RemediateError(
            f"{application} passes row security (SUPERUSER or BYPASSRLS), so that nothing can be proven with it",
            place="roles.application",
            hint="name the role that the application connects as",
        )
    hand_over(wire, OWNER)
    wire.query(_OPEN.format(role=Identifier(application).sql()))
    return Actors(OWNER, application)


def hand_over(wire: Wire, owner: str) -> None:
    """Gives every object of the database, but for those of extensions, to a role."""
    wire.query(_HAND_OVER.format(owner=Identifier(owner).sql()))
