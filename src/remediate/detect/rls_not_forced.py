"""rls-not-forced: row level security that does not bind the table's owner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from remediate.detect.access import Access, access_to
from remediate.detect.found import found, listed, rls_places, table_subject
from remediate.detect.model import Facts, Finding
from remediate.detect.roles import application_of
from remediate.detect.taint import taints
from remediate.detect.unseen import unseen_accesses
from remediate.replay.catalog import Policy, Table

RULE = "rls-not-forced"
_COMMANDS = ("select", "insert", "update", "delete")


def detect(facts: Facts) -> Iterator[Finding]:
    """Tables of any class whose RLS is enabled and not forced."""
    access = access_to(facts)
    unseen = unseen_accesses(facts)
    for table in facts.replayed.catalog.tables.values():
        if table.rls_enabled and not table.rls_forced:
            yield _table(facts, access, table, unseen.get(table.name, ()))


def _table(facts: Facts, access: Access, table: Table, unseen: Sequence[str]) -> Finding:
    policies = list(facts.replayed.catalog.policies_of(table.name))
    owner = f"its owner {table.owner}" if table.owner else "its owner"
    origins = [*table.history, *(origin for policy in policies for origin in policy.history)]
    return found(
        facts,
        RULE,
        table.service,
        table_subject(table.name),
        f"{table.name} has row level security, but it does not bind {owner}",
        rls_places(table),
        reasons=[*_reasons(facts, access, table, policies), *unseen],
        evidence=_evidence(facts, table, policies),
        tainted_by=taints(facts, table.service, [table.name], origins),
    )


def _evidence(facts: Facts, table: Table, policies: Sequence[Policy]) -> Iterator[str]:
    if policies:
        yield f"Its policies are {listed([f'{policy.name} (for {policy.command})' for policy in policies])}."
    application = application_of(facts, table)
    if application.role and application.role != table.owner:
        when = "As" if application.certain else "If it connects as"
        who = f"{when} {application.role} ({application.reason})"
        yield f"{who} the application is bound already; FORCE binds the owner."
    if facts.config.roles.bypass:
        yield f"{listed(facts.config.roles.bypass)} may pass row level security, forced or not."


def _connects_as_owner(facts: Facts, table: Table) -> bool:
    """Whether application code may come as the owner, the only role for which FORCE changes anything."""
    application = application_of(facts, table)
    return not application.certain or application.role == table.owner


def _reasons(facts: Facts, access: Access, table: Table, policies: Sequence[Policy]) -> Iterator[str]:
    if not policies:
        yield "It has no policy yet: forced, its owner would reach nothing."
        return
    # The owner is bound by the policies for everybody and its own; those for other roles give it nothing.
    open_to_all = [policy for policy in policies if {"public", table.owner}.intersection(policy.roles)]
    permissive = [policy for policy in open_to_all if policy.permissive]
    # Without code nothing tells what is set; that is one reason by itself, which `obstacles` gives.
    by_code = _connects_as_owner(facts, table)
    written = access.code.written(table.service) if by_code and access.code.is_known(table.service) else None
    uncovered: list[str] = []
    unset: dict[str, list[str]] = {}
    for command in _COMMANDS:
        covering = [policy for policy in permissive if _covers(policy, command)]
        if not covering:
            uncovered.append(command.upper())
        elif not any(_satisfied(access, policy, written) for policy in covering):
            names = sorted({setting for policy in covering for setting in access.read_by(policy)})
            unset.setdefault(listed(names, 6), []).append(command.upper())
    if uncovered:
        yield f"No policy for all roles lets anybody {listed(uncovered)}: forced, its owner could not either."
    settings = frozenset(setting for policy in policies for setting in access.read_by(policy))
    # Where code sets none of all these, `obstacles` says so for the whole table.
    for setting_names, commands in unset.items() if written and written & settings else ():
        yield f"No code of {table.service} sets {setting_names}, without which there is no {listed(commands)}."
    for policy in open_to_all:
        if not policy.permissive and not _satisfied(access, policy, written):
            names = sorted(access.read_by(policy))
            yield f"Restrictive policy {policy.name} reads {listed(names)}, which no code of {table.service} sets."
    if not settings:
        yield "Its policies read no setting: whom they let through is not known."
    for policy in policies:
        yield from access.blind_spots(policy)
    # Code cannot set what no policy reads.
    yield from access.obstacles(table, settings, by_code=by_code and bool(settings))


def _covers(policy: Policy, command: str) -> bool:
    """Whether a policy lets through at all: an INSERT policy without WITH CHECK denies every insert."""
    if policy.command == "insert" and policy.check is None:
        return False
    return policy.command in ("all", command)


def _satisfied(access: Access, policy: Policy, written: frozenset[str] | None) -> bool:
    """Whether code sets one of the settings that a policy reads, or it reads none."""
    settings = access.read_by(policy)
    return written is None or not settings or bool(settings & written)
