"""examples/ticketing on both engines: the same catalog, the same refused statements, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engines.both import MODES, replay_both, replay_static, told
from remediate.config.load import load
from remediate.pipeline import read
from remediate.postgres.server import Server
from remediate.replay.compare import compare
from remediate.replay.engine import Assumption
from remediate.source.model import Service
from remediate.source.tree import WorkingTree
from support.database import Database
from support.knex import KnexRunner

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


def _services() -> tuple[Service, ...]:
    tree = WorkingTree(EXAMPLE)
    return read(tree, load(tree)).services


def test_knex_stops_at_the_same_files(new_database: Callable[..., Database], knex_runner: KnexRunner) -> None:
    """`fresh`: of each service the file that ends its run, the statement and its SQLSTATE, by real Knex."""
    services = _services()
    (static,) = replay_static(EXAMPLE, "fresh")
    database = new_database()
    stopped = {}
    for service in services:
        run = knex_runner.latest(database, EXAMPLE, directories=service.directories, table=service.table_name)
        ours = [one for one in static.outcomes if one.service == service.name]
        failed = [one for one in ours if one.code is not None][-1:]
        assert bool(failed) == (run.error is not None), run.error
        for outcome in failed:
            assert (outcome.code or None) == run.code, run.error
            name = outcome.migration.rpartition("/")[2]
            assert any(f'migration file "{name}" failed' in line for line in run.log), run.log
            stopped[service.name] = outcome.code
    statements = {one.origin.service: one for one in static.refusals}
    assert {name for name, code in stopped.items() if code} == set(statements)
    assert len(stopped) >= 5
    assert {"42P01", ""} <= set(stopped.values())


def test_knex_is_refused_the_same_strings(new_database: Callable[..., Database], knex_runner: KnexRunner) -> None:
    """`applied`: the strings that PostgreSQL refuses, file by file with their SQLSTATEs, as real Knex sends them."""
    services = _services()
    (static,) = replay_static(EXAMPLE, "applied")
    database = new_database()
    found = []
    for service in services:
        run = knex_runner.apply(database, EXAMPLE, directories=service.directories, table=service.table_name)
        assert run.error is None
        found += [(service.name, file, code) for file, _, code in run.refused]
    assert len(found) > 20
    assert len({code for _, _, code in found}) > 3
    assert sorted(found) == sorted((one.origin.service, one.origin.migration, one.code) for one in static.refusals)
