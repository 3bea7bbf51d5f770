"""examples/ticketing on both engines: the same catalog, the same refused statements, in both modes."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.both import MODES, replay_both, told
from remediate.postgres.server import Server
from remediate.replay.compare import compare
from remediate.replay.engine import Assumption

EXAMPLE = Path(__file__).parents[2] / "examples" / "ticketing"


@pytest.mark.parametrize("assume", MODES)
def test_both_engines_agree_on_the_example(assume: Assumption, postgres: Server) -> None:
    ((static, real),) = replay_both(EXAMPLE, postgres, assume)
    comparison = compare(static, real)
    assert [told(one) for one in comparison.differences] == []
    assert comparison.counts["policy"] > 40
    # Both tell the same statement of each object.
    for kind in ("tables", "policies", "constraints", "indexes", "functions", "triggers", "views", "sequences"):
        mine, theirs = getattr(static.catalog, kind), getattr(real.catalog, kind)
        assert {key: one.history[0].place for key, one in mine.items()} == {
            key: one.history[0].place for key, one in theirs.items()
        }, kind
