"""Plans of small platforms, proven on the server of the test session, and changes that somebody has tampered with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from cli.workspaces import write
from remediate.config.load import load
from remediate.config.model import Config
from remediate.model import Plan, Request
from remediate.pipeline import make_plan, prove_plan, read
from remediate.plan.model import Change, Options
from remediate.postgres.server import Server
from remediate.prove.knex import KnexTool
from remediate.prove.model import ChangeProof, Check, DatabaseProof, Proofs
from remediate.source.tree import WorkingTree

DATE = date(2026, 3, 1)


@dataclass(frozen=True)
class Workshop:
    """One workspace, planned."""

    tree: WorkingTree
    config: Config
    request: Request
    plan: Plan

    @classmethod
    def of(
        cls, root: Path, files: Mapping[str, str] | None = None, *, unsafe: bool = False, rewrite: bool = False
    ) -> Workshop:
        if files is not None:
            write(root, files)
        tree = WorkingTree(root)
        config = load(tree)
        request = Request(options=Options(unsafe=unsafe, rewrite=rewrite), today=DATE, commit_date=DATE)
        return cls(tree, config, request, make_plan(read(tree, config), tree, config, request))

    def prove(
        self,
        server: Server,
        *,
        step: Callable[[str], None] = lambda _: None,
        knex: KnexTool | None = None,
        stubs: bool | None = None,
    ) -> Proofs:
        return prove_plan(self.plan, self.tree, self.config, self.request, server, step, knex, stubs)

    def tampered(self, old: str, new: str, *, count: int = 1) -> Workshop:
        """Each file with a text replaced; it has to be there that often."""
        changes = tuple(replace(change, text=change.text.replace(old, new)) for change in self.plan.changes)
        found = sum(change.text.count(old) for change in self.plan.changes)
        assert found == count, f"{old!r} is there {found} times in\n" + "\n".join(one.text for one in self.plan.changes)
        return replace(self, plan=replace(self.plan, changes=changes))

    def changed(self, edit: Callable[[Change], Change]) -> Workshop:
        return replace(self, plan=replace(self.plan, changes=tuple(map(edit, self.plan.changes))))

    def line(self, text: str) -> str:
        """`path:line` of the call that sends the only statement of the changes that a text is in."""
        places = []
        for change in self.plan.changes:
            call = 0
            for number, line in enumerate(change.text.splitlines(), 1):
                call = number if "raw(" in line else call
                if text in line:
                    places.append(f"{change.path}:{call}")
        (place,) = places
        return place


def only_change(proofs: Proofs) -> ChangeProof:
    (proof,) = proofs.changes
    return proof


def only_database(proofs: Proofs) -> DatabaseProof:
    (database,) = proofs.databases
    return database


def told(proof: ChangeProof) -> str:
    """All that a proof says, for the message of an assertion."""
    return "\n".join(
        f"{check.name} {check.status}: {remark}" for check in proof.checks for remark in check.remarks or ("",)
    )


def failed(proof: ChangeProof) -> dict[str, Check]:
    return {check.name: check for check in proof.checks if check.status == "failed"}


def remarks(check: Check) -> str:
    return "\n".join(map(str, check.remarks))
