"""From proposals to migration plans: edits merged per object, files per service, safe ones before unsafe ones.

Each file is planned on the state that the file before it leaves, so that every `down` restores what was really there.
Safe and unsafe repairs never share a file: a reviewer can take one and leave the other. Tenant columns come before what
is forced with them, since a backfill under FORCE has to lift it, and locks out everybody, batch by batch. What checks
first, and may raise, comes last and by itself: Knex runs nothing behind a file that raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from remediate.detect.model import Facts, Finding
from remediate.plan.model import MigrationPlan
from remediate.plan.operations import CreateFunction, ForceRls, Operation, ReplaceFunction, RequireTable
from remediate.plan.planners.function_text import replacing
from remediate.plan.proposal import FunctionEdit, Proposal
from remediate.plan.target import TableState, difference
from remediate.plan.tenant_column import MARK_PREFIX, BackfillColumn
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

MOST_AT_ONCE = 3
"""Tables that one transaction may lock. Each is out of reach until the last lock is had, and a lock may take as long as
the lock_timeout: of twenty tables the first would be gone for a minute and a half. Files with more have a transaction
per table. Several small files would be no remedy: Knex runs all that are pending in one transaction."""

MOST_IN_FILE = 40
"""Tables of one file: more than that nobody reviews at a sitting. Its header lists as many subjects of a rule."""

MOST_GUARDED = 10
"""Tables of one file that checks first. Its check cannot tell what an earlier run has done from what somebody else did,
so that it is not run again step by step, but happens as a whole."""


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
            plans.extend(_files(facts, [proposal for proposal in own if proposal.fix.level == level], states))
    return tuple(plans)


class _States:
    """The isolation of each table and the text of each function, as the files planned so far leave them."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.tables: dict[QName, TableState] = {}
        self.functions: dict[tuple[QName, tuple[str, ...]], str] = {}
        self.edits: dict[QName, FunctionEdit] = {}

    def table(self, name: QName) -> TableState:
        if name not in self.tables:
            self.tables[name] = TableState.of(self._facts.replayed.catalog, name)
        return self.tables[name]


def _files(facts: Facts, proposals: Sequence[Proposal], states: _States) -> Iterator[MigrationPlan]:
    """The files of one service at one level, in the order in which they have to run."""
    tables = _Edited.by_table(proposals)
    certain = {name: table for name, table in tables.items() if not table.taints}
    alone = [file for proposal in proposals for file in proposal.files]
    for file in sorted(alone, key=lambda file: any(finding.tainted for finding in file.findings)):
        yield _on_state(file, states)
    yield from _merged(facts, proposals, certain, states)
    yield from _moved(facts, proposals, states)
    yield from _guarded(facts, proposals, {name: table for name, table in tables.items() if table.taints}, states)


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


# ------------------------------------------------------------------------------------------- tables


@dataclass(frozen=True, slots=True)
class _Edited:
    """A table and all that is to be done to it."""

    name: QName
    proposals: list[Proposal] = field(default_factory=list)

    @classmethod
    def by_table(cls, proposals: Sequence[Proposal]) -> dict[QName, _Edited]:
        """In the order of their names, so that locks are always taken alike."""
        found: dict[QName, _Edited] = {}
        for proposal in proposals:
            for edit in proposal.table_edits:
                found.setdefault(edit.table, cls(edit.table)).proposals.append(proposal)
        return dict(sorted(found.items()))

    @property
    def taints(self) -> frozenset[str]:
        return frozenset(taint for proposal in self.proposals for taint in proposal.fix.finding.tainted_by)

    def operations(self, states: _States, *, restartable: bool) -> tuple[Operation, ...]:
        """The difference that its edits make, which is from then on the state of the table."""
        before = after = states.table(self.name)
        marks: dict[str, str] = {}
        for proposal in self.proposals:
            known = set(after.policies)
            for edit in proposal.table_edits:
                if edit.table == self.name:
                    after = edit.apply(after)
            marks |= dict.fromkeys(set(after.policies) - known, f"{MARK_PREFIX}{proposal.fix.finding.id}")
        states.tables[self.name] = after
        return difference(before, after, marks if restartable else None)


def _merged(
    facts: Facts, proposals: Sequence[Proposal], tables: dict[QName, _Edited], states: _States
) -> Iterator[MigrationPlan]:
    """The file in which the edits of these proposals meet, if they change anything; several where it would be too long.

    Up to `MOST_AT_ONCE` tables are changed at one stroke; more of them one after the other, so that the file can be run
    again after a failure: it marks its policies, and everything else that it does can be done twice.
    """
    functions = _function_operations(proposals, states)
    stepwise = len(tables) > MOST_AT_ONCE
    changed = {name: table.operations(states, restartable=stepwise) for name, table in tables.items()}
    # What only takes FORCE is last, and together.
    order = sorted(changed, key=lambda name: stepwise and all(isinstance(one, ForceRls) for one in changed[name]))
    files = max(-(-len(order) // MOST_IN_FILE), 1)
    each = max(-(-len(order) // files), 1)
    for start in range(0, files * each, each):
        chunk = order[start : start + each]
        steps = [step for step in (() if start else functions, *(changed[name] for name in chunk)) if step]
        if steps:
            serving = [
                one
                for one in proposals
                if (one.function_edits and not start) or any(edit.table in chunk for edit in one.table_edits)
            ]
            whole = (tuple(operation for step in steps for operation in step),)
            yield _plan(facts, serving, tuple(steps) if stepwise else whole, transactional=not stepwise)


def _guarded(
    facts: Facts, proposals: Sequence[Proposal], tables: dict[QName, _Edited], states: _States
) -> Iterator[MigrationPlan]:
    """A file for the tables that the same statements may have touched: they are as expected together, or not at all.

    Outside of Knex's transaction, which a check that raises would take back with everything before it.
    """
    groups: dict[frozenset[str], list[_Edited]] = {}
    for table in tables.values():
        groups.setdefault(table.taints, []).append(table)
    for alike in groups.values():
        for start in range(0, len(alike), MOST_GUARDED):
            chunk = {table.name: table for table in alike[start : start + MOST_GUARDED]}
            operations: list[Operation] = []
            for name, table in chunk.items():
                before = states.table(name)
                if changes := table.operations(states, restartable=False):
                    operations += [_required(facts, before), *changes]
            if operations:
                serving = [one for one in proposals if any(edit.table in chunk for edit in one.table_edits)]
                plan = _plan(facts, serving, (tuple(operations),), transactional=False)
                more = f"_and_{len(chunk) - 1}_more" if len(chunk) > 1 else ""
                yield replace(plan, slug=f"{plan.slug}_for_{next(iter(chunk)).name}{more}")


def _required(facts: Facts, state: TableState) -> RequireTable:
    """What a tainted table is checked for before it is changed: that it is what the plan took it to be."""
    column = facts.replayed.catalog.tables[state.table].column(facts.tenancy.column)
    columns = (column.name,) if column else ()
    return RequireTable(state.table, columns, state.rls_enabled, state.rls_forced, tuple(state.policies))


# ------------------------------------------------------------------------------------------- functions


def _function_operations(proposals: Sequence[Proposal], states: _States) -> tuple[Operation, ...]:
    operations: list[Operation] = []
    for proposal in proposals:
        for edit in proposal.function_edits:
            before = states.functions.get(edit.key, edit.before)
            after = edit.apply(before)
            if after != before:
                operations.append(ReplaceFunction(edit.key[0], replacing(before, edit.key[0]), after))
                states.functions[edit.key] = after
                states.edits[edit.key[0]] = edit
    return tuple(operations)


def _moved(facts: Facts, proposals: Sequence[Proposal], states: _States) -> Iterator[MigrationPlan]:
    """The functions that get a new owner, with the triggers that move along; many tables one after the other."""
    moving = [proposal for proposal in proposals if proposal.operations]
    if not moving:
        return
    operations = [(one, _on_edited(operation, states)) for one in moving for operation in one.operations]
    stepwise = len({lock.relation for _, operation in operations for lock in operation.locks()}) > MOST_AT_ONCE
    steps: tuple[tuple[Operation, ...], ...]
    if stepwise:
        steps = tuple((_restartable(operation, proposal),) for proposal, operation in operations)
    else:
        steps = (tuple(operation for _, operation in operations),)
    yield _plan(facts, moving, steps, transactional=not stepwise)


def _restartable(operation: Operation, proposal: Proposal) -> Operation:
    if not isinstance(operation, CreateFunction):
        return operation
    mark = f"{MARK_PREFIX}{proposal.fix.finding.id}"
    return replace(operation, statement=replacing(operation.statement, operation.name), mark=mark)


def _on_edited(operation: Operation, states: _States) -> Operation:
    """The operation on the function as a file before this one has edited it, with that edit in what it puts there."""
    edit = states.edits.get(operation.name) if isinstance(operation, ReplaceFunction) else None
    if not isinstance(operation, ReplaceFunction) or edit is None:
        return operation
    before = replacing(states.functions[edit.key], operation.name)
    return replace(operation, before=before, after=edit.apply(operation.after))


def _plan(
    facts: Facts,
    proposals: Sequence[Proposal],
    steps: tuple[tuple[Operation, ...], ...],
    *,
    transactional: bool = True,
) -> MigrationPlan:
    findings: list[Finding] = [proposal.fix.finding for proposal in proposals]
    rules = dict.fromkeys(finding.rule for finding in findings)
    first = proposals[0].fix
    return MigrationPlan(
        service=first.finding.service,
        slug=SLUGS.get(next(iter(rules)), MERGED_SLUG) if len(rules) == 1 else MERGED_SLUG,
        phase="expand" if any(proposal.fix.phase == "expand" for proposal in proposals) else "repair",
        level=first.level,
        steps=steps,
        findings=tuple(findings),
        reasons={proposal.fix.finding.id: proposal.fix.reasons for proposal in proposals},
        transactional=transactional,
        lock_timeout=facts.config.emit.lock_timeout,
    )
