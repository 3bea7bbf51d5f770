"""Options that several commands share, checked against what there is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from remediate.catalogue.rules import get_rule
from remediate.config.load import FILE_NAME, load
from remediate.config.model import Config
from remediate.detect.baseline import FILE_NAME as BASELINE
from remediate.detect.baseline import Baseline, read_baseline
from remediate.errors import RemediateError
from remediate.pipeline import Request
from remediate.plan.model import Options
from remediate.replay.engine import Assumption
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


def load_config(tree: Path | FileTree, explicit: Path | None) -> Config:
    """The configuration of a workspace. Raises RemediateError for a rule in it that does not exist, too."""
    config = load(tree, explicit)
    place = str(explicit) if explicit else str(tree / FILE_NAME) if isinstance(tree, Path) else FILE_NAME
    for rule in config.rules:
        check_rule(rule, f"{place}, key rules.{rule}")
    for number, suppression in enumerate(config.suppress, 1):
        check_rule(suppression.rule, f"{place}, key suppress[{number}].rule")
    return config


def check_rule(name: str, place: str) -> None:
    """Raises RemediateError for a rule that does not exist, with the nearest one that does."""
    try:
        get_rule(name)
    except RemediateError as error:
        raise RemediateError(error.cause, place=place, hint=error.hint) from None


def check_options(options: PlanOptions) -> None:
    """What can be told without reading the workspace: rules that do not exist, a date that is none."""
    for rule in options.rules:
        check_rule(rule, "--rule")
    if options.date is not None:
        _date(options.date)


def check_services(names: Iterable[str], workspace: Workspace) -> None:
    known = [service.name for service in workspace.services]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.5)
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
    named = _date(options.date) if options.date is not None else commit_date
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
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):  # fromisoformat also takes 20270131 and 2027-W04-7
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise RemediateError(f"{text!r} is no date", place="--date", hint="write it as 2027-01-31") from None
