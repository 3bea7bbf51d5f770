"""From proposals to migration plans: edits merged per object, files per service, safe ones before unsafe ones.

Each file is planned on the state that the file before it leaves, so that every `down` restores what was really there.
Safe and unsafe repairs never share a file: a reviewer can take one and leave the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from remediate.detect.model import Facts
from remediate.plan.model import MigrationPlan
from remediate.plan.operations import Operation, ReplaceFunction, RequireTable
from remediate.plan.planners.function_text import replacing
from remediate.plan.proposal import Proposal
from remediate.plan.target import TableState, difference
from remediate.plan.tenant_column import BackfillColumn
from remediate.replay.catalog import QName

SLUGS = {
    "missing-rls": "enable_row_level_security",
    "rls-without-policy": "add_missing_policies",
    "rls-not-forced": "force_row_level_security",
    "inconsistent-tenant-setting": "accept_canonical_tenant_setting",
    "duplicate-function": "own_shared_functions",
}
"""What a file is called that serves one rule only."""

MERGED_SLUG = "repair_tenant_isolation"


def assemble(facts: Facts, proposals: Sequence[Proposal]) -> tuple[MigrationPlan, ...]:
    """The files that carry out the proposals, service by service in replay order."""
    states = _States(facts)
    plans: list[MigrationPlan] = []
    by_service: dict[str, list[Proposal]] = {}
    for proposal in proposals:
        by_service.setdefault(proposal.fix.finding.service, []).append(proposal)
    for service in facts.services:
        own = by_service.get(service.name)
        if own is None:
            continue
        for level in ("safe", "unsafe"):
            chosen = [proposal for proposal in own if proposal.fix.level == level]
            plans.extend(_merged(facts, chosen, states))
            plans.extend(_on_state(file, states) for proposal in chosen for file in proposal.files)
    return tuple(plans)


class _States:
    """The isolation of each table and the text of each function, as the files planned so far leave them."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.tables: dict[QName, TableState] = {}
        self.functions: dict[tuple[QName, tuple[str, ...]], str] = {}

    def table(self, name: QName) -> TableState:
        if name not in self.tables:
            self.tables[name] = TableState.of(self._facts.replayed.catalog, name)
        return self.tables[name]


def _on_state(file: MigrationPlan, states: _States) -> MigrationPlan:
    """The file with backfills that lift FORCE from what the files before it leave forced, not from what was forced."""
    return replace(
        file,
        steps=tuple(
            tuple(
                replace(operation, forced=tuple(name for name in operation.touched if states.table(name).rls_forced))
                if isinstance(operation, BackfillColumn)
                else operation
                for operation in step
            )
            for step in file.steps
        ),
    )


def _merged(facts: Facts, proposals: Sequence[Proposal], states: _States) -> Iterable[MigrationPlan]:
    """The one file in which the edits of these proposals meet, if they change anything."""
    functions = _function_operations(proposals, states)
    tables = _table_operations(facts, proposals, states)
    alone = [operation for proposal in proposals for operation in proposal.operations]
    operations = (*functions, *tables, *alone)
    if not operations:
        return
    merged = [proposal for proposal in proposals if proposal.merges]
    findings = [proposal.fix.finding for proposal in merged]
    first = proposals[0].fix
    rules = dict.fromkeys(finding.rule for finding in findings)
    expands = any(proposal.fix.phase == "expand" for proposal in merged)
    yield MigrationPlan(
        service=first.finding.service,
        slug=SLUGS.get(next(iter(rules)), MERGED_SLUG) if len(rules) == 1 else MERGED_SLUG,
        phase="expand" if expands else "repair",
        level=first.level,
        steps=(tuple(operations),),
        findings=tuple(findings),
        reasons={proposal.fix.finding.id: proposal.fix.reasons for proposal in merged},
        lock_timeout=facts.config.emit.lock_timeout,
    )


def _table_operations(facts: Facts, proposals: Sequence[Proposal], states: _States) -> list[Operation]:
    """Every edited table's difference, tables in the order of their names so that locks are always taken alike."""
    edits: dict[QName, list[Proposal]] = {}
    for proposal in proposals:
        for edit in proposal.table_edits:
            edits.setdefault(edit.table, []).append(proposal)
    operations: list[Operation] = []
    for table in sorted(edits):
        before = after = states.table(table)
        for proposal in edits[table]:
            for edit in proposal.table_edits:
                if edit.table == table:
                    after = edit.apply(after)
        changes = difference(before, after)
        if changes and any(proposal.fix.finding.tainted for proposal in edits[table]):
            operations.append(_required(facts, before))
        operations.extend(changes)
        states.tables[table] = after
    return operations


def _required(facts: Facts, state: TableState) -> RequireTable:
    """What a tainted table is checked for before it is changed: that it is what the plan took it to be."""
    column = facts.replayed.catalog.tables[state.table].column(facts.tenancy.column)
    columns = (column.name,) if column else ()
    return RequireTable(state.table, columns, state.rls_enabled, state.rls_forced, tuple(state.policies))


def _function_operations(proposals: Sequence[Proposal], states: _States) -> list[Operation]:
    operations: list[Operation] = []
    for proposal in proposals:
        for edit in proposal.function_edits:
            before = states.functions.get(edit.key, edit.before)
            after = edit.apply(before)
            if after != before:
                operations.append(ReplaceFunction(edit.key[0], replacing(before, edit.key[0]), after))
                states.functions[edit.key] = after
    return operations
