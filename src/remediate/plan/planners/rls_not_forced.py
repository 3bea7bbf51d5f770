"""rls-not-forced: FORCE, last of all that is done to the table."""

from __future__ import annotations

from remediate.detect.model import Facts, Finding
from remediate.plan.model import Fix
from remediate.plan.planners.subject import subject_table
from remediate.plan.proposal import Proposal, TableEdit
from remediate.plan.target import TableState


def plan(finding: Finding, facts: Facts) -> Proposal:
    return Proposal(
        Fix(finding, finding.level, reasons=finding.reasons),
        (TableEdit(subject_table(finding), TableState.forced),),
    )
