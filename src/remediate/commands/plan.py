"""`remediate plan`: what is broken and what would repair it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from remediate.commands.options import PlanOptions, check_names, load_baseline, load_config, request_of, workspace_root
from remediate.commands.output import write_text
from remediate.config.model import Severity
from remediate.detect.baseline import FILE_NAME as BASELINE
from remediate.detect.baseline import write_baseline
from remediate.pipeline import Plan, make_plan, read
from remediate.report.console import print_lines, progress, wants_color
from remediate.source.tree import WorkingTree

RANK: tuple[Severity, ...] = ("info", "warning", "error")
NO_DATE = date(1970, 1, 1)
"""Names files of a workspace without git: every name that is there sorts after it."""


def run(options: PlanOptions, format: str, fail_on: str, output: Path | None, write_accepted: bool) -> int:
    """Plans the working tree and prints it; the exit code is 1 when something at or above `fail_on` was found."""
    root = workspace_root(options.path)
    config = load_config(root, options.config)
    tree = WorkingTree(root)
    commit_date, prefix = commit_date_of(root)
    with progress() as shown:
        workspace = read(tree, config)
        check_names(options, workspace)
        baseline = load_baseline(tree)
        shown.step(f"Reading {sum(len(service.migrations) for service in workspace.services)} migrations")
        request = request_of(options, commit_date, baseline)
        plan = make_plan(workspace, tree, config, request)
    if write_accepted:
        from remediate.deliver.own_files import replace_whole

        reason = f"there when the baseline was written on {date.today()}"
        replace_whole(root / BASELINE, write_baseline(plan.findings, reason, baseline))
        print(f"{BASELINE} written; commit it to share what it accepts.")
        return 0
    _print(plan, format, prefix, output, options.no_color)
    return exit_code(plan, fail_on)


def commit_date_of(root: Path) -> tuple[date, str]:
    """The date of HEAD's commit and where the workspace lies below the git top level; planning needs no git."""
    from remediate.deliver.repository import open_repository
    from remediate.errors import RemediateError

    try:
        repository = open_repository(root)
    except RemediateError:
        return NO_DATE, ""
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

        if output is None:
            print_lines(plan_lines(plan), color=wants_color(no_color))
        else:
            lines = plan_lines(plan)
            write_text("".join("".join(part.text for part in line).rstrip() + "\n" for line in lines), output)


def exit_code(plan: Plan, fail_on: str) -> int:
    """0 or 1. A suppressed or waiting finding never counts; `unresolved` counts unread places beside errors."""
    if fail_on == "never":
        return 0
    if fail_on == "unresolved" and plan.unresolved:
        return 1
    threshold = RANK.index("error" if fail_on == "unresolved" else fail_on)
    counted = (finding for finding in plan.findings if not finding.suppressed and not finding.waiting)
    return int(any(RANK.index(finding.severity) >= threshold for finding in counted))
