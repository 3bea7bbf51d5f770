"""`plan --database-url`: the live catalog instead of the replayed one, the sources as evidence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from audit.conftest import EXAMPLE
from cli.running import one_line, run
from cli.workspaces import write
from remediate.postgres.snapshot import catalog_snapshot
from support.database import Database, load_history, seed_knex_migrations
from support.golden import sent_strings
from support.live import address


def plan(path: Path, *options: str, database: Database | None = None) -> Any:
    live = () if database is None else ("--database-url", address(database))
    result = run("plan", path, "--format", "json", *live, *options)
    assert result.code in (0, 1), result.err
    return json.loads(result.out)


def finding(document: Any, rule: str, name: str) -> Any:
    return next(one for one in document["findings"] if (one["rule"], one["subject"]["name"]) == (rule, name))


DOUBTS = ("PostgreSQL would refuse", "more statements like these", "if it was made")


def test_without_drift_the_plan_is_that_of_the_migrations(ticketing: Database) -> None:
    """Byte for byte, where what was doubtful without a database is written in both; nothing is found in one alone."""
    static, live = plan(EXAMPLE, "--unsafe", "--rewrite"), plan(EXAMPLE, "--unsafe", "--rewrite", database=ticketing)
    assert [one["id"] for one in live["findings"]] == [one["id"] for one in static["findings"]]
    for one, other in zip(live["findings"], static["findings"], strict=True):
        assert (one["message"], one["locations"]) == (other["message"], other["locations"])
        # What PostgreSQL refused, or nobody could answer, is a doubt only as long as nobody looks.
        doubts = [reason for reason in other["fix"]["reasons"] if reason not in one["fix"]["reasons"]]
        assert all(any(word in doubt for word in DOUBTS) for doubt in doubts), doubts
        if not doubts:
            assert one["fix"] | {"changes": []} == other["fix"] | {"changes": []}
    certain = {change["path"]: change["diff"] for change in live["changes"] if change["service"] == "analytics-service"}
    assert certain == {
        change["path"]: change["diff"] for change in static["changes"] if change["service"] == "analytics-service"
    }
    assert certain
    assert live["notes"][-1].startswith(f"Planned on the live database {ticketing.name} at ")
    assert "40 migrations are on record" in live["notes"][-1]


def test_what_was_made_by_hand_is_found_and_left_to_people(ticketing: Database) -> None:
    ticketing.run("CREATE TABLE scratch (id int PRIMARY KEY, tenant_id uuid NOT NULL)")
    document = plan(EXAMPLE, database=ticketing)
    found = finding(document, "missing-rls", "scratch")
    assert found["service"] == ""
    assert found["locations"] == []
    assert found["fix"]["applicability"] == "manual"
    assert found["fix"]["changes"] == []
    assert found["fix"]["reasons"][0] == "No migration makes it, so there is no service to write its repair into."
    assert found["evidence"][-1] == "No migration makes it: it was made by hand, or by something else."
    text = run("plan", EXAMPLE, "--database-url", address(ticketing)).out
    assert "\nMade outside of the migrations\n" in text
    assert "public.scratch" in text


def test_a_repair_where_the_database_drifted_is_no_longer_safe(ticketing: Database) -> None:
    """It is planned on this database, and would meet another state in every other."""
    before = plan(EXAMPLE, "--rule", "rls-not-forced", database=ticketing)
    safe = [one["subject"]["name"] for one in before["findings"] if one["fix"]["changes"]]
    changed, beside = next((one, two) for one, two in pairwise(safe) if services_of(before, one, two) == 1)
    (policy,) = ticketing.run("SELECT policyname FROM pg_policies WHERE tablename = %s LIMIT 1", [changed])[0]
    ticketing.run(f'ALTER POLICY "{policy}" ON {changed} TO postgres; CREATE INDEX by_hand ON {beside} (id)')
    document = plan(EXAMPLE, "--unsafe", "--rule", "rls-not-forced", database=ticketing)
    after = finding(document, "rls-not-forced", changed)
    assert after["fix"]["applicability"] == "unsafe"
    reason = f"Policy {policy} on public.{changed} differs from the migrations: roles postgres, not public."
    assert reason in after["fix"]["reasons"]
    assert finding(document, "rls-not-forced", beside)["fix"]["applicability"] == "safe", "an index has no part in it"
    (path,) = after["fix"]["changes"]
    diff = next(change["diff"] for change in document["changes"] if change["path"] == path)
    assert "RAISE EXCEPTION" in diff, "what it takes for granted is checked"


def services_of(document: Any, *names: str) -> int:
    return len({finding(document, "rls-not-forced", name)["service"] for name in names})


def test_a_function_that_was_replaced_by_hand_taints_itself_and_the_tables_that_it_guards(ticketing: Database) -> None:
    name = "log_order_status_change"
    (definition,) = ticketing.run("SELECT pg_get_functiondef(%s::regproc)", [name])[0]
    assert "app.current_tenant" in definition
    ticketing.run(definition.replace("BEGIN", "BEGIN RAISE NOTICE 'by hand';", 1))
    document = plan(EXAMPLE, "--unsafe", database=ticketing)
    found = finding(document, "inconsistent-tenant-setting", f"{name}()")
    assert any(
        one.startswith(f"Function public.{name}() differs from the migrations") for one in found["fix"]["reasons"]
    )
    orders = finding(document, "rls-not-forced", "orders")
    assert any(
        one.startswith(f"Function public.{name}() differs from the migrations") for one in orders["fix"]["reasons"]
    )
    written = "\n".join(change["diff"] for change in document["changes"] if change["service"] == "order-service")
    assert written.count("by hand") == 2, "up and down start from what is there"


def test_what_was_repaired_by_hand_is_found_no_more(ticketing: Database) -> None:
    ticketing.run("ALTER TABLE trusted_devices FORCE ROW LEVEL SECURITY")
    names = [
        one["subject"]["name"] for one in plan(EXAMPLE, "--rule", "rls-not-forced", database=ticketing)["findings"]
    ]
    assert "trusted_devices" not in names
    assert "token_refresh_log" in names


MIGRATIONS = {
    "package.json": '{"name": "alone", "type": "commonjs"}',
    "knexfile.js": "module.exports = { client: 'pg', migrations: { directory: './migrations' } };",
    "migrations/001_base.js": """
exports.up = async (knex) => {
  await knex.schema.createTable('tenants', (t) => { t.uuid('id').primary(); });
  for (const name of ['orders', 'notes']) {
    await knex.schema.createTable(name, (t) => {
      t.uuid('id').primary();
      t.uuid('tenant_id').notNullable().references('id').inTable('tenants');
    });
    await knex.raw(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
    const tenant = "NULLIF(current_setting('app.current_tenant_id', true), '')::uuid";
    await knex.raw(`CREATE POLICY tenant ON ${name} USING (tenant_id = ${tenant})`);
  }
};
exports.down = async () => {};
""",
    "migrations/002_force.js": """
exports.up = (knex) => knex.raw('ALTER TABLE orders FORCE ROW LEVEL SECURITY');
exports.down = (knex) => knex.raw('ALTER TABLE orders NO FORCE ROW LEVEL SECURITY');
""",
    "src/app.js": """
async function inTenant(knex, tenant, work) {
  return knex.transaction(async (trx) => {
    await trx.raw("SELECT set_config('app.current_tenant_id', ?, true)", [tenant]);
    return work(trx);
  });
}
module.exports = { inTenant };
""",
}


@pytest.fixture
def waiting(tmp_path: Path, new_database: Callable[..., Database]) -> tuple[Path, Database]:
    """A service whose second file forces `orders`, and is not on record."""
    write(tmp_path, MIGRATIONS)
    database = new_database()
    for services in sent_strings(tmp_path).values():
        for _, strings in services:
            load_history(database, strings[:-1])
    seed_knex_migrations(database, ["001_base.js"])
    return tmp_path, database


def test_what_a_waiting_file_repairs_waits_for_it(waiting: tuple[Path, Database]) -> None:
    path, database = waiting
    document = plan(path, "--rule", "rls-not-forced", database=database)
    orders = finding(document, "rls-not-forced", "orders")
    assert orders["waiting"] == "migrations/002_force.js is applied, which repairs it"
    assert orders["fix"]["changes"] == []
    notes = finding(document, "rls-not-forced", "notes")
    assert notes["waiting"] is None
    assert notes["fix"]["changes"] == ["migrations/003_force_row_level_security.js"], "named after all files on disk"
    assert "1 wait, which run before" in document["notes"][-1]


def test_the_database_is_left_as_it_was(ticketing: Database) -> None:
    with ticketing.connect() as connection:
        before = catalog_snapshot(connection)
    numbers = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
    rows = ticketing.value(numbers)
    plan(EXAMPLE, "--unsafe", database=ticketing)
    assert run("audit", EXAMPLE, "--database-url", address(ticketing)).code == 1
    with ticketing.connect() as connection:
        assert catalog_snapshot(connection) == before
    assert ticketing.value(numbers) == rows


def test_apply_writes_what_was_planned(
    waiting: tuple[Path, Database], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path, database = waiting
    copy = Path(shutil.copytree(path, tmp_path_factory.mktemp("copy") / "copy"))
    result = run("apply", copy, "--write", "--rule", "rls-not-forced", "--database-url", address(database))
    assert result.code == 0, result.err
    assert result.out.splitlines()[0] == "migrations/003_force_row_level_security.js"
    text = (copy / "migrations/003_force_row_level_security.js").read_text()
    assert "public.notes" in text
    assert "public.orders" not in text


def test_a_live_database_is_no_fresh_one(ticketing: Database) -> None:
    assert "a live database is no fresh one" in one_line(
        run("plan", EXAMPLE, "--database-url", address(ticketing), "--assume", "fresh")
    )


def test_the_services_of_a_database_are_those_on_record_in_it(
    tmp_path: Path, new_database: Callable[..., Database]
) -> None:
    """Of a workspace with a database for each service only those are planned that live in this one."""
    for name in ("orders", "users"):
        write(
            tmp_path,
            {
                f"services/{name}/package.json": json.dumps({"name": name}),
                f"services/{name}/knexfile.js": f"module.exports = {{ client: 'pg',"
                f" connection: {{ database: '{name}' }}, migrations: {{ directory: './migrations' }} }};",
                f"services/{name}/migrations/1_{name}.js": "exports.up = (knex) => knex.schema.createTable("
                f"'{name}', (t) => {{ t.increments(); }});\nexports.down = () => {{}};\n",
            },
        )
    database = new_database()
    url = ("--database-url", address(database))
    told = one_line(run("plan", tmp_path, *url))
    assert "which of the workspace's 2 databases this is cannot be told" in told
    database.run("CREATE TABLE users (id serial PRIMARY KEY)")
    seed_knex_migrations(database, ["1_users.js"])
    document = plan(tmp_path, database=database)
    assert [one["name"] for one in document["services"]] == ["users"]
    chosen = json.loads(run("audit", tmp_path, *url, "--format", "json", "--service", "orders").out)
    assert [one["name"] for one in chosen["services"]] == ["orders"]
