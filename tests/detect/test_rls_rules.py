"""missing-rls, rls-without-policy, rls-not-forced: what they find, what they leave alone, and how safe it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from detect.builders import CURRENT, LEGACY, Database, platform
from remediate.detect.detect import detect
from remediate.detect.model import Finding
from remediate.replay.catalog import Column

Build = Callable[[Database], Database]


def findings(database: Database, rule: str) -> list[Finding]:
    return list(detect(database.facts(), [rule]))


def subjects(database: Database, rule: str) -> list[str]:
    return [str(finding.subject) for finding in findings(database, rule)]


# ------------------------------------------------------------------------------------------- missing-rls

MISSING: dict[str, Build] = {
    "a scoped table without anything": lambda d: d.table("orders"),
    "a scoped table of another service": lambda d: d.table("orders", service="till"),
    "a scoped table in another schema": lambda d: d.table("sales.orders"),
}

NOT_MISSING: dict[str, Build] = {
    "the table of tenants": lambda d: d,
    "a protected table": lambda d: d.protected("orders"),
    "a table that is switched on but has no policy": lambda d: d.table("orders", rls=True),
    "a table with policies that is switched off": lambda d: d.table("orders").policy("orders"),
    "a child table": lambda d: d.table("orders", {"customer_id": "uuid"}, tenant=False),
    "a partition": lambda d: d.protected("all_orders").table("orders", partition_of="all_orders"),
    "a table that got its column from us and is not filled yet": lambda d: d.table("orders").column(
        "orders", Column("tenant_id", "uuid", comment="remediate:0123456789ab")
    ),
}


@pytest.mark.parametrize("case", MISSING)
def test_missing_rls_finds(case: str) -> None:
    (finding,) = findings(MISSING[case](platform()), "missing-rls")
    assert finding.severity == "error"
    assert finding.subject.kind == "table"
    assert finding.locations


@pytest.mark.parametrize("case", NOT_MISSING)
def test_missing_rls_leaves_alone(case: str) -> None:
    assert subjects(NOT_MISSING[case](platform()), "missing-rls") == []


def test_a_database_without_any_rls_is_one_finding() -> None:
    database = Database().table("tenants", tenant=False)
    for number in range(20):
        database.table(f"orders_{number}")
    (finding,) = findings(database, "missing-rls")
    assert (finding.subject.kind, finding.level) == ("workspace", "manual")
    assert "20" in finding.message


@pytest.mark.parametrize("tenant", [False, True])
def test_nothing_is_said_without_tenants(tenant: bool) -> None:
    """A single column of the usual name, and nothing else that speaks for tenants, is not enough."""
    assert detect(Database().table("notes", tenant=tenant).facts()) == ()


def test_missing_rls_shows_how_siblings_are_protected() -> None:
    (finding,) = findings(platform().table("orders"), "missing-rls")
    assert "shop protects public.customers: public.customers has tenant_isolation (for all)." in finding.evidence


# ------------------------------------------------------------------------------------------- levels
# The same accesses decide for missing-rls (orders) and rls-not-forced (orders, protected).

USES_TENANT = "import { inTenant } from './db/tenant';\ninTenant(id, (trx) => trx('orders'))"
USES_DB = "import { db } from './db/tenant';\nexport const all = () => db('orders');"
TAKES_TRX = "export const all = (trx) => trx('orders');"

INDIFFERENT = (
    "export const db = knex(config);\n"
    "export async function inTenant(id, work) {\n"
    "  return db.transaction(async (trx) => { await trx.raw(STATEMENT); return work(trx); });\n}\n"
)

SAFE: dict[str, Build] = {
    "no code names the table": lambda d: d,
    "code reaches it in a tenant's transaction": lambda d: d.file("orders.ts", USES_TENANT),
    "code takes its caller's transaction": lambda d: d.file("orders.ts", TAKES_TRX),
    "a caller that opens the tenant's transaction": lambda d: d.file("orders.ts", TAKES_TRX).file(
        "handler.ts",
        "import { inTenant } from './db/tenant';\nimport { all } from './orders';\ninTenant(1, all);",
    ),
    "code sets the tenant itself": lambda d: d.file(
        "orders.ts",
        "db.transaction(async (trx) => { await trx.raw(`SELECT set_config('app.current_tenant_id', ?, true)`);"
        " return trx('orders'); })",
    ),
    "a job sets the tenant itself": lambda d: d.file(
        "jobs/a.ts",
        "db.transaction(async (trx) => { await trx.raw(`SELECT set_config('app.current_tenant_id', ?, true)`);"
        " return trx('orders'); })",
    ),
    "a job reaches it through code that sets the tenant": lambda d: d.file("orders.ts", USES_TENANT).file(
        "jobs/a.ts", "import './orders'"
    ),
    "a test names it": lambda d: d.file("orders.test.ts", "db('orders')", role="test"),
    "a log message names it": lambda d: d.file("a.ts", "logger.info('no orders today')"),
    "a view with its caller's rights": lambda d: d.view("open_orders", "orders", invoker=True),
    "its own trigger function": lambda d: d.function("count_up", "UPDATE orders SET n = n + 1").trigger(
        "orders", "count_up"
    ),
    "a function with its caller's rights": lambda d: d.function("total", "SELECT sum(x) FROM orders", returns="int"),
    "the migration that created it fills it": lambda d: d.data_change("orders", "insert"),
}

UNSAFE: dict[str, tuple[Build, str]] = {
    "code reaches it through the plain connection": (
        lambda d: d.file("orders.ts", USES_DB),
        "through db",
    ),
    "code opens a transaction without tenant": (
        lambda d: d.file(
            "orders.ts",
            "import { db } from './db/tenant';\ndb.transaction((trx) => trx('orders'))",
        ),
        "db.transaction (services/shop/src/orders.ts:2) opens a transaction",
    ),
    "code names it in from()": (
        lambda d: d.file("orders.ts", "import { db } from './db/tenant';\ndb.select('*').from('orders')"),
        "through db",
    ),
    "code uses the plain connection inside of what sets the tenant": (
        lambda d: d.file(
            "orders.ts",
            "import { db, inTenant } from './db/tenant';\ninTenant(1, async () => db('orders').first())",
        ),
        "through db",
    ),
    "code keeps its name in a constant beside a connection": (
        lambda d: d.file(
            "orders.ts",
            "import { db } from './db/tenant';\nconst TABLE = 'orders';\nexport const all = () => db(TABLE);",
        ),
        "through db",
    ),
    "code that sets the tenant reaches it through the plain connection too": (
        lambda d: d.file(
            "orders.ts",
            "import { db } from './db/tenant';\n"
            "export const one = (id) => db.transaction(async (trx) => {\n"
            "  await trx.raw(`SELECT set_config('app.current_tenant_id', ?, true)`, [id]); return trx('orders'); });\n"
            "export const purge = () => db('orders').del();",
        ),
        "through db: ",
    ),
    "code reaches it through something unknown": (
        lambda d: d.file("orders.ts", "class A { all() { return this.store('orders'); } }"),
        "through this.store",
    ),
    "code that runs before the tenant is known": (
        lambda d: d.file("login.ts", USES_TENANT, role="entry"),
        "before the tenant is known",
    ),
    "a job": (lambda d: d.file("jobs/a.ts", USES_DB, role="job"), "jobs/a.ts"),
    "a seed": (lambda d: d.file("seeds/a.ts", "knex('orders')", role="seed"), "seeds/a.ts"),
    "a job behind code that takes its caller's transaction": (
        lambda d: d.file("orders.ts", TAKES_TRX).file(
            "jobs/a.ts",
            "import { db } from '../db/tenant';\nimport { all } from '../orders';\nexport const run = () => all(db);",
        ),
        "jobs/a.ts:3 hands over db",
    ),
    "a caller that has the plain connection at hand": (
        lambda d: d.file("orders.ts", TAKES_TRX).file(
            "handler.ts",
            "import { db } from './db/tenant';\nimport { all } from './orders';\nexport const f = () => all(db);",
        ),
        "handler.ts:3 hands over db",
    ),
    "code of another service": (
        lambda d: d.file("a.ts", "db('orders')", service="till"),
        "services/till/src/a.ts:1 reaches it through db",
    ),
    "a view": (lambda d: d.view("open_orders", "orders"), "owner's rights: public.open_orders"),
    "a view over a view": (
        lambda d: d.view("open_orders", "orders").view("late_orders", "open_orders"),
        "public.late_orders and public.open_orders",
    ),
    "a materialized view": (lambda d: d.view("sums", "orders", materialized=True), "empty once their owner refreshes"),
    "a definer function": (
        lambda d: d.function("total", "SELECT sum(x) FROM orders", definer=True),
        "SECURITY DEFINER",
    ),
    "a trigger on another table": (
        lambda d: d.function("count_up", "UPDATE orders SET n = 1").trigger("customers", "count_up"),
        "a trigger on public.customers",
    ),
    "a function that a job calls": (
        lambda d: d.function("purge", "DELETE FROM orders").file("jobs/a.ts", "pool.query('SELECT purge()')"),
        "jobs/a.ts names that function",
    ),
    "dynamic SQL in a definer function": (
        lambda d: d.function("purge", "EXECUTE 'DELETE FROM orders'", definer=True),
        "SECURITY DEFINER",
    ),
    "a later migration that changes its rows": (
        lambda d: d.data_change("orders", "update", "005.ts"),
        "changes none",
    ),
    "a foreign key that is not validated": (
        lambda d: d.reference("orders", "tenant_id", "tenants", validated=False),
        "NOT VALID",
    ),
    "a refused statement": (
        lambda d: d.refusal("42703", 'column "x" does not exist', subjects=["orders"]),
        "would refuse",
    ),
    "an unresolved statement that names it": (
        lambda d: d.unknown_effect("a loop over a query", subjects=["orders"]),
        "a loop over a query",
    ),
    "an unresolved statement that may do anything": (lambda d: d.unknown_effect("eval"), "eval"),
}

RULES = ("missing-rls", "rls-not-forced")


def with_orders(rule: str) -> Database:
    return platform().table("orders") if rule == "missing-rls" else platform().protected("orders")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("case", SAFE)
def test_safe_with(case: str, rule: str) -> None:
    (finding,) = findings(SAFE[case](with_orders(rule)), rule)
    assert (finding.level, finding.reasons) == ("safe", ())


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("case", UNSAFE)
def test_unsafe_with(case: str, rule: str) -> None:
    build, reason = UNSAFE[case]
    (finding,) = findings(build(with_orders(rule)), rule)
    assert finding.level == "unsafe"
    assert any(reason in given for given in finding.reasons), finding.reasons


@pytest.mark.parametrize("rule", RULES)
def test_unsafe_without_any_code(rule: str) -> None:
    database = with_orders(rule)
    database.code.clear()
    (finding,) = findings(database, rule)
    assert "No application code of shop is in the workspace" in finding.reasons[0]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("'SET LOCAL app.current_tenant_id = ?', [id]", "by SET with a bind parameter, which fails"),
        ("'SET app.current_tenant_id = 7'", "sets the tenant for a session"),
        ("`SELECT set_config('app.current_tenant_id', ?, false)`, [id]", "sets the tenant for a session"),
    ],
)
def test_unsafe_where_the_setting_does_not_hold(rule: str, statement: str, why: str) -> None:
    """A SET with a bind parameter fails, and one for the session may be on another connection of the pool."""
    database = with_orders(rule)
    database.code.clear()
    database.file("db/tenant.ts", INDIFFERENT.replace("STATEMENT", statement)).file("orders.ts", USES_TENANT)
    (finding,) = findings(database, rule)
    assert finding.level == "unsafe"
    assert any(why in reason for reason in finding.reasons), finding.reasons


@pytest.mark.parametrize("rule", RULES)
def test_unsafe_where_no_code_sets_the_tenant(rule: str) -> None:
    database = with_orders(rule)
    database.code.clear()
    (finding,) = findings(database.file("a.ts", sets=["app.current_user_id"]), rule)
    assert any("No code of shop sets app.current_tenant_id" in reason for reason in finding.reasons)


@pytest.mark.parametrize("rule", RULES)
def test_an_unresolved_statement_of_another_service_taints_nothing(rule: str) -> None:
    (finding,) = findings(with_orders(rule).unknown_effect("eval", service="till"), rule)
    assert (finding.level, finding.tainted) == ("safe", False)


@pytest.mark.parametrize("rule", RULES)
def test_code_may_set_the_tenant_through_a_function_of_the_database(rule: str) -> None:
    database = with_orders(rule)
    database.code.clear()
    body = "BEGIN PERFORM set_config('app.current_tenant_id', p_tenant::text, true); END"
    database.function("set_tenant", body, arguments="p_tenant uuid", returns="void")
    database.file("db.ts", "async function inTenant() { await trx.raw('SELECT set_tenant(?)') }")
    (finding,) = findings(database, rule)
    assert finding.level == "safe"


def test_missing_rls_is_safe_for_code_that_sets_a_legacy_name() -> None:
    """The policy is written to accept that name as well."""
    database = platform().protected("items", using=LEGACY, service="till").setting_code("till", "app.current_tenant")
    (finding,) = findings(database.table("orders", service="till"), "missing-rls")
    assert finding.level == "safe"


def test_missing_rls_is_unsafe_for_a_legacy_name_that_only_a_function_sets() -> None:
    """Nothing shows that the service means that name, so its policies are not written to accept it."""
    database = platform().protected("items", using=LEGACY)
    body = "BEGIN PERFORM set_config('app.current_tenant', p_tenant::text, true); END"
    database.function("set_tenant", body, arguments="p_tenant uuid", returns="void")
    database.file("db.ts", "async function inTenant() { await trx.raw('SELECT set_tenant(?)') }", service="till")
    (finding,) = findings(database.table("orders", service="till"), "missing-rls")
    assert finding.level == "unsafe"


def test_missing_rls_is_unsafe_where_rows_would_be_reached_by_nobody() -> None:
    database = platform().table("orders", nullable=["tenant_id"])
    (finding,) = findings(database, "missing-rls")
    assert any("allows NULL" in reason for reason in finding.reasons)


def test_missing_rls_is_unsafe_where_inserts_rely_on_a_default() -> None:
    database = platform().table("orders").column("orders", Column("tenant_id", "uuid", False, default="'0000'::uuid"))
    (finding,) = findings(database, "missing-rls")
    assert any("has the default" in reason for reason in finding.reasons)


# ------------------------------------------------------------------------------------------- rls-without-policy


def test_rls_without_policy_finds_and_is_unsafe() -> None:
    (finding,) = findings(platform().table("orders", rls=True), "rls-without-policy")
    assert (str(finding.subject), finding.level) == ("public.orders", "unsafe")
    assert finding.locations[0].file.endswith("002.ts"), "first the place that enabled it"


def test_rls_without_policy_names_the_way_to_the_tenant() -> None:
    database = platform().table("orders", {"customer_id": "uuid"}, tenant=False, rls=True)
    (finding,) = findings(database, "rls-without-policy")
    assert finding.level == "unsafe"
    assert "public.orders.customer_id" in finding.evidence[0]


def test_rls_without_policy_is_manual_where_nothing_leads_to_a_tenant() -> None:
    (finding,) = findings(platform().table("orders", tenant=False, rls=True), "rls-without-policy")
    assert finding.level == "manual"


NOT_WITHOUT_POLICY: dict[str, Build] = {
    "a table with a policy": lambda d: d.protected("orders"),
    "a table with a policy for one command": lambda d: d.table("orders", rls=True).policy("orders", command="select"),
    "a table that is not switched on": lambda d: d.table("orders"),
}


@pytest.mark.parametrize("case", NOT_WITHOUT_POLICY)
def test_rls_without_policy_leaves_alone(case: str) -> None:
    assert subjects(NOT_WITHOUT_POLICY[case](platform()), "rls-without-policy") == []


# ------------------------------------------------------------------------------------------- rls-not-forced


def test_rls_not_forced_finds_tables_of_any_class() -> None:
    database = platform().protected("orders").table("logs", tenant=False, rls=True)
    assert subjects(database, "rls-not-forced") == ["public.logs", "public.orders"]


NOT_UNFORCED: dict[str, Build] = {
    "a forced table": lambda d: d.protected("orders", forced=True),
    "a table that is not switched on": lambda d: d.table("orders"),
    "a table that is forced and not switched on": lambda d: d.table("orders", forced=True),
}


@pytest.mark.parametrize("case", NOT_UNFORCED)
def test_rls_not_forced_leaves_alone(case: str) -> None:
    assert subjects(NOT_UNFORCED[case](platform()), "rls-not-forced") == []


UNFORCED_UNSAFE: dict[str, tuple[Build, str]] = {
    "no policy": (lambda d: d.table("orders", rls=True), "no policy yet"),
    "policies for other roles only": (
        lambda d: d.table("orders", rls=True).policy("orders", roles=("app_user",)),
        "No policy for all roles",
    ),
    "a command that no policy covers": (
        lambda d: d.table("orders", rls=True).policy("orders", command="select"),
        "INSERT",
    ),
    "an insert policy that checks nothing": (
        lambda d: (
            d.table("orders", rls=True)
            .policy("orders", name="a", command="select")
            .policy("orders", name="b", command="update")
            .policy("orders", name="c", command="delete")
            .policy("orders", None, name="d", command="insert")
        ),
        "INSERT",
    ),
    "a setting that no code sets": (
        lambda d: d.protected("orders", using=LEGACY),
        "No code of shop sets app.current_tenant",
    ),
    "a restrictive policy on a setting that no code sets": (
        lambda d: d.protected("orders").policy(
            "orders", "region = current_setting('app.region')", name="region", permissive=False
        ),
        "Restrictive policy region",
    ),
    "a policy that reads no setting": (
        lambda d: d.table("orders", rls=True).policy("orders", "owner = CURRENT_USER"),
        "read no setting",
    ),
    "a policy that looks into a table under another setting": (
        lambda d: d.table("orders", rls=True).policy("orders", f"id IN (SELECT id FROM customers WHERE {LEGACY})"),
        "looks into public.customers",
    ),
    "another table's policy that looks into it under another setting": (
        lambda d: d.protected("orders").protected(
            "items", using=f"order_id IN (SELECT id FROM orders) AND {LEGACY}", forced=True
        ),
        "looks into it",
    ),
}


@pytest.mark.parametrize("case", UNFORCED_UNSAFE)
def test_rls_not_forced_is_unsafe_with(case: str) -> None:
    build, reason = UNFORCED_UNSAFE[case]
    (finding,) = findings(build(platform()), "rls-not-forced")
    assert finding.level == "unsafe"
    assert any(reason in given for given in finding.reasons), finding.reasons


@pytest.mark.parametrize(("migration", "level"), [("001.ts", "safe"), ("002.ts", "safe"), ("003.ts", "unsafe")])
def test_data_changes_count_from_the_migration_that_enabled_it_on(migration: str, level: str) -> None:
    (finding,) = findings(platform().protected("orders").data_change("orders", "update", migration), "rls-not-forced")
    assert finding.level == level


def test_rls_not_forced_is_safe_with_a_policy_for_each_command() -> None:
    database = platform().table("orders", rls=True)
    for command in ("select", "update", "delete"):
        database.policy("orders", name=command, command=command)  # type: ignore[arg-type]
    database.policy("orders", None, name="insert", command="insert", check=CURRENT)
    (finding,) = findings(database, "rls-not-forced")
    assert finding.level == "safe"
