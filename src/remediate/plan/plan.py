"""From findings to fixes and files: asks each rule's planner, and withholds what was not asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from remediate.detect.model import Facts, Finding
from remediate.plan.assemble import assemble
from remediate.plan.model import Fix, GuardCreation, MigrationPlan, Options
from remediate.plan.planners import (
    duplicate_function,
    inconsistent_tenant_setting,
    missing_rls,
    missing_tenant_column,
    rls_not_forced,
    rls_without_policy,
)
from remediate.plan.proposal import Proposal
from remediate.plan.sendable import UNSENDABLE, sendable

Planner = Callable[[Finding, Facts], Proposal]

PLANNERS: Mapping[str, Planner] = {
    "missing-rls": missing_rls.plan,
    "rls-without-policy": rls_without_policy.plan,
    "inconsistent-tenant-setting": inconsistent_tenant_setting.plan,
    "missing-tenant-column": missing_tenant_column.plan,
    "rls-not-forced": rls_not_forced.plan,
    "duplicate-function": duplicate_function.plan,
}
"""By rule, in the order in which their edits of one table are applied. A rule without planner is manual."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning one database gave. `fixes` has one entry for each finding, in the order of the findings."""

    fixes: tuple[Fix, ...]
    migrations: tuple[MigrationPlan, ...]
    rewrites: tuple[GuardCreation, ...]


def plan(facts: Facts, findings: Sequence[Finding], options: Options) -> Planned:
    """Plans the repair of the findings of one database.

    A suppressed finding gets a fix that writes nothing; so does one whose repair was not asked for, which says what to
    ask for.
    """
    proposals = [_sendable(_propose(finding, facts), facts) for finding in findings]
    wanted = [proposal for proposal in proposals if _wanted(proposal, options)]
    order = {rule: number for number, rule in enumerate(PLANNERS)}
    migrations = assemble(facts, sorted(wanted, key=lambda proposal: order.get(proposal.fix.finding.rule, len(order))))
    rewrites = [rewrite for proposal in wanted if options.rewrite for rewrite in proposal.rewrites]
    fixes = [replace(proposal.fix, withheld=_withheld(proposal, options)) for proposal in proposals]
    return Planned(tuple(fixes), migrations, tuple(rewrites))


def _propose(finding: Finding, facts: Facts) -> Proposal:
    planner = PLANNERS.get(finding.rule)
    # What no migration makes belongs to no service, and has no file to be repaired in.
    if planner is None or finding.suppressed or not finding.service:
        return Proposal(Fix(finding, finding.level, reasons=finding.reasons))
    return planner(finding, facts)


def _sendable(proposal: Proposal, facts: Facts) -> Proposal:
    """The proposal, or one that writes nothing where Knex could not send what it would write."""
    alone = (operation for file in assemble(facts, [proposal]) for operation in file.operations)
    if sendable(alone):
        return proposal
    return Proposal(replace(proposal.fix, level="manual", reasons=(*proposal.fix.reasons, UNSENDABLE)))


def _wanted(proposal: Proposal, options: Options) -> bool:
    return proposal.fix.level == "safe" or (proposal.fix.level == "unsafe" and options.unsafe)


def _withheld(proposal: Proposal, options: Options) -> str:
    """The options that would get more of it written."""
    if not proposal.writes or proposal.fix.level == "manual":
        return ""
    missing = []
    if proposal.fix.level == "unsafe" and not options.unsafe:
        missing.append("--unsafe")
    if proposal.rewrites and not options.rewrite:
        missing.append("--rewrite")
    return " ".join(missing)
