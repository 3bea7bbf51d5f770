"""`remediate prove`: every change of a plan tried on a real PostgreSQL, attacked, and taken back."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from remediate.commands.options import PlanOptions, check_options, load_baseline, request_of
from remediate.commands.output import write_lines, write_text
from remediate.commands.plan import commit_date_of
from remediate.commands.workspace import check_services, load_config, workspace_root
from remediate.config.model import Config
from remediate.errors import RemediateError
from remediate.model import Plan, Request
from remediate.pipeline import make_plan, prove_plan, read
from remediate.postgres.host import Host
from remediate.prove.model import Proofs
from remediate.report.console import Progress, progress, terminal_width
from remediate.source.model import FileTree
from remediate.source.tree import WorkingTree


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where to prove, as typed on the command line. `url` may hold a password, and is in no output."""

    fetch: bool = False
    url: str | None = field(default=None, repr=False)
    create_roles: bool = False
    knex: bool = False
    stubs: bool | None = None


def run(options: PlanOptions, where: ServerOptions, format: str, output: Path | None) -> int:
    """Plans the working tree, proves the changes and prints the certificate; 1 where anything is not proven."""
    check_options(options)
    if where.create_roles and where.url is None:
        hint = "leave it out: on a server of its own, remediate makes what it needs"
        raise RemediateError("goes with --database-url", place="--create-roles", hint=hint)
    root = workspace_root(options.path)
    config = load_config(root, options.config)
    tree = WorkingTree(root)
    commit_date, _ = commit_date_of(root)
    started, clock = datetime.now(UTC), time.monotonic()
    with progress() as shown:
        workspace = read(tree, config)
        check_services(options.services, workspace)
        shown.step("Planning")
        request = request_of(options, commit_date, load_baseline(tree))
        plan = make_plan(workspace, tree, config, request)
        proofs = prove_changes(plan, tree, config, request, where, shown)
    times = {
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 1),
    }
    _print(proofs, times, format, output, options.no_color)
    return 0 if len(proofs.of("proven")) == len(proofs.changes) and not proofs.failed else 1


def prove_changes(
    plan: Plan, tree: FileTree, config: Config, request: Request, where: ServerOptions, shown: Progress
) -> Proofs:
    """The proofs of a plan's changes, on a server that runs for as long as that takes."""
    if not plan.changes:
        return Proofs("", config.workspace.postgres, "evaluator", ())
    tool = None
    if where.knex:
        from remediate.prove.knex import find_tool

        shown.step("Fetching Knex")
        tool = find_tool()
        print("The emitted files are run as code, by real Knex.", file=sys.stderr)
    shown.step("Starting PostgreSQL")
    with ended_by_signals(), _server(config, where) as server:
        return prove_plan(plan, tree, config, request, server, shown.step, tool, where.stubs)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the work as Ctrl-C does, so that whatever was begun is cleaned up."""
    before: dict[signal.Signals, Any] = {}

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP) if os.name == "posix" else ():
        with suppress(ValueError):  # not in the main thread
            before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _server(config: Config, where: ServerOptions) -> AbstractContextManager[Host]:
    if where.url is not None:
        from remediate.postgres.address import read_address
        from remediate.postgres.remote import RemoteServer

        return RemoteServer(read_address(where.url), create_roles=where.create_roles)
    from remediate.postgres.server import Server
    from remediate.postgres.versions import binaries_for
    from remediate.postgres.workroom import memory_folder

    return Server(binaries_for(config.workspace.postgres, fetch=where.fetch), parent=memory_folder())


def _print(proofs: Proofs, times: dict[str, Any], format: str, output: Path | None, no_color: bool) -> None:
    if format == "json":
        from remediate.report.proof_json import proof_document

        write_text(json.dumps(proof_document(proofs, times), indent=1, ensure_ascii=False) + "\n", output)
    elif format == "markdown":
        from remediate.report.proof_markdown import proof_markdown

        write_text(proof_markdown(proofs, times), output)
    else:
        from remediate.report.proof_text import proof_lines

        write_lines(proof_lines(proofs, width=terminal_width() if output is None else None), output, no_color=no_color)
