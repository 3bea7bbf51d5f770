"""Whom new policies for some roles would lock out: a table without row level security lets in whoever is granted it."""

from __future__ import annotations

from collections.abc import Iterator

from remediate.detect.found import listed
from remediate.detect.model import Facts
from remediate.detect.roles import application_of, grants_of_rows
from remediate.plan.siblings import PolicyStyle
from remediate.replay.catalog import QName, Table


def locked_out(facts: Facts, name: QName, style: PolicyStyle) -> Iterator[str]:
    """A sentence for each who reaches the table today, and would not behind policies of this style and FORCE."""
    admitted = {*style.roles, *(role for companion in style.companions for role in companion.roles)}
    if "public" in admitted:
        return
    table = facts.replayed.catalog.tables[name]
    application = application_of(facts, table)
    roles = listed(sorted(admitted))
    known = application.certain and application.role in admitted
    if table.owner not in admitted and not known and not _already_out(facts, table, admitted):
        yield (
            f"The policies would let in {roles} alone, as those of its siblings do: forced, its owner reaches nothing, "
            "and what connects as the owner is not known ([roles] application says it)."
        )
    passing = {role.name for role in facts.replayed.catalog.roles.values() if role.superuser or role.bypassrls}
    exempt = {*admitted, *passing, *facts.config.roles.bypass, table.owner}
    for role, grant in {grant.role: grant for grant in grants_of_rows(facts, table)}.items():
        if role not in exempt:
            who = "everybody" if role == "public" else role
            yield f"{grant.history[-1].place} grants it to {who}: policies for {roles} do not let that in."


def _already_out(facts: Facts, table: Table, admitted: set[str]) -> bool:
    """Whether a sibling with such policies is forced: whoever came as the owner would reach nothing there either."""
    catalog = facts.replayed.catalog
    return any(
        all(admitted.issuperset(policy.roles) for policy in catalog.policies_of(other.name) if policy.permissive)
        for other in catalog.tables.values()
        if other.service == table.service
        and other.owner == table.owner
        and other.rls_enabled
        and other.rls_forced
        and any(catalog.policies_of(other.name))
    )
