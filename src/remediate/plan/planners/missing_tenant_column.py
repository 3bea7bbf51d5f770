"""missing-tenant-column: expand. Column, filling trigger and backfill now; NOT NULL, index, key and policy later."""

from __future__ import annotations

from remediate.detect.model import Facts, Finding
from remediate.plan.model import Fix, MigrationPlan, Next
from remediate.plan.planners.subject import subject_table
from remediate.plan.proposal import Proposal
from remediate.plan.tenant_column import MARK_PREFIX, AddMarkedColumn, BackfillColumn, FillFromParent


def plan(finding: Finding, facts: Facts) -> Proposal:
    table = subject_table(finding)
    path = facts.classes[table].path
    later = _next(finding, facts.tenancy.column)
    if finding.waiting:
        return Proposal(Fix(finding, finding.level, "expand", finding.reasons, next=later))
    if not path:
        suggestion = f"Nothing leads from {table} to a tenant: add {facts.tenancy.column} and fill it by hand."
        return Proposal(Fix(finding, "manual", "expand", finding.reasons, suggestion, next=later))
    parent = facts.replayed.catalog.tables[path[-1].parent]
    source = parent.column(facts.tenancy.column)
    # The root is its own tenant: there the key that the last step refers to is the value.
    parent_column = source.name if source else path[-1].parent_columns[0]
    found = source or parent.column(parent_column)
    type_ = found.type if found else facts.tenancy.column_type
    mark = f"{MARK_PREFIX}{finding.id}"
    tables = facts.replayed.catalog.tables
    touched = (table, *(step.parent for step in path))
    forced = tuple(name for name in dict.fromkeys(touched) if name in tables and tables[name].rls_forced)
    column = facts.tenancy.column
    file = MigrationPlan(
        service=finding.service,
        slug=f"add_{column}_to_{table.name}",
        phase="expand",
        level=finding.level,
        steps=(
            (AddMarkedColumn(table, column, type_, mark),),
            (FillFromParent(table, column, path, parent_column, mark),),
            (BackfillColumn(table, column, path, parent_column, forced),),
        ),
        findings=(finding,),
        reasons={finding.id: finding.reasons},
        transactional=False,
        lock_timeout=facts.config.emit.lock_timeout,
    )
    return Proposal(Fix(finding, finding.level, "expand", finding.reasons, next=later), files=(file,))


def _next(finding: Finding, column: str) -> tuple[Next, ...]:
    does = f"makes {column} NOT NULL by way of a validated CHECK, adds its index, its foreign key and the tenant policy"
    waits_for = f"no row of the table has an empty {column}, and the code that writes it sets the column itself"
    return (Next(finding.id, "contract", does, waits_for),)
