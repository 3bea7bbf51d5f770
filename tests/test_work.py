"""How much work a plan is: operations are counted, never seconds."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

import remediate
from remediate.config.model import Config
from remediate.evaluate import modules
from remediate.model import Request
from remediate.pipeline import make_plan, read
from remediate.replay.engine import StaticEngine
from remediate.source.tree import WorkingTree
from remediate.sql import parse as parsing

PACKAGE = str(Path(remediate.__file__).parent)


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """`benchmarks/generate.py`, which is no package."""
    path = Path(__file__).parents[1] / "benchmarks" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plan(root: Path) -> None:
    tree = WorkingTree(root)
    make_plan(read(tree, Config()), tree, Config(), Request())


def steps_of(work: Callable[[], object]) -> int:
    """Lines of this package that are run, each round of a loop or comprehension counted, in every thread."""
    counted = 0

    def count(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal counted
        if event == "line":
            counted += 1
        return count

    def enter(frame: FrameType, event: str, argument: object) -> Any:
        return count if PACKAGE in frame.f_code.co_filename else None

    threading.settrace(enter)
    sys.settrace(enter)
    try:
        work()
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
    return counted


@pytest.mark.parametrize("databases", ["shared", "own"])
def test_the_work_grows_as_the_files_do(databases: str, generator: ModuleType, tmp_path: Path) -> None:
    """Four times the files and services, and the work per file stays: nothing goes over everything for each thing."""
    each = []
    for files in (10, 40):
        root = tmp_path / str(files)
        generator.generate(root, files, files // 5, databases)
        if not each:
            plan(root)  # what is loaded and computed once is left out
        each.append(steps_of(lambda root=root: plan(root)) / files)  # type: ignore[misc]
    assert each[1] < 1.02 * each[0], each


def test_each_string_is_parsed_once(generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator.generate(tmp_path, 20, 4)
    sent: Counter[str] = Counter()
    parsed: Counter[str] = Counter()
    execute, parse = StaticEngine.execute, parsing.parse_protobuf

    def hear(self: StaticEngine, one: Any, wants_rows: bool) -> Any:
        if not one.control:  # of a transaction, which nothing looks into
            sent[one.sql] += 1
        return execute(self, one, wants_rows)

    def count(text: str) -> Any:
        parsed[text] += 1
        return parse(text)

    monkeypatch.setattr(StaticEngine, "execute", hear)
    monkeypatch.setattr(parsing, "parse_protobuf", count)
    plan(tmp_path)
    assert len(sent) > 1000
    assert {text: (parsed[text], times) for text, times in sent.items() if parsed[text] != times} == {}


def test_each_file_is_lowered_once(generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator.generate(tmp_path, 20, 4)
    lowered: Counter[str] = Counter()
    lower = modules.lower

    def count(file: Any) -> Any:
        lowered[file.path] += 1
        return lower(file)

    monkeypatch.setattr(modules, "lower", count)
    plan(tmp_path)
    assert len(lowered) == 20
    assert set(lowered.values()) == {1}
