"""missing-rls: the policy that the table's siblings have, ENABLE, FORCE."""

from __future__ import annotations

from remediate.detect.model import Facts, Finding
from remediate.plan.lockout import locked_out
from remediate.plan.model import Fix
from remediate.plan.planners.subject import subject_table
from remediate.plan.proposal import Proposal, TableEdit
from remediate.plan.siblings import policy_style, tenant_condition
from remediate.plan.target import TableState


def plan(finding: Finding, facts: Facts) -> Proposal:
    if finding.subject.kind == "workspace":
        return Proposal(
            Fix(
                finding,
                "manual",
                reasons=finding.reasons,
                suggestion="Decide first whether the database is to isolate tenants at all.",
            )
        )
    table = subject_table(finding)
    style = policy_style(facts, finding.service)
    condition = tenant_condition(facts, finding.service, table)

    def isolate(state: TableState) -> TableState:
        for policy in style.policies(table, condition):
            state = state.with_policy(policy)
        return state.isolated()

    doubts = (*style.doubts, *locked_out(facts, table, style))
    level = "unsafe" if doubts and finding.level == "safe" else finding.level
    return Proposal(Fix(finding, level, reasons=(*finding.reasons, *doubts)), (TableEdit(table, isolate),))
