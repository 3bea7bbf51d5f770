"""How long planning takes, against what it cannot do without, measured in one run on one machine.

    python benchmarks/plan.py [WORKSPACE] [--runs N]

Prints seconds and ratios; asserts nothing, because seconds depend on the machine. The floor of a plan is to parse: each
migration by tree-sitter and each statement by PostgreSQL's parser, once. `--profile` shows where the time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import os
import pstats
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from pathlib import Path

from remediate.commands.workspace import load_config
from remediate.pipeline import Request, make_plan, read, replay_all
from remediate.replay.catalog import Catalog
from remediate.report.lines import plain
from remediate.report.text import plan_lines
from remediate.source.syntax import parse as parse_typescript
from remediate.source.tree import WorkingTree
from remediate.sql.parse import SqlSyntaxError, UnreadableSqlError
from remediate.sql.parse import parse as parse_sql

EXAMPLE = Path(__file__).parents[1] / "examples" / "ticketing"
"""The workspace that is measured unless another is named."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path, nargs="?", default=EXAMPLE)
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured; the median counts")
    parser.add_argument("--profile", action="store_true", help="show the functions that take longest")
    arguments = parser.parse_args()
    processes(arguments.workspace, arguments.runs)
    stages(arguments.workspace, arguments.runs)
    if arguments.profile:
        profile(arguments.workspace)


def processes(workspace: Path, runs: int) -> None:
    """Whole commands, as a user waits for them."""
    bare, _ = process(["-c", "pass"], runs)
    print(f"python -c pass           {bare:7.3f} s")
    for arguments in (["--help"], ["rules"], ["services", str(workspace)], ["plan", str(workspace)]):
        seconds, megabytes = process(["-m", "remediate", *arguments], runs)
        name = f"remediate {arguments[0]}"
        print(f"{name:24} {seconds:7.3f} s  {seconds / bare:6.1f} × bare start, {megabytes:5.0f} MB at most")


def process(arguments: list[str], runs: int) -> tuple[float, float]:
    """The median of wall time in seconds, and the largest memory of a run in megabytes."""
    seconds, most = [], 0.0
    for _ in range(runs):
        with tempfile.TemporaryFile() as output:
            started = time.perf_counter()
            child = subprocess.Popen([sys.executable, *arguments], stdout=output)
            _, status, usage = os.wait4(child.pid, 0)
            seconds.append(time.perf_counter() - started)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 1):
            raise SystemExit(f"{' '.join(arguments)} ended with {child.returncode}")
        most = max(most, usage.ru_maxrss / 1024)
    return statistics.median(seconds), most


def stages(workspace: Path, runs: int) -> None:
    """The same work within one process, without starting and importing: the floor, and each stage against it."""
    tree = WorkingTree(workspace)
    config = load_config(workspace, None)
    found = read(tree, config)
    sources = [(migration.data, migration.name) for service in found.services for migration in service.migrations]
    statements = sorted(
        {text for replayed in replay_all(found, tree, config) for text in statements_of(replayed.catalog)}
    )
    plan = make_plan(found, tree, config, Request())

    def parse_all() -> None:
        for data, name in sources:
            parse_typescript(name, data)
        for statement in statements:
            with suppress(SqlSyntaxError, UnreadableSqlError):
                parse_sql(statement)

    floor = timed(parse_all, runs)
    print(f"\n{len(sources)} migrations, {len(statements)} different statements")
    print(f"parsing them (the floor) {floor:7.3f} s")
    measured: dict[str, Callable[[], object]] = {
        "reading the workspace": lambda: read(WorkingTree(workspace), config),
        "evaluating, replaying": lambda: replay_all(found, tree, config),
        "planning, all of it": lambda: make_plan(found, tree, config, Request()),
        "writing the report": lambda: [plain(line) for line in plan_lines(plan)],
    }
    for name, work in measured.items():
        seconds = timed(work, runs)
        print(f"{name:24} {seconds:7.3f} s  {seconds / floor:6.1f} × the floor")
    print(f"{'this process':24} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:7.0f} MB at most")


def statements_of(catalog: Catalog) -> set[str]:
    """The statements that left something in the catalog."""
    kinds = (catalog.tables, catalog.policies, catalog.constraints, catalog.indexes, catalog.functions)
    others = (catalog.triggers, catalog.views, catalog.types)
    return {origin.statement for objects in (*kinds, *others) for item in objects.values() for origin in item.history}


def timed(work: Callable[[], object], runs: int) -> float:
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def profile(workspace: Path) -> None:
    tree = WorkingTree(workspace)
    config = load_config(workspace, None)
    profiler = cProfile.Profile()
    with redirect_stdout(io.StringIO()):
        profiler.runcall(make_plan, read(tree, config), tree, config, Request())
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
