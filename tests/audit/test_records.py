"""Knex's tables against the files on disk: every way in which the two come to disagree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from audit.conftest import EXAMPLE
from cli.workspaces import write
from remediate.audit.records import match_records
from remediate.postgres.observe import RecordTable
from remediate.replay.catalog import QName
from remediate.source.model import MigrationSource, Service
from support.database import Database, seed_knex_migrations
from support.knex import KnexRunner
from support.live import audit, audit_text

TABLE = QName("public", "knex_migrations")


def service(name: str, *files: str, table: str = "knex_migrations") -> Service:
    migrations = tuple(MigrationSource(name, f"{name}/{file}", name, file, file.encode()) for file in files)
    return Service(name, name, (name,), migrations, "shop", table)


def problems(services: list[Service], *tables: RecordTable) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.kind, one.severity, one.names) for one in match_records(services, tables).problems]


def record(*names: str, table: QName = TABLE, locked: bool | None = False, not_read: str = "") -> RecordTable:
    return RecordTable(table, names, locked, not_read)


def test_all_on_record_is_no_problem() -> None:
    found = match_records([service("a", "1.ts", "2.ts")], [record("1.ts", "2.ts")])
    (standing,) = found.standings
    assert ([one.name for one in standing.on_record], standing.pending, standing.known) == (["1.ts", "2.ts"], (), True)
    assert found.problems == ()


def test_what_waits_is_no_problem_either() -> None:
    found = match_records([service("a", "1.ts", "2.ts")], [record("1.ts")])
    assert [one.name for one in found.pending] == ["2.ts"]
    assert found.problems == ()


def test_recorded_and_missing_on_disk() -> None:
    assert problems([service("a", "1_users.ts")], record("1_users.ts", "2_orders.ts")) == [
        ("missing-file", "error", ("2_orders.ts",))
    ]


@pytest.mark.parametrize("now", ["20240101_create_orders.ts", "2_create_order.ts"])
def test_renamed_on_disk(now: str) -> None:
    """The file counts as applied, so that nothing of it is taken for drift."""
    found = match_records([service("a", "1_users.ts", now)], [record("1_users.ts", "2_create_orders.ts")])
    assert [(one.kind, one.names) for one in found.problems] == [("renamed-file", ("2_create_orders.ts", now))]
    assert [one.name for one in found.standings[0].on_record] == ["1_users.ts", now]


def test_a_file_of_another_name_is_no_renamed_one() -> None:
    found = match_records([service("a", "1_users.ts", "2_payments.ts")], [record("1_users.ts", "2_create_orders.ts")])
    assert [one.kind for one in found.problems] == ["missing-file"]
    assert [one.name for one in found.pending] == ["2_payments.ts"]


def test_compiled_files_on_record() -> None:
    found = match_records([service("a", "1.ts", "2.ts", "3.ts")], [record("1.js", "2.js")])
    assert [(one.kind, one.severity) for one in found.problems] == [("other-extension", "info")]
    assert [one.name for one in found.standings[0].on_record] == ["1.ts", "2.ts"]


def test_both_extensions_on_record() -> None:
    assert problems([service("a", "1.ts", "2.ts")], record("1.js", "2.ts")) == [("other-extension", "error", ("1.js",))]


def test_out_of_order() -> None:
    assert problems([service("a", "1.ts", "2.ts", "3.ts")], record("1.ts", "3.ts")) == [
        ("out-of-order-name", "warning", ("2.ts",))
    ]


def test_recorded_in_another_order() -> None:
    found = match_records([service("a", "1.ts", "2.ts", "3.ts")], [record("1.ts", "3.ts", "2.ts")])
    assert [(one.kind, one.names) for one in found.problems] == [("recorded-order", ("2.ts",))]
    assert [one.name for one in found.standings[0].on_record] == ["1.ts", "3.ts", "2.ts"], "as they ran"


def test_two_services_on_one_table() -> None:
    services = [service("a", "001_users.ts"), service("b", "001_orders.ts")]
    assert problems(services, record("001_users.ts", "001_orders.ts")) == [("shared-table", "error", ())]


def test_the_same_file_name_in_both() -> None:
    services = [service("a", "001_init.ts", "002_a.ts"), service("b", "001_init.ts", "002_b.ts")]
    found = problems(services, record("001_init.ts", "002_a.ts", "002_b.ts"))
    assert [(kind, names) for kind, _, names in found] == [("shared-table", ()), ("same-name", ("001_init.ts",))]


def test_each_service_has_the_table_of_its_knexfile_and_its_schema() -> None:
    services = [service("a", "1.ts"), service("b", "1.ts", table="b_migrations"), service("c", "9.ts")]
    tables = [
        record("1.ts"),
        record("1.ts", table=QName("public", "b_migrations")),
        record("9.ts", table=QName("c", "knex_migrations")),
    ]
    found = match_records(services, tables)
    assert [str(one.table) for one in found.standings] == [
        "public.knex_migrations",
        "public.b_migrations",
        "c.knex_migrations",
    ]
    assert found.problems == ()


def test_a_service_that_never_ran_waits_as_a_whole() -> None:
    found = match_records([service("a", "1.ts"), service("b", "x.ts", table="b")], [record("1.ts")])
    assert [one.name for one in found.pending] == ["x.ts"]


def test_a_stuck_lock() -> None:
    assert problems([service("a", "1.ts")], record("1.ts", locked=True)) == [("locked", "error", ())]


def test_a_record_that_cannot_be_read_is_told_and_all_is_taken_as_applied() -> None:
    found = match_records([service("a", "1.ts")], [record(not_read="permission denied for table knex_migrations")])
    assert [(one.kind, one.severity) for one in found.problems] == [("not-read", "warning")]
    (standing,) = found.standings
    assert not standing.known
    assert [one.name for one in standing.on_record] == ["1.ts"]


def test_no_record_at_all() -> None:
    assert problems([service("a", "1.ts")]) == [("no-record", "warning", ())]


# ------------------------------------------------------------------------------------------ on real databases

FILES = {
    "package.json": '{"name": "alone", "type": "commonjs"}',
    "knexfile.js": "module.exports = { client: 'pg', migrations: { directory: './migrations', tableName: 'ledger' } };",
    "migrations/1_users.js": "exports.up = (knex) => knex.schema.createTable('users', (t) => t.increments());\n"
    "exports.down = (knex) => knex.schema.dropTable('users');\n",
    "migrations/2_orders.js": "exports.up = (knex) => knex.schema.createTable('orders', (t) => t.increments());\n"
    "exports.down = (knex) => knex.schema.dropTable('orders');\n",
}


def test_what_real_knex_says_of_the_same(tmp_path: Path, database: Database, knex_runner: KnexRunner) -> None:
    """The record that Knex makes is read as it is, and what is told to be corrupt Knex calls corrupt."""
    write(tmp_path, FILES)
    ran = knex_runner.run("latest", database, tmp_path, directories=["migrations"], table="ledger")
    ran.expect_success()
    document = audit(tmp_path, database)
    (standing,) = document["services"]
    assert standing["record"] == {"schema": "public", "name": "ledger"}
    assert standing["on_record"] == ["migrations/1_users.js", "migrations/2_orders.js"]
    assert (document["records"], document["drift"]) == ([], [])

    (tmp_path / "migrations" / "2_orders.js").rename(tmp_path / "migrations" / "2_order.js")
    (problem,) = audit(tmp_path, database)["records"]
    assert problem["kind"] == "renamed-file"
    said = knex_runner.run("latest", database, tmp_path, directories=["migrations"], table="ledger").error
    assert said is not None
    assert "The migration directory is corrupt" in str(said)
    assert "The migration directory is corrupt" in problem["message"]


def test_the_cases_of_a_live_database(ticketing: Database) -> None:
    ticketing.run(
        "INSERT INTO knex_migrations_ticket (name, batch) VALUES ('999_gone.ts', 2);"
        "UPDATE knex_migrations_venue_lock SET is_locked = 1;"
        "DELETE FROM knex_migrations_event WHERE name LIKE '003%';"
        "UPDATE knex_migrations_payment SET name = replace(name, '.ts', '.js')"
    )
    document = audit(EXAMPLE, ticketing, "--rule", "records", "--no-count-rows")
    told = {(one["kind"], one["table"]["name"], one["severity"]) for one in document["records"]}
    assert told == {
        ("missing-file", "knex_migrations_ticket", "error"),
        ("locked", "knex_migrations_venue", "error"),
        ("out-of-order-name", "knex_migrations_event", "warning"),
        ("other-extension", "knex_migrations_payment", "info"),
    }
    assert document["drift"] == document["findings"] == document["checks"] == []
    text = audit_text(EXAMPLE, ticketing, "--rule", "records", "--no-count-rows").out
    assert "999_gone.ts is on record, and no file of ticket-service" in text
    assert "knex migrate:unlock" in text


def test_a_record_in_another_schema_and_one_that_may_not_be_read(
    tmp_path: Path, new_database: Callable[..., Database]
) -> None:
    write(tmp_path, FILES)
    database = new_database()
    database.run("CREATE SCHEMA ops; CREATE ROLE reader LOGIN; CREATE TABLE users (id serial PRIMARY KEY)")
    seed_knex_migrations(database, ["1_users.js"], table="ledger", schema="ops")
    document = audit(tmp_path, database)
    assert document["services"][0]["record"] == {"schema": "ops", "name": "ledger"}
    assert document["services"][0]["pending"] == ["migrations/2_orders.js"]
    assert document["drift"] == [], "its sequence and table are Knex's own"
    hidden = audit(tmp_path, database, user="reader")
    (problem,) = hidden["records"]
    assert problem["kind"] == "not-read"
    assert "permission denied for schema ops" in problem["message"]
    assert not hidden["services"][0]["known"]
    assert [one["object"] for one in hidden["drift"]] == ["public.orders"], "taken as applied, and not there"
