"""What is asked of the pipeline, and the plan that it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from remediate.detect.baseline import Baseline
from remediate.detect.model import Facts, Finding
from remediate.plan.model import Change, Fix, Next, Options
from remediate.replay.catalog import Assumption, Replayed
from remediate.source.model import Workspace
from remediate.source.neighbours import Neighbour
from remediate.source.place import Unresolved

if TYPE_CHECKING:
    from remediate.prove.model import ChangeProof, Proofs


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the pipeline beyond the configuration. Empty `services` and `rules` mean all.

    `today` decides whether a suppression has run out; `commit_date` names timestamped files. `neighbours` are folders
    beside the workspace that hold migrations too, and are not planned along.
    """

    services: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    assume: Assumption = "applied"
    options: Options = field(default_factory=Options)
    baseline: Baseline | None = None
    today: date = date.max
    commit_date: date = date.max
    neighbours: tuple[Neighbour, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that reports and delivery need. `fixes` has one entry a finding, in reading order.

    `warnings` say what the plan cannot know, `notes` what is good to know; both are whole sentences.
    `proofs` is what `prove_plan` gave, where that was asked for.
    """

    workspace: Workspace
    databases: tuple[Facts, ...]
    fixes: tuple[Fix, ...]
    changes: tuple[Change, ...]
    unresolved: tuple[Unresolved, ...]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    proofs: Proofs | None = None
    _changes: dict[str, list[Change]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """By the findings that they are made for, once somebody asks."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(fix.finding for fix in self.fixes)

    @property
    def next(self) -> tuple[Next, ...]:
        return tuple(later for fix in self.fixes if not fix.finding.suppressed for later in fix.next)

    def changes_for(self, finding: Finding) -> tuple[Change, ...]:
        if not self._changes:
            for change in self.changes:
                for id in dict.fromkeys(change.findings):
                    self._changes.setdefault(id, []).append(change)
        return tuple(self._changes.get(finding.id, ()))

    def proofs_for(self, finding: Finding) -> tuple[ChangeProof, ...]:
        """What was proven of the changes for a finding; nothing where it was not asked for."""
        proofs = self.proofs.changes if self.proofs is not None else ()
        return tuple(proof for proof in proofs if finding.id in proof.change.findings)


@dataclass(frozen=True, slots=True)
class Observation:
    """A catalog that was not replayed, and how a finding in it is judged beside the files."""

    replayed: Replayed
    judge: Callable[[Finding], Finding]
