"""The file that gives a child table its tenant column, run by real Knex on tables with rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from remediate.detect.model import Step
from remediate.emit.migration import emit_migration
from remediate.plan.tenant_column import BINDING, AddMarkedColumn, BackfillColumn, FillFromParent
from remediate.postgres.snapshot import catalog_snapshot, snapshot_differences
from remediate.replay.catalog import QName
from support.database import Database
from support.knex import KnexRun, KnexRunner
from support.plans import TYPESCRIPT, one_step

ITEMS, ORDERS, VENUES = QName("public", "items"), QName("public", "orders"), QName("public", "venues")
MARK = "remediate:0123456789ab"
ROWS = 10_000

DIRECT = (Step(ITEMS, ("order_id",), ORDERS, ("id",), False),)
TWO_STEPS = (*DIRECT, Step(ORDERS, ("venue_id",), VENUES, ("id",), True))
COMPOSITE = (Step(ITEMS, ("order_id", "region"), ORDERS, ("id", "region"), False),)

# Every seventh item has no order, every fifth order no tenant, every third order no venue.
TABLES = f"""
CREATE TABLE venues (id integer PRIMARY KEY, tenant_id integer);
INSERT INTO venues SELECT n, n % 4 FROM generate_series(1, 10) AS n;
CREATE TABLE orders (id integer PRIMARY KEY, region text, venue_id integer, tenant_id integer, UNIQUE (id, region));
INSERT INTO orders SELECT n, CASE n % 2 WHEN 0 THEN 'north' ELSE 'south' END,
    CASE WHEN n % 3 > 0 THEN n % 10 + 1 END, CASE WHEN n % 5 > 0 THEN n % 8 END FROM generate_series(1, 100) AS n;
CREATE TABLE items (id integer PRIMARY KEY, order_id integer, region text, note text DEFAULT repeat('x', 200));
INSERT INTO items SELECT n, CASE WHEN n % 7 > 0 THEN n % 100 + 1 END, CASE n % 3 WHEN 0 THEN 'north' ELSE 'south' END
    FROM generate_series(1, {ROWS}) AS n;
CREATE FUNCTION expected_direct(items) RETURNS integer LANGUAGE sql AS
    'SELECT tenant_id FROM orders WHERE id = $1.order_id';
CREATE FUNCTION expected_two(items) RETURNS integer LANGUAGE sql AS
    'SELECT v.tenant_id FROM orders AS o JOIN venues AS v ON v.id = o.venue_id WHERE o.id = $1.order_id';
CREATE FUNCTION expected_composite(items) RETURNS integer LANGUAGE sql AS
    'SELECT tenant_id FROM orders WHERE id = $1.order_id AND region = $1.region';
"""

Run = Callable[..., KnexRun]


@pytest.fixture
def shop(database: Database) -> Database:
    database.run(TABLES)
    return database


@pytest.fixture
def run(knex_runner: KnexRunner, shop: Database, tmp_path: Path) -> Run:
    """Runs a command of Knex on the file for a path: `run("latest", DIRECT, forced=(ITEMS,), user="owner")`."""
    (tmp_path / "migrations").mkdir()

    def run(
        command: str,
        path: tuple[Step, ...],
        *,
        forced: tuple[QName, ...] = (),
        triggers: tuple[str, ...] = (),
        pages: int = 20,
        scans_ranges: bool = True,
        user: str | None = None,
    ) -> KnexRun:
        plan = one_step(
            [],
            steps=(
                (AddMarkedColumn(ITEMS, "tenant_id", "integer", MARK),),
                (FillFromParent(ITEMS, "tenant_id", path, "tenant_id", MARK),),
                (BackfillColumn(ITEMS, "tenant_id", path, "tenant_id", forced, triggers, pages, scans_ranges),),
            ),
            transactional=False,
        )
        (tmp_path / "migrations" / "001_a.ts").write_text(emit_migration(plan, TYPESCRIPT, ["A header."]))
        return knex_runner.run(command, shop, tmp_path, user=user)

    return run


PATHS = {"direct": DIRECT, "two": TWO_STEPS, "composite": COMPOSITE}


@pytest.mark.parametrize("scans_ranges", [True, False])
@pytest.mark.parametrize("name", PATHS)
def test_every_row_with_a_path_has_its_tenant_and_the_others_none(
    shop: Database, run: Run, name: str, scans_ranges: bool
) -> None:
    with shop.connect() as connection:
        before = catalog_snapshot(connection)
    checksum = "SELECT md5(string_agg(format('%s %s %s %s', id, order_id, region, note), ',' ORDER BY id)) FROM items"
    rows = shop.value(checksum)
    done = run("latest", PATHS[name], scans_ranges=scans_ranges).expect_success()
    batches = [sql for sql, _ in done.queries if sql.startswith("UPDATE public.items") or "UPDATE public.items" in sql]
    assert len(batches) > 5, "one transaction for all rows"
    assert shop.value(f"SELECT count(*) FROM items WHERE tenant_id IS DISTINCT FROM expected_{name}(items)") == 0
    filled, empty = shop.run("SELECT count(tenant_id), count(*) - count(tenant_id) FROM items")[0]
    assert filled > 2000
    assert empty > 2000
    assert shop.value(checksum) == rows
    run("rollback", PATHS[name]).expect_success()
    assert shop.value(checksum) == rows
    with shop.connect() as connection:
        left = snapshot_differences(before, catalog_snapshot(connection))
    assert all("knex_migrations" in difference for difference in left)


def test_code_that_does_not_know_the_column_goes_on_writing(shop: Database, run: Run) -> None:
    run("latest", DIRECT).expect_success()
    shop.run("INSERT INTO items (id, order_id) VALUES (0, 1), (-1, NULL), (-2, 5)")
    assert shop.run("SELECT id, tenant_id FROM items WHERE id <= 0 ORDER BY id DESC") == [
        (0, 1),
        (-1, None),
        (-2, None),
    ]
    shop.run("INSERT INTO items (id, order_id, tenant_id) VALUES (-3, 1, 99)")
    assert shop.value("SELECT tenant_id FROM items WHERE id = -3") == 99, "what the code says itself counts"


def test_a_row_that_old_code_moves_past_the_batches_is_filled_when_it_moves(shop: Database) -> None:
    """An update writes a row to another page, which the walk may have behind it, or not have counted."""
    with shop.connect() as connection:
        for operation in (
            AddMarkedColumn(ITEMS, "tenant_id", "integer", MARK),
            FillFromParent(ITEMS, "tenant_id", DIRECT, "tenant_id", MARK),
        ):
            for sql in operation.up():
                connection.execute(sql.encode())
        connection.execute("UPDATE items SET note = 'moved' WHERE id = 1")
    assert shop.run("SELECT tenant_id FROM items WHERE id = 1") == shop.run("SELECT tenant_id FROM orders WHERE id = 2")


def test_after_an_error_in_the_middle_it_is_started_again(shop: Database, run: Run) -> None:
    shop.run(
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN IF NEW.id = 5000 THEN RAISE EXCEPTION 'not this row'; END IF; RETURN NEW; END $$;
           CREATE TRIGGER refuse BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION refuse()"""
    )
    stopped = run("latest", DIRECT)
    assert stopped.error is not None
    assert "not this row" in stopped.error
    assert 1000 < shop.value("SELECT count(tenant_id) FROM items") < 5000
    assert shop.run("SELECT name FROM knex_migrations") == []
    shop.run("DROP TRIGGER refuse ON items")
    run("latest", DIRECT).expect_success()
    assert shop.value("SELECT count(*) FROM items WHERE tenant_id IS DISTINCT FROM expected_direct(items)") == 0


OWNED = """
CREATE ROLE owner LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO owner;
ALTER TABLE items OWNER TO owner; ALTER TABLE orders OWNER TO owner; ALTER TABLE venues OWNER TO owner;
ALTER TABLE items ENABLE ROW LEVEL SECURITY; ALTER TABLE items FORCE ROW LEVEL SECURITY;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY; ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY isolation ON orders USING (tenant_id = NULLIF(current_setting('app.t', true), '')::integer);
CREATE POLICY isolation ON items USING (EXISTS (SELECT FROM orders WHERE orders.id = order_id));
"""
FORCED = "SELECT relname FROM pg_class WHERE relforcerowsecurity ORDER BY 1"


def test_an_owner_that_force_binds_fills_every_row_and_force_is_back(shop: Database, run: Run) -> None:
    shop.run(OWNED)
    run("latest", DIRECT, forced=(ITEMS, ORDERS), user="owner").expect_success()
    assert shop.value("SELECT count(*) FROM items WHERE tenant_id IS DISTINCT FROM expected_direct(items)") == 0
    assert shop.run(FORCED) == [("items",), ("orders",)]
    run("rollback", DIRECT, forced=(ITEMS, ORDERS), user="owner").expect_success()
    assert shop.run(FORCED) == [("items",), ("orders",)]


def test_force_that_was_not_known_of_is_an_error_and_not_a_silent_nothing(shop: Database, run: Run) -> None:
    shop.run(OWNED)
    assert run("latest", DIRECT, user="owner").code == "42501"
    assert shop.run(FORCED) == [("items",), ("orders",)]


def test_force_is_back_after_an_error(shop: Database, run: Run) -> None:
    shop.run(OWNED)
    shop.run("ALTER TABLE orders OWNER TO CURRENT_USER; GRANT ALL ON orders TO owner")
    assert run("latest", DIRECT, forced=(ITEMS, ORDERS), user="owner").error is not None
    assert shop.run(FORCED) == [("items",), ("orders",)]


def test_triggers_that_wait_for_the_end_of_the_transaction_do_not_keep_force_off(shop: Database, run: Run) -> None:
    """ALTER TABLE refuses a table with pending trigger events (55006)."""
    shop.run(
        OWNED
        + """CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON items DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION later()"""
    )
    run("latest", DIRECT, forced=(ITEMS, ORDERS), user="owner").expect_success()
    assert shop.run(FORCED) == [("items",), ("orders",)]
    assert shop.value("SELECT count(*) FROM items WHERE tenant_id IS DISTINCT FROM expected_direct(items)") == 0


def test_triggers_of_the_table_do_not_run_and_are_there_afterwards(shop: Database, run: Run) -> None:
    shop.run(
        """CREATE TABLE trail (item integer);
        CREATE FUNCTION trace() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO trail VALUES (NEW.id); RETURN NULL; END';
        CREATE TRIGGER "Trace it" AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION trace()"""
    )
    run("latest", DIRECT, triggers=("Trace it",)).expect_success()
    assert shop.value("SELECT count(*) FROM items WHERE tenant_id IS DISTINCT FROM expected_direct(items)") == 0
    assert shop.value("SELECT count(*) FROM trail") == 0
    shop.run("UPDATE items SET note = 'changed' WHERE id = 4")
    assert shop.run("SELECT item FROM trail") == [(4,)]


def test_an_empty_table_takes_no_batch(shop: Database, run: Run) -> None:
    shop.run("TRUNCATE items")
    done = run("latest", DIRECT).expect_success()
    assert not any("UPDATE public.items" in sql for sql, _ in done.queries)


def test_a_column_that_somebody_else_added_meanwhile_stops_it(shop: Database, run: Run) -> None:
    shop.run("ALTER TABLE items ADD COLUMN tenant_id integer")
    stopped = run("latest", DIRECT)
    assert stopped.error is not None
    assert "public.items.tenant_id is there already, and this migration did not add it" in stopped.error


@pytest.mark.parametrize(("scans_ranges", "scan"), [(True, "Tid Range Scan"), (False, "Tid Scan")])
def test_a_batch_reads_its_own_pages_only(shop: Database, scans_ranges: bool, scan: str) -> None:
    """Also on servers before PostgreSQL 14, which know no scan of a range."""
    shop.run("ALTER TABLE items ADD COLUMN tenant_id integer")
    operation = BackfillColumn(ITEMS, "tenant_id", DIRECT, "tenant_id", scans_ranges=scans_ranges)
    update = next(sql for sql in operation.batch() if sql.startswith("UPDATE"))
    plan = shop.run("EXPLAIN " + update.replace(BINDING, "2", 1).replace(BINDING, "3", 1))
    assert any(f"{scan} on items" in line for (line,) in plan)
