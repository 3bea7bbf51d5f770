"""Roles, and what they may do: CREATE/ALTER/DROP ROLE, GRANT, REVOKE (commands/user.c, catalog/aclchk.c)."""

from __future__ import annotations

from dataclasses import replace

from remediate.replay.apply.base import Applying, applies
from remediate.replay.catalog import Grant, QName, Role
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.nodes import DropBehavior, GrantTargetType, ObjectType, RoleSpecType, option, option_text, strings
from remediate.sql.parse import Node

_BUILT_IN = "pg_"


def role_name(node: Node, at: Applying) -> str:
    """The role that a RoleSpec names; "public" for PUBLIC; 42704 for one that is not there."""
    kind = node.roletype
    if kind == RoleSpecType.ROLESPEC_PUBLIC:
        return "public"
    if kind in (
        RoleSpecType.ROLESPEC_CURRENT_ROLE, RoleSpecType.ROLESPEC_CURRENT_USER, RoleSpecType.ROLESPEC_SESSION_USER,
    ):  # fmt: skip
        return at.builder.current_user
    name = str(node.rolename)
    require_role(name, at)
    return name


def require_role(name: str, at: Applying) -> None:
    if name not in at.builder.roles and not name.startswith(_BUILT_IN):
        raise Refused("42704", f'role "{name}" does not exist', nearest=nearest_name(name, at.builder.roles))


def _flags(role: Role, options: Node) -> Role:
    for field, name in (("superuser", "superuser"), ("bypassrls", "bypassrls"), ("login", "canlogin")):
        element = option(options, name)
        if element is not None:
            role = replace(role, **{field: option_text(element) == "true"})  # type: ignore[arg-type]
    return role


@applies("create_role_stmt")
def create_role(node: Node, at: Applying) -> None:
    name = node.role
    if name in at.builder.roles:
        raise Refused("42710", f'role "{name}" already exists')
    role = Role(name, False, False, (at.origin("create"),), node.stmt_type == 2)
    at.builder.roles[name] = _flags(role, node.options)


@applies("alter_role_stmt")
def alter_role(node: Node, at: Applying) -> None:
    name = role_name(node.role, at)
    role = at.builder.roles.get(name)
    if role is not None:
        changed = _flags(role, node.options)
        at.builder.roles[name] = replace(changed, history=(*role.history, at.origin("alter")))


@applies("drop_role_stmt")
def drop_role(node: Node, at: Applying) -> None:
    for item in node.roles:
        name = item.role_spec.rolename
        if name not in at.builder.roles:
            if node.missing_ok:
                continue
            raise Refused("42704", f'role "{name}" does not exist', nearest=nearest_name(name, at.builder.roles))
        used = any(name in policy.roles for policy in at.builder.policies.values())
        used = used or any(grant.role == name for grant in at.builder.grant_map.values())
        used = used or any(table.owner == name for table in at.builder.tables.values())
        if used:
            raise Refused("2BP01", f'role "{name}" cannot be dropped because some objects depend on it')
        del at.builder.roles[name]


@applies("grant_role_stmt")
def grant_role(node: Node, at: Applying) -> None:
    for item in node.granted_roles:
        require_role(item.access_priv.priv_name, at)
    for item in node.grantee_roles:
        role_name(item.role_spec, at)


@applies("reassign_owned_stmt")
def reassign_owned(node: Node, at: Applying) -> None:
    names = [role_name(item.role_spec, at) for item in node.roles]
    new = role_name(node.newrole, at)
    for table in list(at.builder.tables.values()):
        if table.owner in names:
            at.builder.tables[table.name] = replace(table, owner=new, history=(*table.history, at.origin("alter")))


@applies("drop_owned_stmt")
def drop_owned(node: Node, at: Applying) -> None:
    """Tables, grants and places in policies; who owns other objects is not known."""
    from remediate.replay.apply.dependents import drop_objects

    names = [role_name(item.role_spec, at) for item in node.roles]
    owned = [table.name for table in at.builder.tables.values() if table.owner in names]
    if owned:
        drop_objects([("table", name, "") for name in owned], node.behavior == DropBehavior.DROP_CASCADE, at)
    for policy_key, policy in list(at.builder.policies.items()):
        kept = tuple(role for role in policy.roles if role not in names)
        if not kept:
            drop_objects([("policy", *policy_key)], False, at)
        elif kept != policy.roles:
            at.builder.policies[policy_key] = replace(policy, roles=kept, history=(*policy.history, at.origin("alter")))
    for key, grant in list(at.builder.grant_map.items()):
        if grant.role in names:
            del at.builder.grant_map[key]


ALL_PRIVILEGES = {
    "table": ("delete", "insert", "maintain", "references", "select", "trigger", "truncate", "update"),
    "sequence": ("select", "update", "usage"),
    "function": ("execute",),
    "schema": ("create", "usage"),
}
GRANT_KINDS = {
    ObjectType.OBJECT_TABLE: "table",
    ObjectType.OBJECT_SEQUENCE: "sequence",
    ObjectType.OBJECT_FUNCTION: "function",
    ObjectType.OBJECT_PROCEDURE: "function",
    ObjectType.OBJECT_ROUTINE: "function",
    ObjectType.OBJECT_SCHEMA: "schema",
}


@applies("grant_stmt")
def grant(node: Node, at: Applying) -> None:
    """GRANT and REVOKE on tables, sequences, functions and schemas, or on all of a schema."""
    kind = GRANT_KINDS.get(node.objtype)
    subjects = _subjects(node, kind, at)
    grantees = [role_name(item.role_spec, at) for item in node.grantees]
    if kind is None or node.targtype == GrantTargetType.ACL_TARGET_DEFAULTS:
        return
    for subject_kind, subject in subjects:
        everything = ALL_PRIVILEGES[subject_kind]
        privileges = [item.access_priv.priv_name for item in node.privileges if not item.access_priv.cols]
        named = tuple(privileges) if node.privileges else everything
        for role in grantees:
            change_grant(subject_kind, subject, role, named, node.is_grant, at)


def change_grant(kind: str, subject: str, role: str, privileges: tuple[str, ...], give: bool, at: Applying) -> None:
    key = (kind, subject, role)
    old = at.builder.grant_map.get(key)
    had = set(old.privileges) if old else set()
    now = had | set(privileges) if give else had - set(privileges)
    if now == had:
        return
    if not now:
        del at.builder.grant_map[key]
        return
    history = (*(old.history if old else ()), at.origin("grant" if give else "revoke"))
    at.builder.grant_map[key] = Grant(kind, subject, role, tuple(sorted(now)), history)


def _subjects(node: Node, kind: str | None, at: Applying) -> list[tuple[str, str]]:
    if node.targtype == GrantTargetType.ACL_TARGET_ALL_IN_SCHEMA:
        return _all_in(strings(node.objects), kind, at)
    subjects: list[tuple[str, str]] = []
    for item in node.objects:
        form = item.WhichOneof("node")
        if form == "range_var":
            found = at.relation(item.range_var)
            assert found is not None
            subjects.append(("sequence" if found[1] == "sequence" else "table", str(found[0])))
        elif form == "object_with_args":
            from remediate.replay.apply.functions import find_function

            function = find_function(item.object_with_args, at)
            if function is not None:
                subjects.append(("function", function.signature))
        elif form == "string" and kind == "schema":
            if item.string.sval not in at.builder.schemas:
                raise Refused("3F000", f'schema "{item.string.sval}" does not exist')
            subjects.append(("schema", item.string.sval))
    return subjects


def _all_in(schemas: list[str], kind: str | None, at: Applying) -> list[tuple[str, str]]:
    for schema in schemas:
        if schema not in at.builder.schemas:
            raise Refused("3F000", f'schema "{schema}" does not exist')
    names: list[QName] = []
    if kind == "table":
        names = [*at.builder.tables, *at.builder.views]
    elif kind == "sequence":
        names = list(at.builder.sequences)
    elif kind == "function":
        return [("function", each.signature) for each in at.builder.functions.values() if each.name.schema in schemas]
    return [(kind or "table", str(name)) for name in names if name.schema in schemas]
