"""A string of which statements are missing takes effect, and what fails in it may come from what is missing."""

from __future__ import annotations

import pytest

from remediate.evaluate.model import Sent
from remediate.replay.catalog import QName
from remediate.replay.engine import Assumption, StaticEngine
from remediate.source.place import Place

PLACE = Place("1.ts")


def _sent(sql: str, gap: str | None) -> Sent:
    return Sent("service", "1.ts", "up", PLACE, sql, "raw", gap=gap)


@pytest.mark.parametrize("assume", ["applied", "fresh"])
def test_what_is_known_is_applied(assume: Assumption) -> None:
    engine = StaticEngine(strict=True, assume=assume)
    assert engine.execute(_sent("CREATE TABLE a (); CREATE TABLE b ()", "a file"), False).error is None
    assert list(engine.builder.tables) == [QName("public", "a"), QName("public", "b")]


@pytest.mark.parametrize("assume", ["applied", "fresh"])
def test_a_refusal_is_not_claimed(assume: Assumption) -> None:
    """What is refused is taken to go through with what is missing, and so the rest of the string does."""
    engine = StaticEngine(strict=True, assume=assume)
    assert engine.execute(_sent("CREATE TABLE a (); ALTER TABLE b ADD c int", "a file"), False).error is None
    (table,) = engine.builder.tables.values()
    assert table.name == QName("public", "a")
    assert table.history[0].conditional is not None
    assert not engine.told.refusals
    (told,) = engine.told.unresolved
    assert "b" in told.reason
    assert told.reason.endswith("made it: a file")
