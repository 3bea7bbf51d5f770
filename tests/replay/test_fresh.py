"""What a plain `migrate:latest` does with a migration that throws by itself: the run of its service ends there."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.evaluate.model import Direction, Evaluation
from remediate.evaluate.world import World
from remediate.replay.catalog import Outcome
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


def test_a_throw_that_may_be_a_limit_of_ours_does_not() -> None:
    assert _outcomes(["1.ts", "2.ts"], certain=False) == (Outcome("orders", "m/1.ts"), Outcome("orders", "m/2.ts"))
