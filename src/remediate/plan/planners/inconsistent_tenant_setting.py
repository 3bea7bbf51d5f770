"""inconsistent-tenant-setting: expand, so that policies and functions accept the canonical name beside the old one.

Never a bare rename: code that still sets the old name would see nothing. Contract, which drops the old name, is a later
phase, for when no code sets it any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from remediate.detect.model import Facts, Finding
from remediate.plan.model import Fix, Next
from remediate.plan.planners.function_text import expand_function
from remediate.plan.planners.subject import subject_table
from remediate.plan.proposal import FunctionEdit, Proposal, TableEdit
from remediate.plan.target import TableState
from remediate.plan.tenant_value import cast_type, session_tenant
from remediate.replay.catalog import Function, QName
from remediate.sql.setting_reads import Expanded, expand_reads


def plan(finding: Finding, facts: Facts) -> Proposal:
    if finding.waiting:
        return Proposal(
            Fix(finding, finding.level, "expand", finding.reasons, next=(_contract(finding, finding.waiting),))
        )
    if finding.subject.kind == "policy":
        return _expand_policy(finding, facts)
    return _expand_function(finding, facts)


def _contract(finding: Finding, waits_for: str) -> Next:
    return Next(finding.id, "contract", "drops the old name, so that one setting remains", waits_for)


def _contract_after_expand(finding: Finding, facts: Facts) -> Next:
    waits_for = f"no code sets another name than {facts.tenancy.setting}, and that code is deployed"
    return _contract(finding, waits_for)


def _expand_policy(finding: Finding, facts: Facts) -> Proposal:
    table = subject_table(finding)
    policy = facts.replayed.catalog.policies[table, finding.subject.name]
    expanded = [expand(facts, text) for text in (policy.using, policy.check) if text is not None]
    obstacles = tuple(dict.fromkeys(obstacle for one in expanded for obstacle in one.obstacles))
    if facts.tenancy.column not in f"{policy.using} {policy.check}":
        obstacles += (f"The policy compares another column than {facts.tenancy.column} with the setting.",)
    level = "unsafe" if obstacles and finding.level == "safe" else finding.level
    later = _contract_after_expand(finding, facts)
    fix = Fix(finding, level, "expand", finding.reasons + obstacles, next=(later,))
    if not any(one.changed for one in expanded):
        suggestion = (
            f"The policy reads the setting in a way that is not understood: let it read {facts.tenancy.setting} too."
        )
        return Proposal(Fix(finding, "manual", "expand", finding.reasons + obstacles, suggestion, next=(later,)))

    def apply(state: TableState) -> TableState:
        current = state.policies[policy.name]
        using = expand(facts, current.using).text if current.using is not None else None
        check = expand(facts, current.check).text if current.check is not None else None
        return state.with_policy(replace(current, using=using, check=check))

    return Proposal(fix, (TableEdit(table, apply),))


def expand(facts: Facts, expression: str) -> Expanded:
    """The expression with every read of a legacy tenant setting accepting the canonical name too."""

    def value(names: Sequence[str], type_: str) -> str:
        return session_tenant(names, cast_type(type_))

    return expand_reads(expression, facts.tenancy.setting, facts.tenancy.legacy, value)


def _expand_function(finding: Finding, facts: Facts) -> Proposal:
    function = _function(finding, facts)
    later = _contract_after_expand(finding, facts)

    def expanded(text: str, name: QName) -> str | None:
        return expand_function(text, name, facts.tenancy.setting, facts.tenancy.legacy)

    if function is None or expanded(function.statement, function.name) is None:
        suggestion = f"Let the function use {facts.tenancy.setting} beside the name that it uses today."
        return Proposal(Fix(finding, "manual", "expand", finding.reasons, suggestion, next=(later,)))
    name = function.name
    key = (name, function.argument_types)
    edit = FunctionEdit(key, function.statement, lambda text: expanded(text, name) or text)
    return Proposal(Fix(finding, finding.level, "expand", finding.reasons, next=(later,)), function_edits=(edit,))


def _function(finding: Finding, facts: Facts) -> Function | None:
    """The function of the finding's subject, whose name carries the argument types."""
    wanted = str(finding.subject)
    return next((one for one in facts.replayed.catalog.functions.values() if one.signature == wanted), None)
