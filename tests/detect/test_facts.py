"""How a database keeps tenants apart, and why we think so."""

from __future__ import annotations

from detect.builders import CURRENT, LEGACY, Database, platform, q
from remediate.config.model import Config, Tenancy


def test_nothing_speaks_for_tenancy() -> None:
    tenancy = Database().table("notes", tenant=False).facts().tenancy
    assert not tenancy.enabled
    assert "no tenant column" in tenancy.reasons["enabled"]


def test_the_column_is_the_one_that_policies_compare() -> None:
    database = Database()
    for name in ("orders", "items"):
        database.table(name, {"org": "uuid"}, tenant=False, rls=True)
        database.policy(name, "org = current_setting('app.org', true)::uuid")
    database.table("users", {"created_by": "uuid"}, tenant=False, rls=True)
    database.policy("users", "created_by = current_setting('app.current_user_id', true)::uuid")
    tenancy = database.facts().tenancy
    assert (tenancy.column, tenancy.column_type, tenancy.setting) == ("org", "uuid", "app.org")


def test_the_column_is_seen_through_a_function() -> None:
    database = Database().table("orders", {"org": "text"}, tenant=False, rls=True)
    database.function("current_org", "SELECT current_setting('app.org', true)", returns="text", language="sql")
    tenancy = database.policy("orders", "org = current_org()").facts().tenancy
    assert (tenancy.column, tenancy.column_type, tenancy.setting) == ("org", "text", "app.org")


def test_the_usual_name_counts_from_two_tables_on() -> None:
    assert not Database().table("orders").facts().tenancy.enabled
    assert Database().table("orders").table("items").facts().tenancy.column == "tenant_id"


def test_what_is_configured_wins() -> None:
    config = Config(tenancy=Tenancy(table="shops", column="shop", setting="app.shop", legacy_settings=("app.store",)))
    tenancy = platform(config).table("shops").facts().tenancy
    assert (tenancy.root, tenancy.column, tenancy.setting) == (q("shops"), "shop", "app.shop")
    assert "app.store" in tenancy.legacy
    assert tenancy.reasons["setting"] == "configured"


def test_the_only_setting_in_policies_is_the_canonical_one() -> None:
    tenancy = Database().protected("orders", using=LEGACY).facts().tenancy
    assert (tenancy.setting, tenancy.legacy) == ("app.current_tenant", ())


def test_of_several_settings_the_usual_name_is_the_canonical_one() -> None:
    tenancy = Database().protected("a", using=LEGACY).protected("b", using=LEGACY).protected("c").facts().tenancy
    assert (tenancy.setting, tenancy.legacy) == ("app.current_tenant_id", ("app.current_tenant",))


def test_of_several_unusual_settings_the_commonest_is_the_canonical_one() -> None:
    other = LEGACY.replace("app.current_tenant", "app.tenant")
    tenancy = (
        Database().protected("a", using=other).protected("b", using=LEGACY).protected("c", using=other).facts().tenancy
    )
    assert (tenancy.setting, tenancy.legacy) == ("app.tenant", ("app.current_tenant",))


def test_users_roles_and_bypasses_are_no_tenant_settings() -> None:
    database = Database().protected("orders", using=f"{CURRENT} OR current_setting('app.bypass_rls', true) = 'true'")
    database.function(
        "set_tenant_context",
        "BEGIN PERFORM set_config('app.org', p_tenant_id::text, true);"
        " PERFORM set_config('app.current_user_id', p_user_id::text, true);"
        " PERFORM set_config('app.is_tenant_admin', p_admin::text, true); END",
        returns="void",
    )
    database.file("db.ts", sets=["app.current_user_role", "app.tenant"])
    assert database.facts().tenancy.legacy == ("app.org", "app.tenant")


def test_a_column_that_stands_in_most_tables_wins_over_the_usual_name() -> None:
    database = Database().table("tenants", tenant=False).table("a").table("b").reference("a", "tenant_id", "tenants")
    for number in range(5):
        database.table(f"t{number}", {"tenant": "uuid"}, tenant=False)
    assert database.reference("t0", "tenant", "tenants").facts().tenancy.column == "tenant"


def test_without_policies_the_only_setting_in_use_is_the_canonical_one() -> None:
    database = Database().table("a").table("b").file("db.ts", sets=["app.tenant"])
    assert (database.facts().tenancy.setting, database.facts().tenancy.legacy) == ("app.tenant", ())


def test_a_setting_that_nothing_uses_is_only_what_a_repair_would_use() -> None:
    assert not Database().table("orders").table("items").facts().tenancy.setting_is_used
    assert Database().protected("orders").facts().tenancy.setting_is_used
    assert (
        Database().table("orders").table("items").file("a.ts", sets=["app.tenant_id"]).facts().tenancy.setting_is_used
    )


def test_what_a_sub_query_compares_is_the_tenant_column() -> None:
    through = f"customer_id IN (SELECT customers.id FROM customers WHERE {CURRENT})"
    database = Database().table("customers").table("orders", {"customer_id": "uuid"}, tenant=False, rls=True)
    assert database.policy("orders", through).facts().tenancy.column == "tenant_id"
