"""What a planner answers for one finding: the fix, and the edits that carry it out.

Edits are not yet SQL: those of several findings meet in one target state before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from remediate.plan.model import Fix, GuardCreation, MigrationPlan
from remediate.plan.operations import Operation
from remediate.plan.target import TableState
from remediate.replay.catalog import QName


@dataclass(frozen=True, slots=True)
class TableEdit:
    """A change to the target state of one table."""

    table: QName
    apply: Callable[[TableState], TableState]


@dataclass(frozen=True, slots=True)
class FunctionEdit:
    """A change to the text of one function. `before` is what `down` puts back; `apply` maps statement to statement."""

    key: tuple[QName, tuple[str, ...]]
    before: str
    apply: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """`table_edits` and `function_edits` merge with those of other findings; `operations` go into the same file as they
    are; `files` stand alone; `rewrites` edit existing files.
    """

    fix: Fix
    table_edits: tuple[TableEdit, ...] = ()
    function_edits: tuple[FunctionEdit, ...] = ()
    operations: tuple[Operation, ...] = ()
    files: tuple[MigrationPlan, ...] = ()
    rewrites: tuple[GuardCreation, ...] = ()

    @property
    def merges(self) -> bool:
        """Whether it has a part in the file that its service's repairs share."""
        return bool(self.table_edits or self.function_edits or self.operations)

    @property
    def writes(self) -> bool:
        return self.merges or bool(self.files or self.rewrites)
