"""missing-tenant-column: expand. Column, filling trigger and backfill now; NOT NULL, index, key and policy later."""

from __future__ import annotations

from remediate.detect.model import Facts, Finding
from remediate.plan.model import Fix, MigrationPlan, Next
from remediate.plan.planners.subject import subject_table
from remediate.plan.proposal import Proposal
from remediate.plan.tenant_column import MARK_PREFIX, AddMarkedColumn, BackfillColumn, FillFromParent
from remediate.replay.catalog import QName


def plan(finding: Finding, facts: Facts) -> Proposal:
    table = subject_table(finding)
    path = facts.classes[table].path
    later = _next(finding, facts.tenancy.column)
    if finding.waiting:
        return Proposal(Fix(finding, finding.level, "expand", finding.reasons, next=later))
    if not path:
        suggestion = f"Nothing leads from {table} to a tenant: add {facts.tenancy.column} and fill it by hand."
        return Proposal(Fix(finding, "manual", "expand", finding.reasons, suggestion, next=later))
    if facts.replayed.catalog.tables[table].partitioned:
        suggestion = f"{table} is partitioned: add {facts.tenancy.column} to it, and fill it partition by partition."
        return Proposal(Fix(finding, "manual", "expand", finding.reasons, suggestion, next=later))
    parent = facts.replayed.catalog.tables[path[-1].parent]
    source = parent.column(facts.tenancy.column)
    # The root is its own tenant: there the key that the last step refers to is the value.
    parent_column = source.name if source else path[-1].parent_columns[0]
    found = source or parent.column(parent_column)
    type_ = found.type if found else facts.tenancy.column_type
    mark = f"{MARK_PREFIX}{finding.id}"
    triggers = _triggers(facts, table)
    reasons = finding.reasons
    if triggers:
        reasons += (f"Its triggers do not run for the rows that the backfill fills: {', '.join(triggers)}.",)
    column = facts.tenancy.column
    scans_ranges = facts.config.workspace.postgres >= 14
    file = MigrationPlan(
        service=finding.service,
        slug=f"add_{column}_to_{table.name}",
        phase="expand",
        level=finding.level,
        steps=(
            (AddMarkedColumn(table, column, type_, mark),),
            (FillFromParent(table, column, path, parent_column, mark),),
            (BackfillColumn(table, column, path, parent_column, triggers=triggers, scans_ranges=scans_ranges),),
        ),
        findings=(finding,),
        reasons={finding.id: reasons},
        transactional=False,
        lock_timeout=facts.config.emit.lock_timeout,
    )
    return Proposal(Fix(finding, finding.level, "expand", reasons, next=later), files=(file,))


def _triggers(facts: Facts, table: QName) -> tuple[str, ...]:
    """The triggers that an UPDATE of the table would set off."""
    found = facts.replayed.catalog.triggers_of(table)
    return tuple(sorted(one.name for one in found if any(event.lower().startswith("update") for event in one.events)))


def _next(finding: Finding, column: str) -> tuple[Next, ...]:
    does = f"makes {column} NOT NULL by way of a validated CHECK, adds its index, its foreign key and the tenant policy"
    waits_for = f"no row of the table has an empty {column}, and the code that writes it sets the column itself"
    return (Next(finding.id, "contract", does, waits_for),)
