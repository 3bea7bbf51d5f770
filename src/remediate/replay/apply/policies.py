"""CREATE, ALTER and DROP of policies (commands/policy.c)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from remediate.replay.apply.base import Applying, applies, uses_of
from remediate.replay.apply.roles import role_name
from remediate.replay.builder import Uses
from remediate.replay.catalog import Policy, Table
from remediate.replay.refused import Refused, nearest_name
from remediate.sql.parse import Node
from remediate.sql.quote import truncate_identifier


@applies("create_policy_stmt")
def create_policy(node: Node, at: Applying) -> None:
    # CreatePolicy collects the roles before it opens the table: a missing role is what it complains of first.
    roles = policy_roles(node.roles, at)
    table = at.table(node.table)
    name = truncate_identifier(node.policy_name)
    command: Any = node.cmd_name
    if command == "insert" and node.HasField("qual"):
        raise Refused("42601", "only WITH CHECK expression allowed for INSERT", subjects=[table.name])
    if command in ("select", "delete") and node.HasField("with_check"):
        raise Refused("42601", "WITH CHECK cannot be applied to SELECT or DELETE", subjects=[table.name])
    using, check, uses = _expressions(node, table, at)
    if (table.name, name) in at.builder.policies:
        raise Refused("42710", f'policy "{name}" for table "{table.name.name}" already exists', subjects=[table.name])
    at.builder.policies[table.name, name] = Policy(
        table.name, name, command, node.permissive, roles, using, check, (at.origin("create"),)
    )
    at.builder.uses["policy", table.name, name] = uses


@applies("alter_policy_stmt")
def alter_policy(node: Node, at: Applying) -> None:
    """Roles, USING and WITH CHECK; what is not given stays."""
    named = policy_roles(node.roles, at) if node.roles else None
    table = at.table(node.table)
    using, check, uses = _expressions(node, table, at)
    policy = find_policy(table, node.policy_name, at)
    if policy.command == "insert" and using is not None:
        raise Refused("42601", "only WITH CHECK expression allowed for INSERT", subjects=[table.name])
    if policy.command in ("select", "delete") and check is not None:
        raise Refused("42601", "only USING expression allowed for SELECT, DELETE", subjects=[table.name])
    roles = policy.roles if named is None else named
    changed = replace(
        policy,
        roles=roles,
        using=using if using is not None else policy.using,
        check=check if check is not None else policy.check,
        history=(*policy.history, at.origin("alter")),
    )
    at.builder.policies[table.name, policy.name] = changed
    old = at.builder.uses.get(("policy", table.name, policy.name), Uses())
    kept = uses if using is not None and (check is not None or policy.check is None) else joined(old, uses)
    at.builder.uses["policy", table.name, policy.name] = kept


def joined(first: Uses, second: Uses) -> Uses:
    return Uses(first.columns | second.columns, first.relations | second.relations, first.functions | second.functions)


def find_policy(table: Table, name: str, at: Applying) -> Policy:
    policy = at.builder.policies.get((table.name, name))
    if policy is None:
        known = [each.name for each in at.builder.policies_of(table.name)]
        raise Refused(
            "42704",
            f'policy "{name}" for table "{table.name.name}" does not exist',
            nearest=nearest_name(name, known),
            subjects=[table.name],
        )
    return policy


def policy_roles(nodes: Node, at: Applying) -> tuple[str, ...]:
    """policy_role_list_to_array: PUBLIC swallows the others."""
    roles = [role_name(node.role_spec, at) for node in nodes]
    return ("public",) if "public" in roles or not roles else tuple(sorted(dict.fromkeys(roles)))


def _expressions(node: Node, table: Table, at: Applying) -> tuple[str | None, str | None, Uses]:
    texts: list[str | None] = []
    uses = Uses()
    for part in ("qual", "with_check"):
        if not node.HasField(part):
            texts.append(None)
            continue
        spelled = at.expression(getattr(node, part), table, condition="POLICY")
        texts.append(spelled.text)
        uses = joined(uses, uses_of(spelled, at.builder))
    return texts[0], texts[1], uses
