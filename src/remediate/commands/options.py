"""Options that several commands share, checked against what there is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from remediate.catalogue.rules import get_rule
from remediate.config.load import load
from remediate.config.model import Config
from remediate.detect.baseline import FILE_NAME as BASELINE
from remediate.detect.baseline import Baseline, read_baseline
from remediate.errors import RemediateError
from remediate.pipeline import Request
from remediate.plan.model import Options
from remediate.replay.replay import Assumption
from remediate.source.model import FileTree, Workspace


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What `plan` and `apply` have in common, as typed on the command line."""

    path: Path
    config: Path | None
    services: tuple[str, ...]
    rules: tuple[str, ...]
    assume: Assumption
    unsafe: bool
    rewrite: bool
    date: str | None
    no_color: bool


def workspace_root(path: Path) -> Path:
    """The folder that was named, absolute. Raises RemediateError if it is none."""
    root = path.absolute()
    if not root.exists():
        raise RemediateError("no such path", place=str(path), hint="name the folder of a repository or of a service")
    if not root.is_dir():
        raise RemediateError("is not a folder", place=str(path), hint="name the folder that holds the services")
    return root.resolve()


def load_config(root: Path, explicit: Path | None) -> Config:
    return load(root, explicit)


def check_names(options: PlanOptions, workspace: Workspace) -> None:
    """Raises RemediateError for a rule or service that does not exist, with the nearest one that does."""
    for rule in options.rules:
        get_rule(rule)
    check_services(options.services, workspace)


def check_services(names: Iterable[str], workspace: Workspace) -> None:
    known = [service.name for service in workspace.services]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.4)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            raise RemediateError(f"there is no service {name} here", place="--service", hint=hint)


def load_baseline(tree: FileTree) -> Baseline | None:
    """The accepted findings of a workspace, if it has any."""
    try:
        return read_baseline(tree.read(PurePosixPath(BASELINE)))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RemediateError(f"cannot be read: {error.strerror or error}", place=BASELINE) from None


def request_of(options: PlanOptions, commit_date: date, baseline: Baseline | None) -> Request:
    """The pipeline's request. `commit_date` is that of the commit that is planned from; `--date` overrides it."""
    named = _date(options.date) if options.date else commit_date
    return Request(
        services=frozenset(options.services),
        rules=frozenset(options.rules),
        assume=options.assume,
        options=Options(options.unsafe, options.rewrite, options.date),
        baseline=baseline,
        today=date.today(),
        commit_date=named,
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RemediateError(f"{text} is no date", place="--date", hint="write it as 2027-01-31") from None
