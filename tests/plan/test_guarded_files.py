"""A file that checks first, and raises, holds nothing back but itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from remediate.plan.model import Options
from support.database import Database
from support.golden import GOLDEN, Planned
from support.knex import KnexRunner

CASE = GOLDEN / "missing-rls" / "two-conditions-over-some-of-the-tables"


def test_a_check_that_raises_leaves_what_came_before_it_done(
    database: Database, knex_runner: KnexRunner, tmp_path: Path
) -> None:
    shutil.copytree(CASE / "services", tmp_path / "services")
    service = tmp_path / "services" / "orders"
    knex_runner.latest(database, service).expect_success()
    # What the condition may have done in this one database.
    database.run("ALTER TABLE reminders ENABLE ROW LEVEL SECURITY")
    planned = Planned.of(tmp_path, Options(unsafe=True))
    planned.write(tmp_path)
    *others, guarded = [Path(change.path).name for change in planned.added]
    ran = knex_runner.latest(database, service)
    assert ran.code == "P0001"
    assert "public.reminders is not as this migration was planned for" in (ran.error or "")
    forced = "SELECT array_agg(relname::text ORDER BY relname) FROM pg_class WHERE relforcerowsecurity"
    assert database.value(forced) == ["customers", "drafts", "invoices", "notes"]
    applied = {name for (name,) in database.run("SELECT name FROM knex_migrations")}
    assert applied >= set(others)
    assert guarded not in applied
    (service / "migrations" / guarded).unlink()
    knex_runner.latest(database, service).expect_success()
