"""The command as a whole: where the address comes from, what is never printed, how it ends, what it leaves behind."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from audit.conftest import EXAMPLE
from cli.running import command, environment, one_line, run
from remediate.audit import catalog_checks
from remediate.postgres.address import read_address
from remediate.postgres.introspect import fetch
from remediate.postgres.live import Live
from remediate.postgres.observe import fetch_live, observe
from support.database import Database
from support.live import address, audit_text
from support.pooler import Pooler

PASSWORD = "cor rect/h@rse'"
IN_URL = "cor%20rect%2Fh%40rse%27"


def test_the_address_may_stand_in_the_environment(tmp_path: Path, database: Database) -> None:
    url = address(database)
    for options, variables in (
        ((), {"REMEDIATE_DATABASE_URL": url}),
        (("--database-url", "env:SHOP"), {"SHOP": url}),
        (
            ("--database-url", "postgresql://"),
            {"PGHOST": database.endpoint.host, "PGDATABASE": database.name, "PGUSER": "postgres"},
        ),
    ):
        result = command("audit", tmp_path, *options, env=environment(**variables))
        assert result.code == 0, result.err
        assert result.out.startswith(f"Database {database.name} at ")


def test_a_service_file_says_where_it_is(tmp_path: Path, database: Database) -> None:
    services = tmp_path / "services.conf"
    services.write_text(f"[shop]\nhost={database.endpoint.host}\ndbname={database.name}\nuser=postgres\n")
    env = environment(PGSERVICEFILE=str(services))
    assert command("audit", tmp_path, "--database-url", "service=shop", env=env).code == 0
    told = one_line(command("audit", tmp_path, "--database-url", "service=bar", env=env))
    assert told.startswith("service bar: cannot connect: ")
    assert 'definition of service "bar" not found; see PGSERVICEFILE' in told


def test_plan_takes_no_address_that_was_not_given(ticketing: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is there for audit must not turn every plan into one that looks at production."""
    monkeypatch.setenv("REMEDIATE_DATABASE_URL", "host=127.0.0.1 port=1 dbname=shop")
    assert run("plan", EXAMPLE, "--rule", "missing-rls").code == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "which database is to be looked at is not said; give its address with --database-url"),
        (("--database-url", ""), "which database is to be looked at is not said"),
        (("--database-url", "env:NOT_THERE"), "the variable NOT_THERE is not set"),
        (("--database-url", "nonsense"), "is no address of a database"),
        (
            ("--database-url", "host=x", "--rule", "missing-rsl"),
            "there is no rule or check missing-rsl; did you mean missing-rls?",
        ),
        (("--database-url", "host=x", "--rule", "orphan-rows"), "did you mean orphaned-rows?"),
        (("--database-url", "host=x", "--statement-timeout", "0"), "0 is no time limit"),
        (("--database-url", "host=x", "--statement-timeout", "nan"), "nan is no time limit"),
        (("--database-url", "host=x", "--statement-timeout", "99999"), "give seconds between 0.001 and 3600"),
    ],
)
def test_wrong_input_is_one_line(
    arguments: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REMEDIATE_DATABASE_URL", raising=False)
    assert told in one_line(run("audit", tmp_path, *arguments))


@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", ".", "--database-url", f"postgresql://me:{IN_URL}@127.0.0.1:1/shop"),
        ("audit", ".", f"--database-url=postgresql://me:{IN_URL}@127.0.0.1:1/shop"),
        ("plan", "{example}", "--database-url", f"postgresql://me:{IN_URL}@127.0.0.1:1/shop"),
        ("audit", ".", "--database-url", f"postgresql://me:{PASSWORD}@127.0.0.1:1/shop"),
        ("audit", ".", "--database-url", f"postgresql//me:{IN_URL}@127.0.0.1:1/shop"),
        ("audit", f"postgresql://me:{IN_URL}@127.0.0.1:1/shop"),
        ("audit", ".", f"postgresql://me:{IN_URL}@127.0.0.1:1/shop"),
        ("plan", f"postgresql://me:{IN_URL}@127.0.0.1:1/shop"),
    ],
)
def test_a_password_is_in_no_complaint(arguments: tuple[str, ...], tmp_path: Path) -> None:
    told = one_line(run(*(one.format(example=EXAMPLE) for one in arguments), cwd=tmp_path))
    for secret in (PASSWORD, IN_URL, "rect", "h@rse"):
        assert secret not in told.replace("correct", "").replace("direct", ""), told


def test_a_password_is_in_no_report_of_a_fault_of_ours(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    url = f"postgresql://postgres:{IN_URL}@/{database.name}?host={database.endpoint.host}"

    def fail(*_: object, **__: object) -> None:
        raise ValueError(f"cannot read {url} nor '{PASSWORD}'")

    monkeypatch.setattr("remediate.commands.audit.make_audit", fail)
    result = run("audit", tmp_path, "--database-url", url)
    assert result.code == 3
    (saved,) = tmp_path.glob("remediate-error-*.txt")
    text = saved.read_text()
    assert "arguments ['audit'" in text
    assert "'--database-url', '***'" in text
    for secret in (PASSWORD, IN_URL):
        assert secret not in result.err
        assert secret not in text


def test_a_password_is_in_no_report(tmp_path: Path, database: Database) -> None:
    url = f"postgresql://postgres:{IN_URL}@/{database.name}?host={database.endpoint.host}"
    for format in ("text", "json", "markdown"):
        result = run("audit", tmp_path, "--database-url", url, "--format", format)
        assert result.code == 0, result.err
        assert IN_URL not in result.out
        assert PASSWORD not in result.out


def test_the_connection_is_cut_while_rows_are_counted(tmp_path: Path, database: Database) -> None:
    database.run("CREATE TABLE events (id uuid PRIMARY KEY); CREATE TABLE notes (id int PRIMARY KEY, event_id uuid)")
    killed: list[int] = []

    def kill() -> None:
        counting = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'remediate'"
            " AND query LIKE '%NOT EXISTS%LIMIT 1001%' AND pid <> pg_backend_pid()"
        )
        with database.connect() as connection:
            for _ in range(2000):
                row = connection.execute(counting).fetchone()
                if row is not None:
                    connection.execute("SELECT pg_terminate_backend(%s)", row)
                    killed.append(row[0])
                    return
                time.sleep(0.005)

    database.run("INSERT INTO notes SELECT n, gen_random_uuid() FROM generate_series(1, 300000) AS n")
    database.run("INSERT INTO events SELECT event_id FROM notes")
    thread = threading.Thread(target=kill)
    thread.start()
    result = run("audit", tmp_path, "--database-url", address(database))
    thread.join()
    assert killed, "the count was over before it could be cut"
    assert (
        "the connection was cut: terminating connection due to administrator command; nothing was written"
        in one_line(result)
    )


def test_through_a_pooler_in_transaction_mode_nothing_but_read_only_transactions(
    tmp_path: Path, ticketing: Database
) -> None:
    with Pooler(ticketing.endpoint) as pooler:
        result = run(
            "audit",
            EXAMPLE,
            "--database-url",
            f"host=127.0.0.1 port={pooler.port} dbname={ticketing.name} user=postgres",
        )
    assert result.code == 1, result.err
    direct = audit_text(EXAMPLE, ticketing)
    assert result.out.splitlines()[1:] == direct.out.splitlines()[1:], "and it says the same"
    statements = [statement.strip() for _, statement in pooler.sent]
    begun = [number for number, statement in enumerate(statements) if statement.startswith("BEGIN")]
    assert len(begun) > 10
    assert {statements[number] for number in begun} == {"BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"}
    assert begun[0] == 0
    for start, end in zip(begun, [*begun[1:], len(statements)], strict=True):
        assert "set_config('row_security', 'off', true)" in statements[start + 1]
        assert statements[end - 1] == "ROLLBACK"
    for statement in statements:
        assert statement.split()[0] in ("BEGIN", "SELECT", "WITH", "SAVEPOINT", "ROLLBACK"), statement
        assert "FOR UPDATE" not in statement


def test_all_locks_are_access_share(ticketing: Database) -> None:
    with Live(read_address(address(ticketing)), timeout=5) as live, live.transaction() as reading:
        fetch(reading.rows)
        fetch_live(reading)
        for query in catalog_checks.questions("tenant_id").values():
            reading.rows(query)
        locks = "SELECT DISTINCT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'"
        assert reading.rows(locks) == [("AccessShareLock",)]
        held = (
            "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype IN ('transactionid', 'advisory')"
        )
        assert reading.rows(held) == [(0,)], "no transaction number is used up"


def test_no_session_and_no_lock_is_left(ticketing: Database) -> None:
    assert audit_text(EXAMPLE, ticketing).code == 1
    assert ticketing.value("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [ticketing.name]) == 1
    with Live(read_address(address(ticketing)), timeout=5) as live:
        observe(live)
        idle = "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert ticketing.run(idle) == [("idle",)], "spelling what was read needs no transaction"


@pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)])
def test_what_counts_for_the_exit_code(fail_on: str, code: int, tmp_path: Path, database: Database) -> None:
    database.run("CREATE TABLE bare (price numeric)")
    assert audit_text(tmp_path, database, "--fail-on", fail_on, "--rule", "tables-without-primary-key").code == code


def test_output_goes_to_a_file(tmp_path: Path, database: Database) -> None:
    file = tmp_path / "audit.md"
    result = audit_text(tmp_path, database, "--format", "markdown", "--output", str(file))
    assert (result.code, result.out) == (0, "")
    assert file.read_text().startswith("# Audit of a live database\n")
