"""One idiom of migrations each, as a real file: static, PostgreSQL and real Knex end alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engines.both import MIGRATIONS, MODES, SERVICE, idioms, replay_both, replay_static, told, write
from remediate.postgres.introspect import introspect
from remediate.postgres.server import Server
from remediate.replay.catalog import Catalog
from remediate.replay.compare import FactKey, catalog_facts, compare
from remediate.replay.engine import OTHER_ROWS, Assumption
from support.database import Database
from support.knex import KnexRunner

IDIOMS = idioms(Path(__file__).with_name("idioms.txt"))
OF_KNEX = ("knex_migrations", "knex_migrations_lock")


def test_there_are_enough_of_them() -> None:
    assert len(IDIOMS) >= 150


@pytest.mark.parametrize("assume", MODES)
@pytest.mark.parametrize("name", IDIOMS)
def test_both_engines_agree(name: str, assume: Assumption, postgres: Server, tmp_path: Path) -> None:
    ((static, real),) = replay_both(write(tmp_path, IDIOMS[name]), postgres, assume)
    assumed = {str(one.place) for one in static.assumptions if one.reason.endswith(OTHER_ROWS)}
    differences = [
        one
        for one in compare(static, real).differences
        if not (one.kind == "refused statement" and one.found is None and one.subject in assumed)
    ]
    assert [told(one) for one in differences] == []
    assert [place.reason for place in static.unresolved] == []


@pytest.mark.long
@pytest.mark.parametrize("name", IDIOMS)
def test_knex_does_the_same(
    name: str, new_database: Callable[..., Database], knex_runner: KnexRunner, tmp_path: Path
) -> None:
    root = write(tmp_path, IDIOMS[name])
    (static,) = replay_static(root, "fresh")
    database = new_database()
    run = knex_runner.latest(database, root / SERVICE, directories=[MIGRATIONS.rpartition("/")[2]])
    ended = [outcome.code for outcome in static.outcomes if outcome.code]
    assert (run.code, run.error is None) == ((ended or [None])[-1], not ended), run.error
    with database.connect() as connection:
        theirs = without_knex(introspect(connection))
    ours = without_knex(static.catalog)
    assert {key: value for key, value in theirs.items() if ours.get(key) != value} == {}
    assert ours.keys() <= theirs.keys()


def without_knex(catalog: Catalog) -> dict[FactKey, object]:
    """The facts of a catalog, without the tables of Knex itself."""
    return {
        key: value for key, value in catalog_facts(catalog).items() if not any(name in key.subject for name in OF_KNEX)
    }
