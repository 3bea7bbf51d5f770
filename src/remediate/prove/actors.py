"""The roles of a proof: an ordinary owner, as whom changes run, and the application, which owns nothing."""

from __future__ import annotations

from dataclasses import dataclass

from remediate.config.model import Config
from remediate.errors import RemediateError
from remediate.postgres.host import Host
from remediate.postgres.wire import Wire
from remediate.sql.quote import Identifier, Literal

OWNER = "remediate_owner"
APPLICATION = "remediate_application"


@dataclass(frozen=True, slots=True)
class Actors:
    """The names of the two roles. `application` is None where there may be none but the owner.

    `unbound` says why nobody can be attacked with: row security binds neither of them.
    """

    owner: str
    application: str | None
    unbound: str = ""


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


def make_actors(wire: Wire, config: Config, host: Host) -> Actors:
    """The two roles of a proof, made where they may be; every table is open to the application.

    The application is the role of `[roles] application` if there is one, with its own rights and, so that only row
    security stands between it and the rows, the rights to read and write everything. On a server of ours, and where a
    superuser may make roles, everything is handed to an owner who is none; else the owner is whoever is connected.
    """
    user = wire.query("SELECT current_user::text, rolsuper, rolsuper OR rolbypassrls FROM pg_roles"
                      " WHERE rolname = current_user")  # fmt: skip
    ((name, superuser, passes),) = user
    owner = str(name)
    if superuser == "t" and host.may_make_roles:
        owner = _make(wire, host.role_name(OWNER))
        hand_over(wire, owner)
    application = _application(wire, config, host, superuser == "t")
    if application is not None:
        wire.query(_OPEN.format(role=Identifier(application).sql()))
    unbound = ""
    if passes == "t" and owner == name:
        unbound = f"row security does not bind {owner}, and roles that it binds are made only with --create-roles"
    return Actors(owner, application, unbound)


def _application(wire: Wire, config: Config, host: Host, superuser: bool) -> str | None:
    """The application's role, if the session may act as it."""
    wanted = config.roles.application
    there = f"SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = {Literal(wanted or '').sql()}"
    found = wire.query(there)
    if wanted is not None and found == [("t",)]:
        raise RemediateError(
            f"{wanted} passes row security (SUPERUSER or BYPASSRLS), so that nothing can be proven with it",
            place="roles.application",
            hint="name the role that the application connects as",
        )
    if wanted is not None and found and (superuser or _is_member(wire, wanted)):
        return wanted
    if not host.may_make_roles:
        return None
    made = _make(wire, wanted if wanted is not None and host.is_own else host.role_name(APPLICATION))
    if not superuser:
        wire.query(f"GRANT {Identifier(made).sql()} TO CURRENT_USER")
    return made


def _is_member(wire: Wire, role: str) -> bool:
    return wire.query(f"SELECT pg_has_role(current_user, {Literal(role).sql()}, 'MEMBER')") == [("t",)]


def _make(wire: Wire, name: str) -> str:
    if not wire.query(f"SELECT FROM pg_roles WHERE rolname = {Literal(name).sql()}"):
        wire.query(f"CREATE ROLE {Identifier(name).sql()}")
    return name


def hand_over(wire: Wire, owner: str) -> None:
    """Gives every object of the database, but for those of extensions, to a role."""
    wire.query(_HAND_OVER.format(owner=Identifier(owner).sql()))
