"""What planning hands on: operations gathered into files, fixes of findings, and the plan as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from remediate.detect.model import Finding, Level
from remediate.plan.operations import Lock, Operation
from remediate.replay.catalog import Origin

Phase = Literal["repair", "expand", "backfill", "contract"]


@dataclass(frozen=True, slots=True)
class Next:
    """A later phase of a finding's repair: what it would do, and what it waits for (both whole sentences)."""

    finding: str
    phase: Phase
    does: str
    waits_for: str


@dataclass(frozen=True, slots=True)
class Fix:
    """What repairs one finding. `reasons` say why it is no safer than `level`.

    `suggestion` is what to do by hand where nothing is written; `withheld` says what would have to be asked for
    (`--unsafe`, `--rewrite`) to get it written, or is empty.
    """

    finding: Finding
    level: Level
    phase: Phase = "repair"
    reasons: tuple[str, ...] = ()
    suggestion: str = ""
    withheld: str = ""
    next: tuple[Next, ...] = ()


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """One follow-up migration before it is text.

    A transactional one is a list of operations that share Knex's transaction; the file asks for it, since a service may
    have switched transactions off. Any other opens one transaction per step: `steps` groups the operations, and the
    header says that its batch then runs file by file. `reasons` say by finding id why it is not safe.
    """

    service: str
    slug: str
    phase: Phase
    level: Level
    steps: tuple[tuple[Operation, ...], ...]
    findings: tuple[Finding, ...]
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    transactional: bool = True
    lock_timeout: str = "5s"

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(operation for step in self.steps for operation in step)

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Every lock it takes on relations that exist before it, each once, in the order they are taken."""
        return tuple(dict.fromkeys(lock for operation in self.operations for lock in operation.locks()))


@dataclass(frozen=True, slots=True)
class GuardCreation:
    """Asks for an edit of existing files: a function is to be created there only where it does not exist yet.

    `creations` are the CREATE FUNCTION statements in `up`. `signature` is its qualified name with argument types.
    The edit of `down` keeps the function for as long as anything else depends on it.
    """

    service: str
    finding: Finding
    signature: str
    creations: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One file to add (`before` is None) or to edit. `path` is relative to the workspace; texts are whole files."""

    service: str
    path: str
    kind: Literal["migration", "rewrite"]
    text: str = field(repr=False)
    before: str | None = field(default=None, repr=False)
    rules: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    phase: Phase = "repair"
    level: Level = "safe"
    transaction: bool = True
    after: tuple[str, ...] = ()
    locks: tuple[Lock, ...] = ()
    sql: tuple[str, ...] = field(default=(), repr=False)
    """The SQL that its `up` sends, for a reader who wants no TypeScript; empty for a rewrite."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for beyond the default."""

    unsafe: bool = False
    rewrite: bool = False
