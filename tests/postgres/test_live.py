"""The read-only look at a database of the user: what it refuses, what it says, what it never says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cli.running import command
from remediate.errors import RemediateError, without_concealed
from remediate.postgres.address import read_address
from remediate.postgres.live import Live, NotReadError
from remediate.postgres.server import Server
from remediate.postgres.workroom import memory_folder
from support.database import Database
from support.live import address
from support.pooler import Pooler

SECRET = "p@ss word/1'"


def failure(text: str, **options: float) -> str:
    """The line that a look ends with."""
    with pytest.raises(RemediateError) as caught, Live(read_address(text), timeout=options.get("timeout", 5)):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ------------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("postgresql://me:s3cret@db.example.com:5433/shop?sslmode=require", "database shop at db.example.com:5433"),
        ("postgres://db.example.com/shop", "database shop at db.example.com:5432"),
        ("host=/run/postgresql dbname=shop password='s3cret'", "database shop at /run/postgresql"),
        ("service=production", "service production"),
        ("postgresql://", "the default database"),
    ],
)
def test_an_address_is_told_without_user_and_password(text: str, label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGDATABASE", "PGHOST", "PGSERVICE", "PGPORT", "PGUSER"):
        monkeypatch.delenv(name, raising=False)
    found = read_address(text)
    assert found.label == label.replace(":5432", "") or found.label == label
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize("reference", ["env:SHOP_DB", "$SHOP_DB", "${SHOP_DB}"])
def test_an_address_may_stand_in_a_variable(reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DB", "postgresql://me@db.example.com/shop")
    assert read_address(reference).parameters["user"] == "me"
    monkeypatch.delenv("SHOP_DB")
    with pytest.raises(RemediateError, match="the variable SHOP_DB is not set"):
        read_address(reference)


@pytest.mark.parametrize(
    "wrong",
    [
        "postgres//me:s3cret@db/shop",
        "postgresql://me:s3 cret@db/shop",
        "postgresql://me:s3%zzcret@db/shop",
        "postgresql://me:pass@db/shop?bogus=s3cret",
        "s3cret",
        "host=db s3cret=1",
        "",
    ],
)
def test_what_is_no_address_is_not_quoted(wrong: str) -> None:
    """libpq's own complaints quote what they could not read."""
    if not wrong:
        return  # the empty address is one: everything is taken from the environment
    with pytest.raises(RemediateError) as caught:
        read_address(wrong)
    assert "cret" not in str(caught.value)
    assert "is no address of a database" in str(caught.value)
    assert caught.value.__suppress_context__, "no traceback shows libpq's complaint either"


def test_a_password_is_taken_out_of_whatever_quotes_it() -> None:
    read_address("postgresql://me:corr%20ect@db/shop")
    assert (
        without_concealed("it says 'corr ect' and corr%20ect, no correctness")
        == "it says '***' and ***, no correctness"
    )


# ------------------------------------------------------------------------------------------------- failures


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server that asks everybody but its superuser for a password."""
    with Server(parent=memory_folder()) as server:
        database = Database(server.endpoint, "postgres")
        literal = "'" + SECRET.replace("'", "''") + "'"
        database.run(f"CREATE ROLE reader LOGIN PASSWORD {literal}")
        (server.folder / "data" / "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        database.run("SELECT pg_reload_conf()")
        yield server


def test_the_right_password_opens_and_the_wrong_one_is_not_told(guarded: Server, tmp_path: Path) -> None:
    """In a process of its own, as users have it: in one that has run thousands of tests, OpenSSL may fail."""
    at = f"host={guarded.endpoint.host} dbname=postgres user=reader"
    quoted = SECRET.replace("\\", "\\\\").replace("'", "\\'")
    right = command("audit", tmp_path, "--format", "json", "--database-url", f"{at} password='{quoted}'")
    assert right.code in (0, 1), right.err
    assert json.loads(right.out)["database"]["user"] == "reader"
    wrong = command("audit", tmp_path, "--database-url", f"{at} password='{quoted}2'")
    assert wrong.code == 2
    assert 'password authentication failed for user "reader"' in wrong.err
    assert "check the user and the password" in wrong.err
    assert SECRET not in right.out + right.err + wrong.out + wrong.err


def test_a_password_that_is_missing(guarded: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    assert "no password supplied" in failure(f"host={guarded.endpoint.host} dbname=postgres user=reader")


def test_a_server_that_is_down() -> None:
    told = failure("host=127.0.0.1 port=1 dbname=shop user=me password=s3cret")
    assert "Connection refused" in told
    assert "check host, port and network" in told
    assert told.startswith("database shop at 127.0.0.1:1: ")


def test_a_host_that_is_none() -> None:
    assert "check host, port and network" in failure("host=no.such.host.invalid dbname=shop user=me")


def test_a_database_and_a_role_that_are_not_there(postgres: Server) -> None:
    at = f"host={postgres.endpoint.host}"
    assert 'database "nowhere" does not exist; check the database\'s name' in failure(
        f"{at} dbname=nowhere user=postgres"
    )
    assert 'role "nobody" does not exist; check the user' in failure(f"{at} dbname=postgres user=nobody")


def test_a_server_without_ssl_and_one_that_wants_it(postgres: Server) -> None:
    with Pooler(postgres.endpoint) as pooler:
        at = f"host=127.0.0.1 port={pooler.port} dbname=postgres user=postgres"
        assert "use sslmode=prefer" in failure(f"{at} sslmode=require")
    refusal = ("28000", 'no pg_hba.conf entry for host "10.0.0.1", user "me", database "shop", no encryption')
    with Pooler(postgres.endpoint, refusal=refusal) as pooler:
        at = f"host=127.0.0.1 port={pooler.port} dbname=postgres user=postgres"
        assert "add sslmode=require" in failure(at)


def test_a_server_that_is_too_old(postgres: Server) -> None:
    with Pooler(postgres.endpoint, version="9.6.24") as pooler:
        told = failure(f"host=127.0.0.1 port={pooler.port} dbname=postgres user=postgres")
    assert told.endswith("the server is PostgreSQL 9.6.24, which is too old; PostgreSQL 14 to 18 can be looked at")


def test_a_pooler_that_does_not_pass_begin_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remediate.postgres.live._BEGIN", "BEGIN")
    assert "did not open a read-only transaction" in failure(address(database))


def test_the_session_is_ended_in_the_middle(database: Database) -> None:
    with (
        Live(read_address(address(database)), timeout=5) as live,
        live.transaction() as reading,
    ):
        ((pid,),) = reading.rows("SELECT pg_backend_pid()")
        database.run("SELECT pg_terminate_backend(%s)", [pid])
        with pytest.raises(RemediateError) as caught:
            reading.rows("SELECT 1")
    assert "the connection was cut: terminating connection due to administrator command" in str(caught.value)
    assert "nothing was written" in str(caught.value)


def test_the_network_is_cut_in_the_middle(database: Database) -> None:
    with Pooler(database.endpoint, cut_at="pg_is_in_recovery") as pooler:
        told = failure(f"host=127.0.0.1 port={pooler.port} dbname={database.name} user=postgres")
    assert "the connection was cut" in told


# ------------------------------------------------------------------------------------------------- transactions


def test_nothing_can_be_written(database: Database) -> None:
    database.run("CREATE TABLE t (a int); CREATE SEQUENCE s")
    attempts = (
        "INSERT INTO public.t VALUES (1)",
        "CREATE TABLE public.u (a int)",
        "SELECT nextval('public.s')",
        "SET TRANSACTION READ WRITE",
        "SELECT set_config('transaction_read_only', 'off', true)",
    )
    with Live(read_address(address(database)), timeout=5) as live, live.transaction() as reading:
        for attempt in attempts:
            with pytest.raises(NotReadError):
                reading.try_rows(attempt)
    assert database.run("SELECT * FROM t") == []
    assert database.value("SELECT is_called FROM s") is False


def test_limits_hold_in_the_transaction_and_are_gone_after_it(database: Database) -> None:
    names = ("statement_timeout", "lock_timeout", "row_security", "search_path", "default_transaction_read_only")
    query = "SELECT " + ", ".join(f"current_setting('{name}')" for name in names)
    before = database.run(query)[0]
    with Live(read_address(address(database)), timeout=0.25) as live:
        with live.transaction() as reading:
            assert reading.rows(query) == [("250ms", "1s", "off", "pg_catalog", "on")]
            with pytest.raises(NotReadError, match=r"longer than 0\.25 s"):
                reading.try_rows("SELECT pg_sleep(5)")
            assert reading.rows("SELECT 1") == [(1,)], "the transaction goes on"
        left = live._connection.execute(query.encode()).fetchone()
    assert left == before


def test_a_pooler_in_transaction_mode(database: Database) -> None:
    """PgBouncer refuses `options`, and gives each transaction another connection; no setting is left on one."""
    with Pooler(database.endpoint) as pooler:
        at = f"host=127.0.0.1 port={pooler.port} dbname={database.name} user=postgres"
        assert "leave `options` out of the address" in failure(f"{at} options='-c work_mem=1MB'")
        with Live(read_address(at), timeout=5) as live:
            for _ in range(3):
                with live.transaction() as reading:
                    assert reading.rows("SELECT current_setting('transaction_read_only')") == [("on",)]
            left = [
                live._connection.execute(
                    b"SELECT current_setting('row_security'), current_setting('search_path')"
                ).fetchone()
                for _ in range(2)
            ]
    assert left == [("on", '"$user", public')] * 2
    begun = [number for number, statement in pooler.sent if statement.startswith("BEGIN")]
    assert set(begun) == {0, 1}, "the transactions were on different connections"


def test_a_table_that_policies_hide_raises_and_evaluates_nothing(database: Database) -> None:
    database.run(
        "CREATE ROLE bound LOGIN; CREATE TABLE t (a int); INSERT INTO t VALUES (1);"
        "CREATE FUNCTION noisy() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evaluated'; END $$;"
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (noisy()); GRANT SELECT ON t TO bound"
    )
    with (
        Live(read_address(address(database, "bound")), timeout=5) as live,
        live.transaction() as reading,
        pytest.raises(NotReadError, match="row level security hides rows of it from this role"),
    ):
        reading.try_rows("SELECT count(*) FROM public.t")


def test_a_view_in_the_place_of_a_table_is_not_read(database: Database) -> None:
    """Servers before August 2024 do not know the setting; what is asked about is a table anyhow."""
    database.run("CREATE VIEW v AS SELECT 1 AS a")
    with (
        Live(read_address(address(database)), timeout=5) as live,
        live.transaction() as reading,
        pytest.raises(NotReadError, match="access to non-system view"),
    ):
        reading.try_rows("SELECT count(*) FROM public.v")


def test_it_does_not_wait_long_for_a_lock(database: Database) -> None:
    database.run("CREATE TABLE t (a int)")
    with database.connect() as other, Live(read_address(address(database)), timeout=5) as live:
        other.execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        with live.transaction() as reading, pytest.raises(NotReadError, match="holds a lock on it for more than 1s"):
            reading.try_rows("SELECT count(*) FROM public.t")


def test_a_migration_that_comes_while_rows_are_read_waits_for_one_statement_only(database: Database) -> None:
    """Counts are transactions of their own: between two of them an ACCESS EXCLUSIVE gets its turn."""
    database.run("CREATE TABLE t (a int)")
    done = threading.Event()

    def migrate() -> None:
        with psycopg.connect(address(database), autocommit=True) as connection:
            connection.execute("ALTER TABLE t ADD COLUMN b int")
        done.set()

    with Live(read_address(address(database)), timeout=5) as live:
        with live.transaction() as reading:
            reading.rows("SELECT count(*) FROM public.t")
            thread = threading.Thread(target=migrate, daemon=True)
            thread.start()
            time.sleep(0.2)
            assert not done.is_set()
        assert done.wait(5)
        thread.join()
