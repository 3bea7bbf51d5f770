"""The target state of a table's isolation, in which the fixes of several rules meet.

Six rules may want to change one policy. None of them writes SQL: each edits the target state of its table, and the
difference from the state before is what a file does. So a policy is written once, a change that another one undoes
never appears, and `down` restores what was really there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from remediate.plan.operations import AlterPolicy, CreatePolicy, EnableRls, ForceRls, Operation, PolicyState
from remediate.replay.catalog import Catalog, QName


@dataclass(frozen=True, slots=True)
class TableState:
    """What isolates one table: its policies by name and the two flags."""

    table: QName
    policies: Mapping[str, PolicyState] = field(default_factory=dict)
    rls_enabled: bool = False
    rls_forced: bool = False

    @classmethod
    def of(cls, catalog: Catalog, table: QName) -> TableState:
        found = catalog.tables[table]
        policies = {policy.name: PolicyState.of(policy) for policy in catalog.policies_of(table)}
        return cls(table, policies, found.rls_enabled, found.rls_forced)

    def with_policy(self, policy: PolicyState) -> TableState:
        """The same with one policy added or, where one of that name is there, changed."""
        return replace(self, policies={**self.policies, policy.name: policy})

    def isolated(self) -> TableState:
        """The same with row level security enabled and forced."""
        return replace(self, rls_enabled=True, rls_forced=True)

    def forced(self) -> TableState:
        return replace(self, rls_forced=True)


def difference(before: TableState, after: TableState, marks: Mapping[str, str] | None = None) -> tuple[Operation, ...]:
    """The operations that lead from one state to the other: policies first, then ENABLE, FORCE last.

    `marks` says by name of a new policy what its comment shall be, so that it can be told from one of other making.

    In that order no moment denies everything, and no moment lets the owner through that should be bound. Nothing here
    drops a policy or switches protection off: no fix wants that of this path.
    """
    operations: list[Operation] = []
    for name, policy in after.policies.items():
        old = before.policies.get(name)
        if old is None:
            operations.append(CreatePolicy(policy, (marks or {}).get(name)))
        elif old != policy:
            operations.append(AlterPolicy(old, policy))
    if after.rls_enabled and not before.rls_enabled:
        operations.append(EnableRls(after.table))
    if after.rls_forced and not before.rls_forced:
        operations.append(ForceRls(after.table))
    return tuple(operations)
