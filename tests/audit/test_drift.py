"""Where a live database is not what its migrations say: each change made by hand is told, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.conftest import EXAMPLE
from cli.workspaces import write
from remediate.audit.drift import find_drift
from remediate.audit.evidence import without
from remediate.audit.records import bookkeeping
from remediate.config.load import load
from remediate.config.model import Config
from remediate.detect.facts import gather
from remediate.detect.model import Facts
from remediate.pipeline import read, replay_all
from remediate.postgres.address import read_address
from remediate.postgres.live import Live
from remediate.postgres.observe import observe
from remediate.postgres.wire import Wire
from remediate.prove.actors import hand_over
from remediate.replay.catalog import Replayed
from remediate.report.audit_json import drift_document
from remediate.source.model import Workspace
from remediate.source.tree import WorkingTree
from support.database import Database, seed_knex_migrations
from support.live import address, audit, audit_text
from support.real import OWNER

PAID = "services/order-service/src/migrations/001_baseline_orders.ts"


@pytest.fixture(scope="module")
def example() -> tuple[WorkingTree, Config, Workspace]:
    tree = WorkingTree(EXAMPLE)
    config = load(tree)
    return tree, config, read(tree, config)


@pytest.fixture(scope="module")
def expected(example: tuple[WorkingTree, Config, Workspace]) -> tuple[Replayed, Facts]:
    """What all files make, replayed once: what is asked below is about the other side."""
    tree, config, workspace = example
    (replayed,) = replay_all(workspace, tree, config)
    return replayed, gather(replayed, workspace.services, config)


def quick(database: Database, expected: tuple[Replayed, Facts]) -> list[dict[str, Any]]:
    """The drift of a database on which every file is on record, as the document has it."""
    with Live(read_address(address(database)), timeout=5) as live:
        observed = observe(live)
    catalog = without(observed.catalog, bookkeeping(observed.records))
    return [drift_document(one) for one in find_drift(expected[0], catalog, observed, expected[1])]


def drift(database: Database) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = audit(EXAMPLE, database, "--rule", "drift", "--no-count-rows")["drift"]
    return found


def told(one: dict[str, Any]) -> tuple[str, str, str]:
    return one["sort"], one["kind"], one["object"]


def test_there_is_none_where_nothing_was_done_by_hand(ticketing: Database) -> None:
    assert drift(ticketing) == []


# What is done, what is told of it, how much it weighs, and whether it bears on isolation.
CASES: dict[str, tuple[str, tuple[str, str, str], str, bool]] = {
    "a policy dropped": (
        "DROP POLICY orders_tenant_isolation ON orders",
        ("missing", "policy", "orders_tenant_isolation on public.orders"),
        "error",
        True,
    ),
    "a policy that lets everybody in": (
        "CREATE POLICY support ON order_items USING (true)",
        ("extra", "policy", "support on public.order_items"),
        "error",
        True,
    ),
    "a restrictive policy": (
        "CREATE POLICY office ON order_items AS RESTRICTIVE USING (true)",
        ("extra", "policy", "office on public.order_items"),
        "warning",
        True,
    ),
    "a policy changed": (
        "ALTER POLICY orders_tenant_isolation ON orders USING (true)",
        ("different", "policy", "orders_tenant_isolation on public.orders"),
        "error",
        True,
    ),
    "row level security disabled": (
        "ALTER TABLE events DISABLE ROW LEVEL SECURITY",
        ("different", "rls flags", "public.events"),
        "error",
        True,
    ),
    "row level security forced": (
        "ALTER TABLE orders FORCE ROW LEVEL SECURITY",
        ("different", "rls flags", "public.orders"),
        "warning",
        True,
    ),
    "a function of the tenant replaced": (
        "CREATE OR REPLACE FUNCTION set_tenant_context(p_tenant_id uuid) RETURNS void LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM set_config('app.current_tenant_id', p_tenant_id::text, false); END $$",
        ("different", "function", "public.set_tenant_context(uuid)"),
        "error",
        True,
    ),
    "a function replaced": (
        "CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN NEW; END $$",
        ("different", "function", "public.update_updated_at_column()"),
        "warning",
        False,
    ),
    "the tenant column of a table nullable": (
        "ALTER TABLE orders ALTER COLUMN tenant_id DROP NOT NULL",
        ("different", "column", "public.orders.tenant_id"),
        "error",
        True,
    ),
    "the owner changed": (
        "CREATE ROLE warden; ALTER TABLE orders OWNER TO warden",
        ("different", "table", "public.orders"),
        "warning",
        True,
    ),
    "a grant to everybody": (
        "GRANT SELECT ON orders TO public",
        ("extra", "grant", "public.orders to public"),
        "warning",
        True,
    ),
    "a column added": (
        "ALTER TABLE tickets ADD COLUMN vip boolean DEFAULT false",
        ("extra", "column", "public.tickets.vip"),
        "warning",
        False,
    ),
    "a column dropped": (
        "ALTER TABLE orders DROP COLUMN currency CASCADE",
        ("missing", "column", "public.orders.currency"),
        "warning",
        False,
    ),
    "a table made": (
        "CREATE TABLE scratch (id int PRIMARY KEY, tenant_id uuid)",
        ("extra", "table", "public.scratch"),
        "warning",
        False,
    ),
    "a foreign key dropped": (
        "ALTER TABLE order_items DROP CONSTRAINT order_items_order_id_foreign",
        ("missing", "constraint", "order_items_order_id_foreign on public.order_items"),
        "warning",
        False,
    ),
    "an index made": (
        "CREATE INDEX by_hand ON orders (created_at, id)",
        ("extra", "index", "public.by_hand on public.orders"),
        "info",
        False,
    ),
    "a trigger switched off": (
        "ALTER TABLE venues DISABLE TRIGGER update_venues_updated_at",
        ("different", "trigger", "update_venues_updated_at on public.venues"),
        "warning",
        False,
    ),
    "a schema of something else": (
        "CREATE SCHEMA warehouse; CREATE TABLE warehouse.facts (id int PRIMARY KEY, v text DEFAULT 'x');"
        "CREATE INDEX ON warehouse.facts (v); CREATE VIEW warehouse.v AS SELECT 1 AS one",
        ("extra", "schema", "warehouse"),
        "info",
        False,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_change_by_hand_is_one_difference(name: str, ticketing: Database, expected: tuple[Replayed, Facts]) -> None:
    sql, change, severity, isolation = CASES[name]
    ticketing.run(sql)
    (one,) = quick(ticketing, expected)
    assert told(one) == change
    assert (one["severity"], one["isolation"]) == (severity, isolation)
    if one["sort"] != "extra":
        assert (EXAMPLE / one["file"]).read_text().splitlines()[one["line"] - 1].strip()
        assert one["service"]
    else:
        assert one["file"] is None


def test_an_index_that_a_failed_build_left_behind(ticketing: Database, expected: tuple[Replayed, Facts]) -> None:
    ticketing.run("INSERT INTO event_categories (name, slug) VALUES ('one', 'a'), ('two', 'b')")
    assert ticketing.refusal("CREATE UNIQUE INDEX CONCURRENTLY half ON event_categories ((length(name)))") == "23505"
    (one,) = quick(ticketing, expected)
    assert told(one) == ("extra", "index", "public.half on public.event_categories")
    assert "INVALID" in one["message"]


def test_an_index_of_the_migrations_that_is_invalid(ticketing: Database, expected: tuple[Replayed, Facts]) -> None:
    ticketing.run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_tickets_tenant_status'::regclass")
    (one,) = quick(ticketing, expected)
    assert told(one) == ("different", "index", "public.idx_tickets_tenant_status on public.tickets")
    assert one["changes"] == [{"name": "valid", "live": False, "expected": True}]


def test_a_role_that_may_pass_is_not_the_one_of_the_migrations(
    ticketing: Database, expected: tuple[Replayed, Facts]
) -> None:
    ticketing.run("ALTER ROLE ticket_service_app BYPASSRLS")
    try:
        (one,) = quick(ticketing, expected)
    finally:  # roles belong to the whole server
        ticketing.run("ALTER ROLE ticket_service_app NOBYPASSRLS")
    assert told(one) == ("different", "role", "ticket_service_app")
    assert (one["severity"], one["isolation"]) == ("error", True)


def test_services_that_ran_in_another_order_left_another_version_of_a_function(
    ticketing: Database, expected: tuple[Replayed, Facts]
) -> None:
    """It is one that the migrations make; nobody made it by hand."""
    versions = [one.function for one in expected[0].functions if one.function.name.name == "update_updated_at_column"]
    last = expected[0].catalog.functions[versions[0].name, ()]
    first = next(one for one in versions if one.definition != last.definition)
    ticketing.run(first.statement)
    (one,) = quick(ticketing, expected)
    assert told(one) == ("different", "function", "public.update_updated_at_column()")
    same = [version.history[-1].place for version in versions if version.definition == first.definition]
    assert any(f"is that of {place}, though" in one["message"] for place in same)
    assert str(last.history[-1].place) in one["message"]
    assert one["severity"] == "warning"


def test_grants_and_partitions_by_hand_are_told_together(ticketing: Database) -> None:
    ticketing.run("CREATE ROLE reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    out = audit_text(EXAMPLE, ticketing, "--rule", "drift").out
    (line,) = [line for line in out.splitlines() if "reader" in line]
    assert "more" in line
    assert "Is granted what no migration grants." in out


def test_a_search_path_that_leads_elsewhere_is_named_first(ticketing: Database) -> None:
    """Everything is missing then; the reason is said before all that is."""
    ticketing.run("ALTER SCHEMA public RENAME TO app; CREATE SCHEMA public")
    found = drift(ticketing)
    assert told(found[0]) == ("different", "schema", "app")
    assert "are in app here, and were looked for in public" in found[0]["message"]


def test_what_extensions_own_is_none(ticketing: Database, expected: tuple[Replayed, Facts]) -> None:
    ticketing.run("CREATE EXTENSION hstore; CREATE EXTENSION citext")
    found = quick(ticketing, expected)
    assert sorted(map(told, found)) == [("extra", "extension", "citext"), ("extra", "extension", "hstore")]
    assert {one["severity"] for one in found} == {"info"}


def test_isolation_comes_first_and_each_says_where_it_is_made(ticketing: Database) -> None:
    ticketing.run(
        "ALTER TABLE venues ALTER COLUMN name DROP NOT NULL; DROP POLICY orders_tenant_isolation ON orders;"
        "CREATE TABLE a_stray (id int PRIMARY KEY)"
    )
    result = audit_text(EXAMPLE, ticketing, "--rule", "drift")
    assert result.code == 1
    lines = [line.strip() for line in result.out.splitlines()]
    first, second = lines.index("Drift that bears on isolation"), lines.index("Other drift")
    assert first < second
    policy = next(number for number, line in enumerate(lines) if "orders_tenant_isolation" in line)
    assert first < policy < second
    assert lines[policy + 1] == f"{PAID}:78"
    assert not [line for line in lines[:second] if "a_stray" in line]
    assert [line for line in lines[second:] if "a_stray" in line]
    assert result.last == "1 error, 2 warnings; 3 objects in drift (1 bear on isolation). Nothing was written."


def test_a_file_that_is_not_on_record_is_not_expected(ticketing: Database) -> None:
    """Neither is what it would make missing, nor is what it has made taken for made by hand."""
    name = "011_add_ticket_state_history.ts"
    ticketing.run("DELETE FROM knex_migrations_ticket WHERE name = %s", [name])
    found = drift(ticketing)
    assert ("extra", "table", "public.ticket_state_history") in map(told, found)
    for one in found:
        assert "only a migration that is not on record makes it" in one["message"], one
    assert {Path(one["file"]).name for one in found} == {name}
    ticketing.run(
        "DROP TABLE ticket_state_history CASCADE; DROP FUNCTION log_ticket_status_change() CASCADE;"
        "DROP FUNCTION IF EXISTS log_ticket_status_change_manual; DROP FUNCTION IF EXISTS get_ticket_state_history"
    )
    document = audit(EXAMPLE, ticketing)
    assert document["drift"] == []
    (waiting,) = [one["pending"] for one in document["services"] if one["pending"]]
    assert [Path(file).name for file in waiting] == [name]


def test_an_unread_place_that_may_be_the_reason_is_named(tmp_path: Path, new_database: Callable[..., Database]) -> None:
    write(
        tmp_path,
        {
            "package.json": '{"name": "alone"}',
            "migrations/1_create.js": """
exports.up = async (knex) => {
  await knex.schema.createTable('things', (t) => { t.increments(); });
  await knex.raw(require('./secret-sauce')(knex));
};
exports.down = (knex) => knex.schema.dropTable('things');
""",
        },
    )
    database = new_database()
    database.run("CREATE TABLE things (id serial PRIMARY KEY); CREATE POLICY p ON things USING (true)")
    seed_knex_migrations(database, ["1_create.js"])
    (one,) = audit(tmp_path, database)["drift"]
    assert told(one) == ("extra", "policy", "p on public.things")
    assert one["explanation"]["file"] == "migrations/1_create.js"
    assert one["explanation"]["line"] == 4
    assert "That may be because migrations/1_create.js:4 could not be read" in audit_text(tmp_path, database).out


def test_the_role_that_migrates_need_not_be_postgres(ticketing: Database) -> None:
    """Who owns Knex's tables runs the migrations: that it is no superuser, as with most providers, is no drift."""
    with Wire(ticketing.endpoint, ticketing.name) as wire:
        if not wire.query(f"SELECT FROM pg_roles WHERE rolname = '{OWNER}'"):
            wire.query(f"CREATE ROLE {OWNER} LOGIN")
        hand_over(wire, OWNER)
    found = audit(EXAMPLE, ticketing, user=OWNER)
    assert found["drift"] == []
    assert found["database"]["user"] == OWNER
    assert not found["database"]["superuser"]
