"""The options that `plan` and `apply` share, and what the pipeline is asked for by them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from remediate.commands.workspace import check_rule
from remediate.detect.baseline import FILE_NAME as BASELINE
from remediate.detect.baseline import Baseline, read_baseline
from remediate.errors import RemediateError
from remediate.pipeline import Request
from remediate.plan.model import Options
from remediate.replay.catalog import Assumption
from remediate.source.model import FileTree
from remediate.source.neighbours import neighbours


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
    no_cache: bool = False


def check_options(options: PlanOptions) -> None:
    """What can be told without reading the workspace: rules that do not exist, a date that is none."""
    for rule in options.rules:
        check_rule(rule, "--rule")
    if options.date is not None:
        _date(options.date)


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
        options=Options(options.unsafe, options.rewrite),
        baseline=baseline,
        today=date.today(),
        commit_date=named,
        neighbours=neighbours(options.path.resolve()),
    )


def _date(text: str) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):  # fromisoformat also takes 20270131 and 2027-W04-7
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise RemediateError(f"{text!r} is no date", place="--date", hint="write it as 2027-01-31") from None
