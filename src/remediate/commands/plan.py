"""`remediate plan`: what is broken and what would repair it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

from remediate.commands.caching import opened_cache
from remediate.commands.options import PlanOptions, check_options, load_baseline, plan_as_asked, request_of
from remediate.commands.output import write_lines, write_text
from remediate.commands.workspace import check_services, load_config, workspace_root
from remediate.config.model import Config, Severity
from remediate.detect.baseline import FILE_NAME as BASELINE
from remediate.detect.baseline import Baseline, read_baseline, write_baseline
from remediate.errors import RemediateError
from remediate.model import Plan, Request
from remediate.pipeline import read
from remediate.report.console import Progress, progress, terminal_width
from remediate.source.model import FileTree
from remediate.source.tree import WorkingTree

RANK: tuple[Severity, ...] = ("info", "warning", "error")
NO_DATE = date(1970, 1, 1)
"""Names files of a workspace without git: every name that is there sorts after it."""


def run(
    options: PlanOptions, format: str, fail_on: str, output: Path | None, write_accepted: bool, prove: bool = False
) -> int:
    """Plans the working tree and prints it; the exit code is 1 when something at or above `fail_on` was found."""
    check_options(options)
    root = workspace_root(options.path)
    config = load_config(root, options.config)
    tree = WorkingTree(root)
    commit_date, prefix = commit_date_of(root)
    with opened_cache(options.no_cache) as cache:
        with progress() as shown:
            workspace = read(tree, config)
            check_services(options.services, workspace)
            baseline = load_baseline(tree)
            shown.step(f"Reading {sum(len(service.migrations) for service in workspace.services)} migrations")
            request = request_of(options, commit_date, baseline)
            plan = plan_as_asked(options, workspace, tree, config, request, cache)
            if prove:
                plan = with_proofs(plan, tree, config, request, shown)
        if write_accepted:
            return _accept(plan, root, baseline, partial=bool(options.services or options.rules))
        _print(plan, format, prefix, output, options.no_color)
        return exit_code(plan, fail_on)


def with_proofs(plan: Plan, tree: FileTree, config: Config, request: Request, shown: Progress) -> Plan:
    """The plan with the proofs of its changes, on a server of their own."""
    from remediate.commands.prove import ServerOptions, prove_changes

    check_provable(request)
    return replace(plan, proofs=prove_changes(plan, tree, config, request, ServerOptions(), shown))


def check_provable(request: Request) -> None:
    """Raises RemediateError where the plan stands on another history than a proof does."""
    if request.assume != "applied":
        hint = "leave out one of them: a proof takes every migration for applied"
        raise RemediateError("does not go with --assume fresh", place="--prove", hint=hint)


def _accept(plan: Plan, root: Path, before: Baseline | None, *, partial: bool) -> int:
    """Writes the baseline. What was accepted before and was not looked at now (`partial`) stays accepted."""
    from remediate.deliver.own_files import replace_whole

    reason = f"there when the baseline was written on {date.today()}"
    data = write_baseline(plan.findings, reason, before, keep_others=partial)
    replace_whole(root / BASELINE, data)
    count = len(read_baseline(data).entries)
    print(f"{BASELINE} accepts {count} finding{'' if count == 1 else 's'}; commit it to share what it accepts.")
    return 0


def commit_date_of(root: Path) -> tuple[date, str]:
    """The date of HEAD's commit, and the path from the git top level to the workspace ("" or with a slash at its end).

    Planning needs no git: without any, without a commit, or where git refuses the repository, a fixed date is used.
    """
    from remediate.deliver.repository import open_repository

    try:
        repository = open_repository(root)
    except RemediateError:
        top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
        return NO_DATE, "" if top == root else f"{root.relative_to(top).as_posix()}/"
    return repository.date, repository.prefix


def _print(plan: Plan, format: str, prefix: str, output: Path | None, no_color: bool) -> None:
    if format == "json":
        from remediate.report.plan_json import plan_document

        write_text(json.dumps(plan_document(plan), indent=1, ensure_ascii=False) + "\n", output)
    elif format in ("patch", "sql"):
        from remediate.report.patch import patch, sql

        write_text(patch(plan.changes, prefix) if format == "patch" else sql(plan.changes), output)
    else:
        from remediate.report.text import plan_lines

        width = terminal_width() if output is None else None
        write_lines(plan_lines(plan, width=width), output, no_color=no_color)


def exit_code(plan: Plan, fail_on: str) -> int:
    """0 or 1. A suppressed or waiting finding never counts; `unresolved` counts unread places beside errors."""
    if fail_on == "never":
        return 0
    if fail_on == "unresolved" and plan.unresolved:
        return 1
    threshold = RANK.index("error" if fail_on == "unresolved" else fail_on)
    counted = (finding for finding in plan.findings if not finding.suppressed and not finding.waiting)
    return int(any(RANK.index(finding.severity) >= threshold for finding in counted))
