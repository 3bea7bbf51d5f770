"""How long planning takes, against what it cannot do without, measured in one run on one machine.

    python benchmarks/plan.py [WORKSPACE] [--runs N]      the example, or the workspace that is named
    python benchmarks/plan.py --generated 100             a generated platform of about 100 files and 25,000 lines
    python benchmarks/plan.py --growth 100,1000,10000     the cost of a file in ever larger platforms

Prints seconds and ratios; asserts nothing, because seconds depend on the machine. The floor of a plan is to parse: each
TypeScript and JavaScript file that is read by tree-sitter, and each different string of SQL that the migrations send by
PostgreSQL's parser, once, with nobody looking at the trees. `--profile` shows where the time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from generate import generate
from google.protobuf.message import DecodeError
from postgast import PgQueryError
from postgast import parse as parse_sql

from remediate.cache.folder import VARIABLE
from remediate.commands.workspace import load_config
from remediate.evaluate.evaluate import Evaluator
from remediate.evaluate.knex.session import Answer
from remediate.evaluate.model import Sent
from remediate.evaluate.stack import run_deep
from remediate.model import Request
from remediate.pipeline import databases_of, make_plan, read, replay_all
from remediate.replay.engine import StaticEngine
from remediate.replay.replay import replay_on
from remediate.report.lines import plain
from remediate.report.text import plan_lines
from remediate.source.syntax import parse as parse_typescript
from remediate.source.tree import WorkingTree
from remediate.sql.older import grammar_of

EXAMPLE = Path(__file__).parents[1] / "examples" / "ticketing"
"""The workspace that is measured unless another is named."""

CODE = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path, nargs="?", default=EXAMPLE)
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured; the median counts")
    parser.add_argument("--generated", type=int, metavar="FILES", help="measure on a platform made for the purpose")
    parser.add_argument(
        "--growth", metavar="FILES,FILES,…", help="measure the cost of a file in platforms of these sizes"
    )
    parser.add_argument("--profile", action="store_true", help="show the functions that take longest")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.growth:
            growth(Path(folder), [int(size) for size in arguments.growth.split(",")])
            return
        workspace = arguments.workspace
        if arguments.generated:
            workspace = Path(folder, "platform")
            generate(workspace, arguments.generated)
        processes(workspace, arguments.runs, Path(folder))
        stages(workspace, arguments.runs)
        if arguments.profile:
            profile(workspace)


# ---------------------------------------------------------------------------------------------------------- processes


@dataclass(frozen=True)
class Cost:
    """What a run took: seconds on the clock and of processors, and its largest memory in megabytes."""

    wall: float
    processor: float
    memory: float


def processes(workspace: Path, runs: int, scratch: Path) -> None:
    """Whole commands, as a user waits for them, in turn, so that a busy machine is busy for all of them."""
    files, strings = what_is_parsed(workspace)
    cache = scratch / "cache"
    edited = scratch / "edited"
    shutil.copytree(workspace, edited, ignore=shutil.ignore_patterns("node_modules", ".git"))
    migration = next(name for name in reversed(files) if "migrations" in PurePosixPath(name).parts)
    plan = ["-m", "remediate", "plan"]
    costs: dict[str, list[Cost]] = {}
    floors: list[float] = []
    for number in range(runs):
        shutil.rmtree(cache, ignore_errors=True)
        # Two plans of one folder: what the second finds is all that the first has kept.
        measured = {
            "python -c pass": ["-c", "pass"],
            "remediate --help": ["-m", "remediate", "--help"],
            "plan --no-cache": [*plan, str(workspace), "--no-cache"],
            "plan, cold": [*plan, str(workspace)],
            "plan, warm": [*plan, str(workspace)],
            "plan, one file edited": [*plan, str(edited)],
        }
        for name, command in measured.items():
            if name == "plan, one file edited":
                run(measured["plan, one file edited"], cache)
                data = (edited / migration).read_bytes()
                (edited / migration).write_bytes(data + b"// %d\n" % number)
            costs.setdefault(name, []).append(run(command, cache))
        floors.append(timed(lambda: parse_all(files, strings)))
    floor = statistics.median(floors)
    lines = sum(data.count(b"\n") for data in files.values())
    print(f"{workspace}: {len(files)} files of code, {lines:,} lines; {len(strings):,} different strings of SQL")
    print(f"{'the floor: parsing them':24} {floor:7.3f} s")
    bare = statistics.median(cost.processor for cost in costs["python -c pass"])
    cold = statistics.median(cost.processor for cost in costs["plan, cold"])
    for name, found in costs.items():
        wall = statistics.median(cost.wall for cost in found)
        processor = statistics.median(cost.processor for cost in found)
        memory = max(cost.memory for cost in found)
        line = f"{name:24} {wall:7.3f} s, {processor:7.3f} s of processor, {memory:4.0f} MB at most"
        if name.startswith("plan"):
            line += f"; {(processor - bare) / floor:5.1f} × the floor, {processor / cold:4.2f} × cold"
        print(line)


_MEASURE = """
import json, os, resource, subprocess, sys, time
started = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
wall, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""
"""Between us and what is measured, because a process counts the memory of the one that started it as its own."""


def run(arguments: list[str], cache: Path) -> Cost:
    environment = {**os.environ, VARIABLE: str(cache)}
    command = [sys.executable, "-S", "-c", _MEASURE, sys.executable, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True)
    code, wall, processor, memory = json.loads(done.stdout)
    if code not in (0, 1):
        raise SystemExit(f"{' '.join(arguments)} ended with {code}")
    return Cost(wall, processor, memory)


# -------------------------------------------------------------------------------------------------------------- floor


class _Reading(WorkingTree):
    """A tree that remembers what code was read of it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.code: dict[str, bytes] = {}

    def read(self, path: PurePosixPath) -> bytes:
        data = super().read(path)
        if path.suffix in CODE:
            self.code[path.as_posix()] = data
        return data


class _Hearing(StaticEngine):
    """An engine that remembers what it was sent."""

    def __init__(self, heard: dict[str, None], user: str, version: int) -> None:
        super().__init__(user=user, server_version=version)
        self.heard = heard

    def execute(self, sent: Sent, wants_rows: bool) -> Answer:
        self.heard[sent.sql] = None
        return super().execute(sent, wants_rows)


def what_is_parsed(workspace: Path) -> tuple[dict[str, bytes], list[str]]:
    """The code that planning reads, by path, and the different strings of SQL that its migrations send."""
    config = load_config(workspace, None)
    tree = _Reading(workspace)
    found = read(tree, config)
    heard: dict[str, None] = {}
    evaluator = Evaluator(tree, environment=config.workspace.environment)
    with grammar_of(config.workspace.postgres):
        for group in databases_of(found.services):
            engine = _Hearing(heard, config.roles.migration or "postgres", config.workspace.postgres)
            run_deep(lambda group=group, engine=engine: replay_on(engine, group, evaluator))  # type: ignore[misc]
    return tree.code, list(heard)


def parse_all(files: dict[str, bytes], strings: list[str]) -> None:
    for name, data in files.items():
        parse_typescript(name, data)
    for text in strings:
        with suppress(PgQueryError, DecodeError):
            parse_sql(text)


# ------------------------------------------------------------------------------------------------------------- stages


def stages(workspace: Path, runs: int) -> None:
    """The same work within one process, without starting and importing: each stage against the floor."""
    tree = WorkingTree(workspace)
    config = load_config(workspace, None)
    files, strings = what_is_parsed(workspace)
    found = read(tree, config)
    plan = make_plan(found, tree, config, Request())
    measured: dict[str, Callable[[], object]] = {
        "reading the workspace": lambda: read(WorkingTree(workspace), config),
        "evaluating, replaying": lambda: replay_all(found, tree, config),
        "planning, all of it": lambda: make_plan(found, tree, config, Request()),
        "writing the report": lambda: [plain(line) for line in plan_lines(plan)],
    }
    print()
    for name, work in measured.items():
        pairs = [(timed(work), timed(lambda: parse_all(files, strings))) for _ in range(runs)]
        seconds = statistics.median(seconds for seconds, _ in pairs)
        print(f"{name:24} {seconds:7.3f} s  {statistics.median(a / b for a, b in pairs):6.1f} × the floor")


def timed(work: Callable[[], object]) -> float:
    """Seconds of processor."""
    started = time.process_time()
    work()
    return time.process_time() - started


# ------------------------------------------------------------------------------------------------------------- growth


def growth(folder: Path, sizes: list[int]) -> None:
    """What a file costs in platforms of ever more of them, in one database and in one for each service."""
    start = statistics.median(run(["-m", "remediate", "rules"], folder / "cache").processor for _ in range(5))
    print(f"starting takes {start:.2f} s; of each plan that is left out")
    for size, databases, name in _platforms(folder, sizes):
        cost = run(["-m", "remediate", "plan", str(name), "--no-cache", "--format", "json"], folder / "cache")
        warm = ""
        if size <= 1000:
            for _ in range(2):
                again = run(["-m", "remediate", "plan", str(name), "--format", "json"], folder / "cache")
            warm = f", warm {again.processor:7.2f} s"
        each = 1000 * (cost.processor - start) / size
        print(
            f"{size:6} files, {databases:6} database: {cost.processor:8.2f} s, {each:6.2f} ms a file, "
            f"{cost.memory:5.0f} MB{warm}",
            flush=True,
        )
        shutil.rmtree(name)


def _platforms(folder: Path, sizes: list[int]) -> Iterator[tuple[int, str, Path]]:
    for size in sizes:
        services = max(5, round(size**0.5) * 2)
        for databases in ("shared", "own"):
            root = folder / f"{size}-{databases}"
            generate(root, size, services, databases)  # type: ignore[arg-type]
            yield size, databases, root


def profile(workspace: Path) -> None:
    """In this thread, since a profiler sees only its own."""
    sys.setrecursionlimit(20_000)
    tree = WorkingTree(workspace)
    config = load_config(workspace, None)
    profiler = cProfile.Profile()
    profiler.runcall(_plan_here, tree, config)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


def _plan_here(tree: WorkingTree, config: object) -> None:
    from remediate.evaluate import stack

    stack._deep.active = True
    make_plan(read(tree, config), tree, config, Request())  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
