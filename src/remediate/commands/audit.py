"""`remediate audit --database-url`: a live database looked at, beside its migrations where there are any."""

from __future__ import annotations

import difflib
import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from remediate.audit.audit import CHECKS, DRIFT, RECORDS, ROLES, Audit, chosen
from remediate.catalogue.rules import load_rules
from remediate.commands.options import check_timeout, load_baseline
from remediate.commands.output import write_lines, write_text
from remediate.commands.plan import RANK
from remediate.commands.workspace import check_services, load_config, workspace_root
from remediate.config.model import Config
from remediate.errors import RemediateError
from remediate.live import make_audit
from remediate.postgres.address import read_address
from remediate.postgres.live import Live
from remediate.report.console import progress, terminal_width
from remediate.source.discover import NoServicesError
from remediate.source.model import FileTree, Workspace
from remediate.source.neighbours import neighbours
from remediate.source.tree import WorkingTree

VARIABLE = "REMEDIATE_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What is asked for, as typed on the command line. `timeout` is in seconds."""

    path: Path
    config: Path | None
    database_url: str | None
    services: tuple[str, ...]
    rules: tuple[str, ...]
    count_rows: bool
    timeout: float
    show_sql: bool
    no_color: bool


def run(options: AuditOptions, format: str, fail_on: str, output: Path | None) -> int:
    """Prints the audit; the exit code is 1 when something at or above `fail_on` was found."""
    _check_rules(options.rules)
    check_timeout(options.timeout)
    root = _root(options.path)
    address = read_address(_address(options.database_url))
    tree = WorkingTree(root)
    with progress() as shown:
        config = load_config(root, options.config)
        workspace = _read(tree, config)
        if workspace is not None:
            check_services(options.services, workspace)
        elif options.services:
            raise RemediateError("there are no migrations here, and so no services", place="--service")
        shown.step("Looking at the database")
        with Live(address, timeout=options.timeout) as live:
            audit = make_audit(
                live,
                workspace,
                tree,
                config,
                services=options.services,
                rules=options.rules,
                count_rows=options.count_rows,
                neighbours=neighbours(root),
                baseline=load_baseline(tree),
                today=date.today(),
            )
    audit = chosen(audit, options.services, options.rules)
    _print(audit, format, output, options)
    return exit_code(audit, fail_on)


def _address(given: str | None) -> str:
    address = given if given is not None else os.environ.get(VARIABLE, "")
    if not address.strip():
        hint = f"give its address with --database-url, or in the variable {VARIABLE}"
        raise RemediateError("which database is to be looked at is not said", place="audit", hint=hint)
    return address


def _root(path: Path) -> Path:
    if ":/" in str(path):
        hint = f"give it with --database-url, or in the variable {VARIABLE}"
        raise RemediateError("PATH is the folder of a workspace, and no address of a database", hint=hint)
    return workspace_root(path)


def _read(tree: FileTree, config: Config) -> Workspace | None:
    """The workspace, or None where there are no migrations to hold the database against."""
    from remediate.pipeline import read

    try:
        return read(tree, config)
    except NoServicesError:
        return None


def _check_rules(names: tuple[str, ...]) -> None:
    known = [*load_rules(), *CHECKS, DRIFT, RECORDS, ROLES]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            raise RemediateError(f"there is no rule or check {name}", place="--rule", hint=hint)


def _print(audit: Audit, format: str, output: Path | None, options: AuditOptions) -> None:
    if format == "json":
        from remediate.report.audit_json import audit_document

        write_text(json.dumps(audit_document(audit), indent=1, ensure_ascii=False) + "\n", output)
    elif format == "markdown":
        from remediate.report.audit_markdown import audit_markdown

        write_text(audit_markdown(audit), output)
    else:
        from remediate.report.audit_text import audit_lines

        width = terminal_width() if output is None else None
        write_lines(audit_lines(audit, width=width, show_sql=options.show_sql), output, no_color=options.no_color)


def exit_code(audit: Audit, fail_on: str) -> int:
    """0 or 1; `unresolved` counts unread places, and rows that could not be counted, beside errors."""
    if fail_on == "never":
        return 0
    if fail_on == "unresolved" and (audit.unresolved or _not_counted(audit)):
        return 1
    threshold = RANK.index("error" if fail_on == "unresolved" else fail_on)
    return int(any(RANK.index(severity) >= threshold for severity in audit.severities()))


def _not_counted(audit: Audit) -> bool:
    return any(item.not_counted for check in audit.checks for item in check.items)
