"""Services that ran in another order than they need each other in: the times of Knex's records tell it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.workspaces import raw, service, typescript, write
from remediate.audit.records import in_recorded_order, match_records
from remediate.config.load import load
from remediate.pipeline import read
from remediate.postgres.observe import RecordTable
from remediate.replay.catalog import QName
from remediate.source.model import Service
from remediate.source.tree import WorkingTree
from support.database import Database, seed_knex_migrations
from support.live import audit

LETTERS = "CREATE TABLE letters (id int PRIMARY KEY)"
SEEN = "ALTER TABLE letters ADD COLUMN seen boolean"
FILES = {
    **service("letters", {"001_letters.ts": typescript(raw(LETTERS)), "002_more.ts": typescript(raw("SELECT 1"))}),
    **service(
        "readers",
        {"001_seen.ts": typescript(f"  if (await knex.schema.hasTable('letters')) {{\n{raw(SEEN)}\n  }}")},
    ),
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return write(tmp_path, FILES)


def record(database: Database, name: str, files: list[str], start: str) -> None:
    seed_knex_migrations(database, files, table=f"knex_migrations_{name}")
    database.run(f"UPDATE knex_migrations_{name} SET migration_time = timestamptz '{start}' + id * interval '1 hour'")


def look(workspace: Path, database: Database) -> tuple[list[str], list[str]]:
    document: Any = audit(workspace, database)
    return (
        [drift["subject"] for drift in document["drift"]],
        [problem["message"] for problem in document["records"] if problem["kind"] == "recorded-order"],
    )


def test_what_ran_before_what_it_needs_did_nothing(workspace: Path, database: Database) -> None:
    database.run(LETTERS)
    record(database, "readers", ["001_seen.ts"], "2026-01-01")
    record(database, "letters", ["001_letters.ts", "002_more.ts"], "2026-02-01")
    drift, said = look(workspace, database)
    assert drift == []
    assert said == [
        "By the times of the records the services ran in another order here (readers and letters) than they need each"
        " other in, and that made another schema"
    ]


def test_times_that_say_nothing_are_not_believed(workspace: Path, database: Database) -> None:
    """Records that were copied, or put there by hand: what is there is what the order of need makes."""
    database.run(f"{LETTERS}; {SEEN}")
    record(database, "readers", ["001_seen.ts"], "2026-01-01")
    record(database, "letters", ["001_letters.ts", "002_more.ts"], "2026-02-01")
    assert look(workspace, database) == ([], [])


def services(workspace: Path) -> tuple[Service, ...]:
    tree = WorkingTree(workspace)
    return read(tree, load(tree)).services


@pytest.mark.parametrize(
    ("letters", "readers", "order"),
    [
        ((1.0, 2.0), (3.0,), None),
        ((1.0, 1.0), (1.0,), None),
        ((2.0, 3.0), (1.0,), ["readers", "letters"]),
        ((1.0, 3.0), (2.0,), ["letters", "readers", "letters"]),
        ((3.0, 1.0), (2.0,), ["readers", "letters"]),
        ((1.0, 3.0), (), None),
    ],
)
def test_the_order_of_the_records(
    letters: tuple[float, ...], readers: tuple[float, ...], order: list[str] | None, workspace: Path
) -> None:
    here = services(workspace)
    tables = [
        RecordTable(QName("public", "knex_migrations_letters"), ("001_letters.ts", "002_more.ts"), times=letters),
        RecordTable(QName("public", "knex_migrations_readers"), ("001_seen.ts",), times=readers),
    ]
    ran = in_recorded_order(here, match_records(here, tables))
    assert (ran and [one.name for one in ran]) == order
