"""The options that `plan` and `apply` share, and what the pipeline is asked for by them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from remediate.cache.store import Cache
from remediate.commands.workspace import check_rule
from remediate.config.model import Config
from remediate.detect.baseline import FILE_NAME as BASELINE
from remediate.detect.baseline import Baseline, read_baseline
from remediate.errors import RemediateError
from remediate.model import Plan, Request
from remediate.pipeline import make_plan
from remediate.plan.model import Options
from remediate.replay.catalog import Assumption
from remediate.source.model import FileTree, Workspace
from remediate.source.neighbours import neighbours

LONGEST = 3600
"""Seconds that a single query of a live database may be given."""


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What `plan` and `apply` have in common, as typed on the command line.

    `database_url` is the live database to plan on, None for the replayed one; `timeout` in seconds is for it.
    """

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
    database_url: str | None = None
    timeout: float = 5.0


def check_options(options: PlanOptions) -> None:
    """What can be told without reading the workspace: rules that do not exist, a date that is none."""
    for rule in options.rules:
        check_rule(rule, "--rule")
    if options.date is not None:
        _date(options.date)
    check_timeout(options.timeout)
    if options.database_url is not None and options.assume != "applied":
        hint = "what is on record in the database has run; leave --assume out"
        raise RemediateError("a live database is no fresh one", place="--assume", hint=hint)


def check_timeout(seconds: float) -> None:
    """Raises `RemediateError` for a limit that is none: to PostgreSQL 0 means that there is no limit."""
    if not 0.001 <= seconds <= LONGEST:
        hint = f"give seconds between 0.001 and {LONGEST}"
        raise RemediateError(f"{seconds:g} is no time limit", place="--statement-timeout", hint=hint)


def plan_as_asked(
    options: PlanOptions, workspace: Workspace, tree: FileTree, config: Config, request: Request, cache: Cache | None
) -> Plan:
    """The plan for what the migrations make, or for the live database that was named."""
    if options.database_url is None:
        return make_plan(workspace, tree, config, request, cache)
    from remediate.live import look, plan_on
    from remediate.postgres.address import read_address
    from remediate.postgres.live import Live

    with Live(read_address(options.database_url), timeout=options.timeout) as live:
        sight = look(live, workspace, tree, config, options.services)
    return plan_on(sight, tree, request)


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
