"""What PostgreSQL really does, where that decides whether an emitted migration is right.

Each test is one fact that the planners and detectors build on. If one of them fails on a new version, whatever relies
on it has to be thought over; the test must not simply be adapted.
"""

from __future__ import annotations

import threading

import psycopg
import pytest

from remediate.postgres.workroom import wait_until
from support.database import Database

TENANT = "NULLIF(current_setting('app.tenant', true), '')::uuid"
A, B = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"


@pytest.fixture
def shop(database: Database) -> Database:
    """An owner who is no superuser, an application role, and two tables: venues, and events that belong to them."""
    database.run(
        f"""
        CREATE ROLE owner LOGIN;
        CREATE ROLE app LOGIN;
        GRANT ALL ON SCHEMA public TO owner;
        ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT ALL ON TABLES TO app;
        SET ROLE owner;
        CREATE TABLE venues (id int PRIMARY KEY, tenant_id uuid, name text);
        CREATE TABLE events (id int PRIMARY KEY, venue_id int, tenant_id uuid, code varchar(4));
        INSERT INTO venues VALUES (1, '{A}', 'one'), (2, '{B}', 'two');
        INSERT INTO events VALUES (1, 1, '{A}', 'a'), (2, 2, '{B}', 'b');
        """
    )
    return database


def major_of(database: Database) -> int:
    return int(database.value("SHOW server_version_num")) // 10_000


def protect(database: Database, table: str, using: str = f"tenant_id = {TENANT}", *, force: bool = True) -> None:
    database.run(
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY tenant ON {table} USING ({using});"
        + (f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" if force else "")
    )


def acting(tenant: str) -> str:
    return f"SET app.tenant = '{tenant}'; "


class TestForce:
    def test_binds_the_owner_whom_enable_alone_does_not(self, shop: Database) -> None:
        protect(shop, "venues", force=False)
        assert shop.value("SELECT count(*) FROM venues", user="owner") == 2
        assert shop.value("SELECT count(*) FROM venues", user="app") == 0
        shop.run("ALTER TABLE venues FORCE ROW LEVEL SECURITY")
        assert shop.value("SELECT count(*) FROM venues", user="owner") == 0

    def test_does_not_bind_superusers_and_bypassrls(self, shop: Database) -> None:
        protect(shop, "venues")
        shop.run("ALTER ROLE app BYPASSRLS")
        assert shop.value("SELECT count(*) FROM venues", user="app") == 2
        assert shop.value("SELECT count(*) FROM venues") == 2

    def test_makes_a_backfill_update_no_row_without_an_error(self, shop: Database) -> None:
        protect(shop, "venues")
        with shop.connect("owner") as connection:
            assert connection.execute("UPDATE venues SET name = 'x'").rowcount == 0
            assert connection.execute("SELECT count(*) FROM venues WHERE name <> 'x'").fetchone() == (0,)
        assert shop.value("SELECT count(*) FROM venues WHERE name = 'x'") == 0

    def test_with_row_security_off_the_backfill_fails_loudly(self, shop: Database) -> None:
        protect(shop, "venues")
        update = "SET row_security = off; UPDATE venues SET name = 'x'"
        assert shop.refusal(update, user="owner") == "42501"
        assert shop.refusal(update) is None, "who bypasses the policies anyhow is not stopped"

    def test_lifted_in_the_transaction_lets_the_backfill_see_all(self, shop: Database) -> None:
        protect(shop, "venues")
        shop.run(
            "BEGIN; ALTER TABLE venues NO FORCE ROW LEVEL SECURITY; UPDATE venues SET name = 'x';"
            "ALTER TABLE venues FORCE ROW LEVEL SECURITY; COMMIT",
            user="owner",
        )
        assert shop.value("SELECT count(*) FROM venues WHERE name = 'x'") == 2

    def test_on_the_child_a_foreign_key_is_validated_over_no_rows(self, shop: Database) -> None:
        shop.run("INSERT INTO events VALUES (3, 99)")
        protect(shop, "events")
        shop.run("ALTER TABLE events ADD CONSTRAINT fk FOREIGN KEY (venue_id) REFERENCES venues", user="owner")
        assert shop.value("SELECT convalidated FROM pg_constraint WHERE conname = 'fk'") is True
        assert shop.value("SELECT count(*) FROM events WHERE venue_id = 99") == 1

    def test_on_the_parent_a_validation_fails_falsely(self, shop: Database) -> None:
        protect(shop, "venues")
        add = "ALTER TABLE events ADD CONSTRAINT fk FOREIGN KEY (venue_id) REFERENCES venues"
        assert shop.refusal(f"{add} NOT VALID", user="owner") is None
        assert shop.refusal("ALTER TABLE events VALIDATE CONSTRAINT fk", user="owner") == "23503"
        assert shop.refusal("ALTER TABLE events VALIDATE CONSTRAINT fk") is None, "every event has its venue"

    def test_lifted_in_the_transaction_lets_the_validation_be_right(self, shop: Database) -> None:
        protect(shop, "venues")
        protect(shop, "events")
        shop.run("ALTER TABLE events ADD CONSTRAINT fk FOREIGN KEY (venue_id) REFERENCES venues NOT VALID")
        validate = (
            "BEGIN; ALTER TABLE venues NO FORCE ROW LEVEL SECURITY; ALTER TABLE events NO FORCE ROW LEVEL SECURITY;"
            "ALTER TABLE events VALIDATE CONSTRAINT fk;"
            "ALTER TABLE venues FORCE ROW LEVEL SECURITY; ALTER TABLE events FORCE ROW LEVEL SECURITY; COMMIT"
        )
        assert shop.refusal(validate, user="owner") is None
        shop.run("ALTER TABLE events DROP CONSTRAINT fk; INSERT INTO events VALUES (3, 99)")
        shop.run("ALTER TABLE events ADD CONSTRAINT fk FOREIGN KEY (venue_id) REFERENCES venues NOT VALID")
        assert shop.refusal(validate, user="owner") == "23503"

    def test_stops_a_trigger_that_updates_the_table_without_an_error(self, shop: Database) -> None:
        shop.run(
            "CREATE FUNCTION count_up() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN UPDATE venues SET name = 'seen' WHERE id = NEW.venue_id; RETURN NEW; END$$;"
            "CREATE TRIGGER count_up AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION count_up()",
            user="owner",
        )
        protect(shop, "venues")
        assert shop.refusal("INSERT INTO events VALUES (3, 1)", user="owner") is None
        assert shop.value("SELECT count(*) FROM venues WHERE name = 'seen'") == 0

    def test_does_not_change_how_a_check_is_validated(self, shop: Database) -> None:
        protect(shop, "events")
        assert shop.refusal("ALTER TABLE events ADD CHECK (id > 1)", user="owner") == "23514"

    def test_empties_the_owners_views_and_materialized_views(self, shop: Database) -> None:
        shop.run(
            "CREATE VIEW names AS SELECT name FROM venues;"
            "CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM venues",
            user="owner",
        )
        protect(shop, "venues")
        shop.run("REFRESH MATERIALIZED VIEW counted", user="owner")
        assert shop.value("SELECT n FROM counted") == 0
        assert shop.run("SELECT * FROM names") == [], "a superuser, but the view looks as its owner"


class TestPolicies:
    def test_without_any_nothing_is_visible(self, shop: Database) -> None:
        shop.run("ALTER TABLE venues ENABLE ROW LEVEL SECURITY")
        assert shop.value("SELECT count(*) FROM venues", user="app") == 0
        assert shop.refusal("INSERT INTO venues VALUES (3)", user="app") == "42501"

    @pytest.mark.parametrize("command", ["ALL", "UPDATE"])
    def test_without_check_use_using_for_new_rows(self, shop: Database, command: str) -> None:
        protect(shop, "venues")
        shop.run(
            f"DROP POLICY tenant ON venues; CREATE POLICY seen ON venues FOR SELECT USING (true);"
            f"CREATE POLICY tenant ON venues FOR {command} USING (tenant_id = {TENANT})"
        )
        assert shop.refusal(acting(A) + f"UPDATE venues SET tenant_id = '{B}' WHERE id = 1", user="app") == "42501"
        assert shop.refusal(acting(A) + "UPDATE venues SET name = 'x' WHERE id = 1", user="app") is None

    def test_for_insert_without_check_denies_every_insert(self, shop: Database) -> None:
        shop.run("ALTER TABLE venues ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON venues FOR INSERT")
        assert shop.refusal("INSERT INTO venues VALUES (3)", user="app") == "42501"
        shop.run("ALTER POLICY p ON venues WITH CHECK (true)")
        assert shop.refusal("INSERT INTO venues VALUES (3)", user="app") is None, "adding the check widened access"

    def test_cannot_change_command_or_kind_by_alter(self, shop: Database) -> None:
        protect(shop, "venues")
        assert shop.refusal("ALTER POLICY tenant ON venues FOR SELECT") == "42601"
        assert shop.refusal("ALTER POLICY tenant ON venues AS RESTRICTIVE") == "42601"
        assert shop.refusal("ALTER POLICY tenant ON venues TO app USING (false) WITH CHECK (true)") is None

    def test_have_no_if_not_exists(self, shop: Database) -> None:
        assert shop.refusal("CREATE POLICY IF NOT EXISTS p ON venues USING (true)") == "42601"
        protect(shop, "venues")
        assert shop.refusal("CREATE POLICY tenant ON venues USING (true)") == "42710"

    def test_that_are_permissive_are_ored_so_a_second_one_opens(self, shop: Database) -> None:
        protect(shop, "venues")
        shop.run("CREATE POLICY open ON venues USING (true)")
        assert shop.value(acting(A) + "SELECT count(*) FROM venues", user="app") == 2
        shop.run(f"CREATE POLICY floor ON venues AS RESTRICTIVE USING (tenant_id = {TENANT})")
        assert shop.value(acting(A) + "SELECT count(*) FROM venues", user="app") == 1

    def test_that_are_only_restrictive_deny_everything(self, shop: Database) -> None:
        shop.run("ALTER TABLE venues ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON venues AS RESTRICTIVE USING (true)")
        assert shop.value("SELECT count(*) FROM venues", user="app") == 0

    def test_keep_the_columns_that_they_use(self, shop: Database) -> None:
        protect(shop, "venues")
        assert shop.refusal("ALTER TABLE venues DROP COLUMN tenant_id") == "2BP01"
        assert shop.refusal("ALTER TABLE venues ALTER COLUMN tenant_id TYPE text") == "0A000"

    def test_are_not_copied_to_partitions_likes_and_children(self, shop: Database) -> None:
        protect(shop, "venues")
        shop.run("CREATE TABLE alike (LIKE venues INCLUDING ALL); CREATE TABLE child () INHERITS (venues)")
        assert shop.value("SELECT count(*) FROM pg_class WHERE relname IN ('alike', 'child') AND relrowsecurity") == 0
        shop.run(
            "CREATE TABLE logs (at date) PARTITION BY RANGE (at); ALTER TABLE logs ENABLE ROW LEVEL SECURITY;"
            "CREATE TABLE logs_26 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
        )
        assert shop.value("SELECT relrowsecurity FROM pg_class WHERE relname = 'logs_26'") is False

    def test_do_not_stop_truncate(self, shop: Database) -> None:
        protect(shop, "venues")
        assert shop.refusal("TRUNCATE venues", user="app") is None
        assert shop.value("SELECT count(*) FROM venues") == 0

    def test_for_select_are_needed_by_returning(self, shop: Database) -> None:
        shop.run("ALTER TABLE venues ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON venues FOR INSERT WITH CHECK (true)")
        assert shop.refusal("INSERT INTO venues VALUES (3)", user="app") is None
        assert shop.refusal("INSERT INTO venues VALUES (4) RETURNING id", user="app") == "42501"

    def test_do_not_hide_that_a_key_is_taken(self, shop: Database) -> None:
        protect(shop, "venues")
        insert = f"INSERT INTO venues VALUES (2, '{A}')"
        assert shop.refusal(acting(A) + insert, user="app") == "23505"
        upsert = f"{insert} ON CONFLICT (id) DO UPDATE SET name = 'mine'"
        assert shop.refusal(acting(A) + upsert, user="app") == "42501"

    @pytest.mark.parametrize(
        "change",
        [
            "CREATE POLICY p ON venues USING (true)",
            "ALTER POLICY tenant ON venues USING (true)",
            "DROP POLICY tenant ON venues",
            "ALTER TABLE venues ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE venues FORCE ROW LEVEL SECURITY",
        ],
    )
    def test_take_access_exclusive_to_change(self, shop: Database, change: str) -> None:
        protect(shop, "venues", force=False)
        assert _lock_of(shop, change, "venues") == "AccessExclusiveLock"


class TestSettings:
    def test_that_are_unset_raise_unless_told_not_to(self, database: Database) -> None:
        assert database.refusal("SELECT current_setting('app.never')") == "42704"
        assert database.value("SELECT current_setting('app.never', true)") is None

    def test_that_were_local_are_empty_afterwards_not_null(self, database: Database) -> None:
        with database.connect() as connection:
            with connection.transaction():
                connection.execute("SELECT set_config('app.t', 'x', true)")
            assert connection.execute("SELECT current_setting('app.t', true)").fetchone() == ("",)
            with pytest.raises(psycopg.errors.InvalidTextRepresentation):
                connection.execute("SELECT current_setting('app.t', true)::uuid")
            robust = "SELECT NULLIF(current_setting('app.t', true), '')::uuid"
            assert connection.execute(robust).fetchone() == (None,)

    def test_take_no_bind_parameters_but_set_config_does(self, database: Database) -> None:
        with database.connect() as connection, connection.transaction():
            with pytest.raises(psycopg.errors.SyntaxError), connection.transaction():
                connection.execute("SET LOCAL app.t = %s", ["x"])
            assert connection.execute("SELECT set_config('app.t', %s, true)", ["x"]).fetchone() == ("x",)

    def test_that_are_local_do_nothing_outside_of_a_transaction(self, database: Database) -> None:
        with database.connect() as connection:
            connection.execute("SET LOCAL app.t = 'x'")
            assert connection.execute("SELECT current_setting('app.t', true)").fetchone() in [(None,), ("",)]

    def test_that_are_not_local_stay_for_the_next_user_of_the_connection(self, database: Database) -> None:
        with database.connect() as connection:
            with connection.transaction():
                connection.execute("SELECT set_config('app.t', 'x', false)")
            assert connection.execute("SELECT current_setting('app.t', true)").fetchone() == ("x",)

    def test_cast_to_a_short_varchar_match_another_tenant(self, shop: Database) -> None:
        protect(shop, "events", "code = current_setting('app.tenant', true)::varchar(1)")
        assert shop.run(acting("another") + "SELECT id FROM events", user="app") == [(1,)]
        shop.run("ALTER POLICY tenant ON events USING (code = current_setting('app.tenant', true)::text)")
        assert shop.run(acting("another") + "SELECT id FROM events", user="app") == []

    def test_read_robustly_in_a_function_can_widen(self, database: Database) -> None:
        guard = "DO $$ BEGIN IF 'x' <> current_setting('app.never'{}) THEN RAISE EXCEPTION 'no'; END IF; END $$"
        assert database.refusal(guard.format("")) == "42704"
        assert database.refusal(guard.format(", true")) is None

    def test_in_a_subquery_are_read_once(self, shop: Database) -> None:
        shop.run(f"INSERT INTO venues SELECT n, '{A}', 'v' FROM generate_series(10, 2000) AS n; ANALYZE venues")
        explain = "EXPLAIN (COSTS off) SELECT * FROM venues WHERE tenant_id = "
        per_row = "\n".join(line for (line,) in shop.run(explain + TENANT))
        once = "\n".join(line for (line,) in shop.run(explain + f"(SELECT {TENANT})"))
        assert "InitPlan" not in per_row
        assert "InitPlan" in once

    def test_a_cast_on_the_column_defeats_its_index(self, shop: Database) -> None:
        shop.run(
            "INSERT INTO venues SELECT n, gen_random_uuid() FROM generate_series(10, 5000) AS n;"
            "CREATE INDEX ON venues (tenant_id); ANALYZE venues"
        )
        plan = "EXPLAIN (COSTS off) SELECT * FROM venues WHERE "
        assert "Seq Scan" in shop.run(f"{plan} tenant_id::text = '{A}'")[0][0]
        assert "Seq Scan" not in shop.run(f"{plan} tenant_id = '{A}'::uuid")[0][0]


class TestViews:
    @pytest.fixture(autouse=True)
    def _since_15(self, shop: Database) -> None:
        if major_of(shop) < 15:
            pytest.skip("views have security_invoker since PostgreSQL 15")

    def test_show_what_their_owner_sees_unless_security_invoker(self, shop: Database) -> None:
        protect(shop, "venues")
        shop.run("CREATE VIEW names AS SELECT name FROM venues; GRANT SELECT ON names TO app")
        assert len(shop.run(acting(A) + "SELECT * FROM names", user="app")) == 2
        shop.run("ALTER VIEW names SET (security_invoker = true)")
        assert shop.run(acting(A) + "SELECT * FROM names", user="app") == [("one",)]

    def test_lose_security_invoker_when_replaced_without_it(self, shop: Database) -> None:
        shop.run("CREATE VIEW names WITH (security_invoker = true) AS SELECT name FROM venues")
        shop.run("CREATE OR REPLACE VIEW names AS SELECT name FROM venues")
        assert shop.value("SELECT reloptions FROM pg_class WHERE relname = 'names'") is None

    def test_that_invoke_need_the_grants_of_the_caller(self, shop: Database) -> None:
        shop.run(
            "REVOKE ALL ON venues FROM app; CREATE VIEW names AS SELECT name FROM venues; GRANT SELECT ON names TO app"
        )
        assert shop.refusal("SELECT * FROM names", user="app") is None
        shop.run("ALTER VIEW names SET (security_invoker = true)")
        assert shop.refusal("SELECT * FROM names", user="app") == "42501"

    def test_that_are_materialized_cannot_have_row_level_security(self, shop: Database) -> None:
        shop.run("CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM venues")
        assert shop.refusal("ALTER TABLE counted ENABLE ROW LEVEL SECURITY") == "42809"


class TestNamesAndFunctions:
    def test_longer_than_63_bytes_are_cut(self, database: Database) -> None:
        database.run(f"CREATE TABLE {'a' * 70} (id int)")
        assert database.value("SELECT relname FROM pg_class WHERE relname ~ '^aaa'") == "a" * 63
        database.run(f'CREATE TABLE "{"ä" * 40}" (id int)')
        assert database.value("SELECT relname FROM pg_class WHERE relname ~ '^ä'") == "ä" * 31, "bytes, not characters"

    def test_replacing_fails_when_an_argument_is_renamed_or_the_result_changes(self, database: Database) -> None:
        database.run("CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql RETURN a")
        assert database.refusal("CREATE OR REPLACE FUNCTION f(b int) RETURNS int LANGUAGE sql RETURN b") == "42P13"
        assert database.refusal("CREATE OR REPLACE FUNCTION f(a int) RETURNS text LANGUAGE sql RETURN 'x'") == "42P13"
        assert database.refusal("CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql RETURN 7") is None
        assert database.value("SELECT f(1)") == 7, "otherwise the last writer wins"

    def test_a_set_clause_makes_commit_in_a_procedure_fail(self, database: Database) -> None:
        database.run("CREATE PROCEDURE p() LANGUAGE plpgsql SET search_path = '' AS 'BEGIN COMMIT; END'")
        assert database.refusal("CALL p()") == "2D000"
        database.run("ALTER PROCEDURE p() RESET search_path")
        assert database.refusal("CALL p()") is None

    def test_an_ordinary_owner_cannot_create_an_extension(self, shop: Database) -> None:
        assert shop.refusal("CREATE EXTENSION hstore", user="owner") == "42501"


class TestLargeTables:
    @pytest.mark.parametrize(
        ("change", "lock"),
        [
            ("ALTER TABLE events ADD FOREIGN KEY (venue_id) REFERENCES venues NOT VALID", "ShareRowExclusiveLock"),
            ("ALTER TABLE events VALIDATE CONSTRAINT present", "ShareUpdateExclusiveLock"),
            ("CREATE INDEX ON events (venue_id)", "ShareLock"),
            ("ALTER TABLE events ADD COLUMN note text", "AccessExclusiveLock"),
        ],
    )
    def test_the_locks_of_changes(self, shop: Database, change: str, lock: str) -> None:
        shop.run("ALTER TABLE events ADD CONSTRAINT present CHECK (venue_id IS NOT NULL) NOT VALID")
        assert _lock_of(shop, change, "events") == lock

    def test_a_foreign_key_locks_the_parent_too(self, shop: Database) -> None:
        change = "ALTER TABLE events ADD FOREIGN KEY (venue_id) REFERENCES venues NOT VALID"
        assert _lock_of(shop, change, "venues") == "ShareRowExclusiveLock"

    def test_concurrently_cannot_run_in_a_transaction(self, shop: Database) -> None:
        assert shop.refusal("BEGIN; CREATE INDEX CONCURRENTLY ON events (venue_id)") == "25001"
        together = "SET lock_timeout = '5s'; CREATE INDEX CONCURRENTLY ON events (venue_id)"
        assert shop.refusal(together) == "25001", "several statements in one string are a transaction"

    def test_if_not_exists_keeps_an_invalid_leftover(self, shop: Database) -> None:
        shop.run("INSERT INTO events VALUES (3, 1), (4, 1)")
        create = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS once ON events (venue_id)"
        assert shop.refusal(create) == "23505"
        assert shop.refusal(create) is None
        assert shop.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'once'::regclass") is False

    def test_concurrently_fails_on_a_partitioned_parent(self, database: Database) -> None:
        database.run("CREATE TABLE logs (id int) PARTITION BY RANGE (id)")
        assert database.refusal("CREATE INDEX CONCURRENTLY ON logs (id)") == "0A000"

    def test_not_valid_on_a_partitioned_table_is_allowed_since_18(self, database: Database) -> None:
        database.run("CREATE TABLE parents (id int PRIMARY KEY); CREATE TABLE logs (id int) PARTITION BY RANGE (id)")
        expected = None if database.value("SHOW server_version_num") >= "180000" else "42809"
        assert database.refusal("ALTER TABLE logs ADD FOREIGN KEY (id) REFERENCES parents NOT VALID") == expected

    def test_not_null_is_a_constraint_since_18(self, shop: Database) -> None:
        shop.run("ALTER TABLE events ALTER COLUMN venue_id SET NOT NULL")
        found = shop.run("SELECT conname FROM pg_constraint WHERE conrelid = 'events'::regclass AND contype = 'n'")
        assert (("events_venue_id_not_null",) in found) == (major_of(shop) >= 18)

    def test_set_not_null_uses_a_validated_check_instead_of_a_scan(self, shop: Database) -> None:
        with shop.connect() as connection:
            notices: list[str] = []
            connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
            connection.execute("ALTER TABLE events ADD CONSTRAINT c CHECK (venue_id IS NOT NULL) NOT VALID")
            connection.execute("ALTER TABLE events VALIDATE CONSTRAINT c")
            connection.execute("SET client_min_messages = debug1")
            connection.execute("ALTER TABLE events ALTER COLUMN venue_id SET NOT NULL")
        assert any("existing constraints" in notice and "sufficient to prove" in notice for notice in notices), notices

    def test_a_lock_timeout_ends_the_wait(self, shop: Database) -> None:
        with shop.connect() as holder, holder.transaction():
            holder.execute("LOCK TABLE events IN ACCESS SHARE MODE")
            assert shop.refusal("SET lock_timeout = '20ms'; ALTER TABLE events ENABLE ROW LEVEL SECURITY") == "55P03"

    def test_a_waiting_access_exclusive_stops_the_readers_behind_it(self, shop: Database) -> None:
        with shop.connect() as holder, shop.connect() as waiter:
            holder.autocommit = False
            holder.execute("SELECT * FROM events")
            change = threading.Thread(target=waiter.execute, args=["ALTER TABLE events ENABLE ROW LEVEL SECURITY"])
            change.start()
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            assert wait_until(lambda: shop.value(waiting) == 1, 5)
            assert shop.refusal("SET lock_timeout = '20ms'; SELECT * FROM events") == "55P03"
            holder.rollback()
            change.join()


class TestLookingAtALiveDatabase:
    """What a look that must not change anything stands on (postgres/live.py)."""

    def test_a_read_only_transaction_cannot_be_made_another_once_it_has_read(self, database: Database) -> None:
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1; "
        for attempt in ("SET TRANSACTION READ WRITE", "SET transaction_read_only = off"):
            assert database.refusal(begin + attempt) == "25001"
        assert database.refusal(begin + "CREATE TABLE t ()") == "25006"

    def test_a_function_of_the_user_may_still_do_what_is_no_write(self, database: Database) -> None:
        """So none is called: advisory locks and settings outlive a read-only transaction."""
        with database.connect() as connection:
            connection.execute("BEGIN READ ONLY")
            connection.execute("SELECT pg_advisory_lock(1), set_config('app.a', 'b', false)")
            connection.execute("COMMIT")
            held = connection.execute(
                "SELECT count(*), current_setting('app.a') FROM pg_locks WHERE locktype = 'advisory'"
            )
            assert held.fetchone() == (1, "b")

    def test_rolling_back_undoes_settings_of_the_session_too(self, database: Database) -> None:
        with database.connect() as connection:
            connection.execute("BEGIN")
            connection.execute("SET search_path = pg_catalog; SET LOCAL lock_timeout = '1s'")
            connection.execute("ROLLBACK")
            settings = "SELECT current_setting('search_path'), current_setting('lock_timeout')"
            assert connection.execute(settings).fetchone() == ('"$user", public', "0")

    def test_planning_runs_immutable_functions_of_indexes_statistics_and_checks(self, database: Database) -> None:
        """With the rights of whoever plans; what an index, statistics or a check makes of constants is worked out."""
        database.run(
            "CREATE FUNCTION f(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN true; END $$;"
            "CREATE TABLE a (n int); CREATE INDEX ON a (n) WHERE f('index');"
            "CREATE TABLE b (n int, m int); CREATE STATISTICS s ON (n = 1 AND f('statistics')), m FROM b;"
            "CREATE TABLE c (n int CHECK (n > 0 OR f('check')));"
            "CREATE OR REPLACE FUNCTION f(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS"
            " $$ BEGIN RAISE EXCEPTION 'called'; END $$"
        )
        for table in ("a", "b"):
            assert database.refusal(f"EXPLAIN SELECT n FROM {table} WHERE n = 1") == "P0001"
        look = "EXPLAIN SELECT n FROM c WHERE n = -1"
        assert database.refusal(f"SET constraint_exclusion = on; {look}") == "P0001"
        assert database.refusal(f"SET constraint_exclusion = off; {look}") is None

    def test_spelling_a_check_waits_for_a_lock_on_its_table(self, database: Database) -> None:
        """So a look in the middle of a migration has to give up in time."""
        database.run("CREATE TABLE t (n int CHECK (n > 0))")
        with database.connect() as other, other.transaction():
            other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
            look = "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conrelid = 't'::regclass"
            assert database.refusal(f"SET lock_timeout = '20ms'; {look}") == "55P03"

    def test_equality_is_that_of_the_user_unless_the_path_is_pg_catalog(self, database: Database) -> None:
        database.run(
            "CREATE FUNCTION trap(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'x'; END $$;"
            "CREATE OPERATOR = (LEFTARG = int, RIGHTARG = int, FUNCTION = trap); CREATE TABLE t (n int);"
            "INSERT INTO t VALUES (1)"
        )
        query = "SELECT * FROM public.t WHERE n = 1"
        assert database.refusal(f"SET search_path = public, pg_catalog; {query}") == "P0001"
        assert database.refusal(f"SET search_path = pg_catalog; {query}") is None


def _lock_of(database: Database, change: str, table: str) -> str:
    """The strongest lock that the connection holds on `table` after `change`, in its transaction."""
    order = [
        "AccessShareLock",
        "RowShareLock",
        "RowExclusiveLock",
        "ShareUpdateExclusiveLock",
        "ShareLock",
        "ShareRowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    ]
    with database.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(change.encode())
        held = connection.execute(
            "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = %s::regclass", [table]
        ).fetchall()
    return max((mode for (mode,) in held), key=order.index)
