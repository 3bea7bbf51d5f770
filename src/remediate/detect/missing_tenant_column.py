"""missing-tenant-column: rows that belong to a tenant, in a table that does not say to which."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from remediate.detect.classify import describe
from remediate.detect.found import found, listed, table_subject
from remediate.detect.model import Facts, Finding, Step
from remediate.detect.references import is_person
from remediate.detect.settings import comparisons, settings_by_function
from remediate.detect.taint import taints
from remediate.detect.tokens import tokens, words
from remediate.replay.catalog import Catalog, QName, Table

RULE = "missing-tenant-column"
MARK = "remediate:"
"""How the comment on a column begins that the first phase of the repair has added."""
_OPENING = words("or not union coalesce except")


def detect(facts: Facts) -> Iterator[Finding]:
    """Child tables; a partition goes with its parent, which it takes its columns from.

    Where no table of the database uses RLS, nothing needs the column: `missing-rls` says so once.
    A table whose column was added by the first phase, and is not yet filled for good, waits for the next one.
    """
    if not uses_rls(facts.replayed.catalog):
        return
    returned = settings_by_function(facts.replayed.catalog)
    for table in facts.replayed.catalog.tables.values():
        if is_expanded(facts, table):
            yield _waiting(facts, table)
        classification = facts.classes[table.name]
        if classification.kind == "child" and classification.path and table.partition_of is None:
            if _tells_its_tenant(facts, table, returned):
                continue
            isolated = _isolated_through_parents(facts, table, classification.path, returned)
            yield _table(facts, table, classification.path, isolated=isolated)


def uses_rls(catalog: Catalog) -> bool:
    """Whether any table has RLS enabled or a policy."""
    return bool(catalog.policies) or any(table.rls_enabled for table in catalog.tables.values())


def is_expanded(facts: Facts, table: Table) -> bool:
    """Whether the tenant column is there only as the first phase leaves it: marked, and still nullable."""
    column = table.column(facts.tenancy.column)
    return column is not None and column.nullable and (column.comment or "").startswith(MARK)


def _waiting(facts: Facts, table: Table) -> Finding:
    column = facts.tenancy.column
    return found(
        facts,
        RULE,
        table.service,
        table_subject(table.name),
        f"{table.name} has got {column}, which is not yet binding",
        [table.history[0].place],
        waiting=f"no row of {table.name} has an empty {column}, and the code that writes it sets the column itself",
    )


def _table(facts: Facts, table: Table, path: tuple[Step, ...], *, isolated: bool) -> Finding:
    catalog = facts.replayed.catalog
    policies = [policy.name for policy in catalog.policies_of(table.name)]
    evidence = [f"{describe(path)}."]
    if isolated:
        which = f"policy {policies[0]} keeps" if len(policies) == 1 else f"policies {listed(policies)} keep"
        evidence.append(f"Until then {which} its tenants apart, by way of a sub-query.")
    elif policies:
        evidence.append(f"What it has is {listed(policies)}, which has to do without the column.")
    elif not table.rls_enabled:
        evidence.append("It has no row level security either.")
    return found(
        facts,
        RULE,
        table.service,
        table_subject(table.name),
        f"{table.name} has no {facts.tenancy.column}, though its rows belong to the tenant of {path[-1].parent}",
        [table.history[0].place],
        reasons=_reasons(facts, path),
        evidence=evidence,
        tainted_by=taints(facts, table.service, [table.name, *(step.parent for step in path)], table.history),
        severity="info" if isolated else None,
    )


def _tells_its_tenant(facts: Facts, table: Table, returned: Mapping[str, frozenset[str]]) -> bool:
    """Whether each policy that lets anybody in compares a column of the table itself with the session's tenant: then
    that is its tenant column, whatever it is called."""
    return table.rls_enabled and _all_clauses(
        facts, table, lambda clause: _compares_own_column(facts, clause, table, returned)
    )


def _compares_own_column(facts: Facts, clause: str, table: Table, returned: Mapping[str, frozenset[str]]) -> bool:
    own = {column.name for column in table.columns}
    known = {facts.tenancy.setting, *facts.tenancy.legacy}
    names = {token.name for token in tokens(clause)}
    return not names & (_OPENING | {"select"}) and any(
        one.operator == "=" and one.plain and one.columns <= own and one.settings <= known
        for one in comparisons(clause, returned)
    )


def _all_clauses(facts: Facts, table: Table, test: Callable[[str], bool]) -> bool:
    """Whether every clause of the policies that let anybody in passes a test, of which there is at least one."""
    permissive = [policy for policy in facts.replayed.catalog.policies_of(table.name) if policy.permissive]
    clauses = [clause for policy in permissive for clause in (policy.using, policy.check) if clause is not None]
    return bool(clauses) and all(test(clause) for clause in clauses)


def _isolated_through_parents(
    facts: Facts, table: Table, path: tuple[Step, ...], returned: Mapping[str, frozenset[str]]
) -> bool:
    """Whether each policy that lets anybody in asks a table on a way to the tenant for the session's tenant.

    Only the plain form counts: `key IN (SELECT … WHERE tenant_id = …)` or EXISTS, with nothing beside it that may open.
    """
    return table.rls_enabled and _all_clauses(
        facts, table, lambda clause: _asks_a_parent(facts, clause, path, returned)
    )


def _asks_a_parent(facts: Facts, clause: str, path: tuple[Step, ...], returned: Mapping[str, frozenset[str]]) -> bool:
    sequence = tokens(clause)
    names = {token.name for token in sequence}
    keys = {facts.tenancy.column, *path[-1].parent_columns} if path[-1].parent == facts.tenancy.root else {
        facts.tenancy.column
    }  # fmt: skip
    known = {facts.tenancy.setting, *facts.tenancy.legacy}
    compared = [one for one in comparisons(clause, returned) if one.operator == "="]
    return (
        "select" in names
        and bool(names & {"exists", "in", "any"})
        and not names & _OPENING
        and any(parent.name in names for parent in (*(step.parent for step in path), *_referred(facts, path[0].child)))
        and any(one.columns & keys and one.settings <= known for one in compared)
    )


def _referred(facts: Facts, table: QName) -> Iterator[QName]:
    """The tables that a table's foreign keys lead to: a policy may go another way than the one that was chosen."""
    for constraint in facts.replayed.catalog.constraints_of(table):
        if constraint.references is not None and constraint.references != table:
            yield constraint.references


def _reasons(facts: Facts, path: tuple[Step, ...]) -> Iterator[str]:
    for step in path:
        columns = ", ".join(step.columns)
        found_columns = [facts.replayed.catalog.tables[step.child].column(name) for name in step.columns]
        if step.soft:
            yield f"No foreign key keeps {step.child}.{columns} to rows of {step.parent} that exist."
        if any(column is None or column.nullable for column in found_columns):
            yield f"{step.child}.{columns} allows NULL: such rows have no way to a tenant."
        if is_person(step.parent):
            yield f"{step.parent} holds people, who may act for more than one tenant."
    tenant = facts.replayed.catalog.tables[path[-1].parent].column(facts.tenancy.column)
    if tenant is not None and tenant.nullable:
        yield f"{path[-1].parent}.{tenant.name} allows NULL itself."
