"""rls-without-policy: the policy that is missing; through the parent where the table has no tenant column."""

from __future__ import annotations

from remediate.detect.model import Facts, Finding, Step
from remediate.plan.model import Fix
from remediate.plan.operations import sql_name
from remediate.plan.planners.subject import subject_table
from remediate.plan.proposal import Proposal, TableEdit
from remediate.plan.siblings import accepted_settings, policy_style, tenant_condition
from remediate.plan.target import TableState
from remediate.plan.tenant_value import cast_type, session_tenant
from remediate.replay.catalog import QName
from remediate.sql.quote import Identifier


def plan(finding: Finding, facts: Facts) -> Proposal:
    table = subject_table(finding)
    found = facts.replayed.catalog.tables[table]
    if found.column(facts.tenancy.column):
        condition = tenant_condition(facts, finding.service, table)
    elif path := facts.classes[table].path:
        condition = _through_parents(facts, finding.service, table, path)
    else:
        suggestion = f"Nothing leads from {table} to a tenant: say in a policy who may see its rows, or turn RLS off."
        return Proposal(Fix(finding, "manual", reasons=finding.reasons, suggestion=suggestion))
    style = policy_style(facts, finding.service)

    def add_policies(state: TableState) -> TableState:
        for policy in style.policies(table, condition):
            state = state.with_policy(policy)
        return state

    reasons = (*finding.reasons, *style.doubts)
    return Proposal(Fix(finding, finding.level, reasons=reasons), (TableEdit(table, add_policies),))


def _through_parents(facts: Facts, service: str, table: QName, path: tuple[Step, ...]) -> str:
    """EXISTS over the joined path to the first table that has the tenant column."""
    aliases = [f"parent_{number}" for number in range(1, len(path) + 1)]
    tables = ", ".join(f"{sql_name(step.parent)} AS {alias}" for step, alias in zip(path, aliases, strict=True))
    conditions = []
    for child, step, alias in zip([sql_name(table), *aliases], path, aliases, strict=False):
        pairs = zip(step.columns, step.parent_columns, strict=True)
        conditions += [f"{alias}.{Identifier(theirs).sql()} = {child}.{Identifier(own).sql()}" for own, theirs in pairs]
    parent = facts.replayed.catalog.tables[path[-1].parent]
    column = parent.column(facts.tenancy.column)
    tenant_key = Identifier(facts.tenancy.column if column else path[-1].parent_columns[0]).sql()
    value = session_tenant(
        accepted_settings(facts, service), cast_type(column.type if column else facts.tenancy.column_type)
    )
    conditions.append(f"{aliases[-1]}.{tenant_key} = {value}")
    matching = "\n    AND ".join(condition.replace("\n", "\n    ") for condition in conditions)
    return f"EXISTS (\n  SELECT 1 FROM {tables}\n  WHERE {matching}\n)"
