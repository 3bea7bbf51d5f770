"""What a plain `migrate:latest` does with a migration that throws by itself: the run of its service ends there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from remediate.evaluate.model import Direction, Evaluation
from remediate.evaluate.world import World
from remediate.replay.catalog import Assumption, Outcome
from remediate.replay.replay import replay
from remediate.source.model import MigrationSource, Service


class _Throws:
    """Every migration throws without sending anything."""

    def __init__(self, *, certain: bool) -> None:
        self.certain = certain

    def evaluate(self, source: MigrationSource, direction: Direction, world: World) -> Evaluation:
        return Evaluation("orders", source.name, source.file, direction, (), thrown="Error: no", ends=self.certain)


def _outcomes(migrations: Sequence[str], *, certain: bool) -> tuple[Outcome, ...]:
    sources = tuple(MigrationSource("orders", f"m/{name}", "m", name, b"") for name in migrations)
    service = Service("orders", "orders", ("m",), sources, "orders")
    return replay([service], _Throws(certain=certain), assume="fresh").outcomes


def test_a_throw_that_is_certain_ends_the_run() -> None:
    assert _outcomes(["1.ts", "2.ts"], certain=True) == (Outcome("orders", "m/1.ts", "", "Error: no"),)


class _Runs:
    """Every migration goes through; which were run is written down."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def evaluate(self, source: MigrationSource, direction: Direction, world: World) -> Evaluation:
        self.ran.append(source.file)
        return Evaluation(source.service, source.name, source.file, direction, ())


def _service(name: str, files: Mapping[str, bytes], table: str = "knex_migrations") -> Service:
    sources = tuple(MigrationSource(name, f"{name}/{file}", name, file, data) for file, data in files.items())
    return Service(name, name, (name,), sources, "shared", table_name=table)


FILES = {"1.ts": b"a", "2.ts": b"b"}


@pytest.mark.parametrize("assume", ["applied", "fresh"])
@pytest.mark.parametrize(
    ("second", "ran"),
    [
        (_service("copy", FILES), []),
        (_service("copy", {**FILES, "3.ts": b"c"}), ["copy/3.ts"]),
        (_service("copy", {**FILES, "2.ts": b"other"}), ["copy/2.ts"]),
        (_service("copy", {"1.ts": b"a"}), ["copy/1.ts"]),
        (_service("copy", FILES, "knex_migrations_copy"), ["copy/1.ts", "copy/2.ts"]),
    ],
    ids=["a copy", "a copy that goes on", "a file that differs", "a folder that overlaps", "a table of its own"],
)
def test_a_copy_of_a_folder_is_on_record_already(second: Service, ran: list[str], assume: Assumption) -> None:
    evaluator = _Runs()
    replayed = replay([_service("first", FILES), second], evaluator, assume=assume)
    assert evaluator.ran == ["first/1.ts", "first/2.ts", *ran]
    assert {outcome.migration for outcome in replayed.outcomes} >= {one.file for one in second.migrations}


def test_a_throw_that_may_be_a_limit_of_ours_does_not() -> None:
    assert _outcomes(["1.ts", "2.ts"], certain=False) == (Outcome("orders", "m/1.ts"), Outcome("orders", "m/2.ts"))
