"""missing-tenant-column: children that do not say whose they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from detect.builders import Database, platform
from remediate.config.model import Config, Tenancy
from remediate.detect.detect import detect
from remediate.detect.model import Finding
from remediate.replay.catalog import Column

RULE = "missing-tenant-column"


def findings(database: Database) -> list[Finding]:
    return list(detect(database.facts(), [RULE]))


def child(nullable: tuple[str, ...] = ()) -> Database:
    return platform().table("orders", {"customer_id": "uuid"}, tenant=False, nullable=nullable)


def test_a_child_is_found_with_its_path() -> None:
    (finding,) = findings(child().reference("orders", "customer_id", "customers"))
    assert (str(finding.subject), finding.level) == ("public.orders", "unsafe")
    assert finding.evidence[0] == "public.orders.customer_id is a foreign key to public.customers."


def test_a_path_without_foreign_key_says_so() -> None:
    (finding,) = findings(child())
    assert any("No foreign key keeps" in reason for reason in finding.reasons)


def test_a_path_that_may_end_says_so() -> None:
    (finding,) = findings(child(nullable=("customer_id",)).reference("orders", "customer_id", "customers"))
    assert any("allows NULL" in reason for reason in finding.reasons)


def test_a_path_through_people_says_so() -> None:
    database = platform().table("users").table("orders", {"user_id": "uuid"}, tenant=False)
    (finding,) = findings(database)
    assert any("holds people" in reason for reason in finding.reasons)


LEFT_ALONE: dict[str, Callable[[Database], Database]] = {
    "a table that has the column": lambda d: d.table("orders", {"customer_id": "uuid"}),
    "a table from which nothing leads to a tenant": lambda d: d.table("orders", tenant=False),
    "reference data": lambda d: d.table("orders", tenant=False).data_change("orders", "insert"),
    "the table of tenants": lambda d: d.reference("tenants", "id", "customers"),
    "a partition of a child": lambda d: d.table("orders", partition_of="customers", tenant=False),
}


@pytest.mark.parametrize("case", LEFT_ALONE)
def test_leaves_alone(case: str) -> None:
    assert findings(LEFT_ALONE[case](platform())) == []


def test_leaves_alone_a_database_without_any_rls() -> None:
    database = Database().table("tenants", tenant=False).table("customers").table("users")
    assert findings(database.table("orders", {"customer_id": "uuid"}, tenant=False)) == []


def test_leaves_alone_what_is_declared_global() -> None:
    database = platform(Config(tenancy=Tenancy(global_tables=("public.orders",))))
    assert findings(database.table("orders", {"customer_id": "uuid"}, tenant=False)) == []


def test_a_column_that_the_first_phase_added_waits() -> None:
    database = child().column("orders", Column("tenant_id", "uuid", comment="remediate:0123456789ab"))
    (finding,) = findings(database)
    assert (finding.severity, finding.level) == ("info", "unsafe")
    assert finding.waiting


def test_a_column_that_binds_waits_no_more() -> None:
    database = child().column("orders", Column("tenant_id", "uuid", nullable=False, comment="remediate:0123456789ab"))
    assert findings(database) == []


TENANT = "tenant_id = current_setting('app.current_tenant_id', true)::uuid"
THROUGH = f"customer_id IN (SELECT customers.id FROM customers WHERE {TENANT})"
EXISTS = f"EXISTS (SELECT 1 FROM customers c WHERE c.id = orders.customer_id AND c.{TENANT})"

# The policies of a child, and whether its tenants are kept apart by them.
POLICIES: dict[str, tuple[Callable[[Database], Database], bool]] = {
    "through the parent": (lambda d: d.policy("orders", THROUGH), True),
    "through the parent by EXISTS": (lambda d: d.policy("orders", EXISTS), True),
    "with a check": (lambda d: d.policy("orders", THROUGH, check=EXISTS), True),
    "by a function that reads the setting": (
        lambda d: d.function(
            "tenant", "SELECT current_setting('app.current_tenant_id', true)::uuid", returns="uuid"
        ).policy("orders", THROUGH.replace("current_setting('app.current_tenant_id', true)::uuid", "tenant()")),
        True,
    ),
    "and a restrictive one": (
        lambda d: d.policy("orders", THROUGH).policy("orders", "true", name="floor", permissive=False),
        True,
    ),
    "and one that is open": (lambda d: d.policy("orders", THROUGH).policy("orders", "true", name="open"), False),
    "with a check that is open": (lambda d: d.policy("orders", THROUGH, check="true"), False),
    "or by another way": (lambda d: d.policy("orders", f"{THROUGH} OR customer_id IS NULL"), False),
    "by another column and setting": (
        lambda d: d.policy("orders", THROUGH.replace("tenant_id", "user_id")),
        False,
    ),
    "by another column": (lambda d: d.policy("orders", THROUGH.replace("tenant_id =", "id =")), False),
    "through another table": (lambda d: d.policy("orders", THROUGH.replace("customers", "others")), False),
    "turned round": (lambda d: d.policy("orders", THROUGH.replace(" IN ", " NOT IN ")), False),
    "none": (lambda d: d, False),
}


@pytest.mark.parametrize("case", POLICIES)
def test_a_child_that_its_policies_isolate_through_the_parent_is_information(case: str) -> None:
    add, isolated = POLICIES[case]
    config = Config(tenancy=Tenancy(column="tenant_id", setting="app.current_tenant_id"))
    database = platform(config).table("orders", {"customer_id": "uuid"}, tenant=False, rls=True)
    (finding,) = findings(add(database.reference("orders", "customer_id", "customers")))
    assert finding.severity == ("info" if isolated else "error")
    assert any("its tenants apart" in sentence for sentence in finding.evidence) == isolated


OWN = "source_tenant_id = current_setting('app.current_tenant_id', true)::uuid"

# The policies of a table whose tenant column has another name, and whether they say so.
OWN_POLICIES: dict[str, tuple[Callable[[Database], Database], bool]] = {
    "alone": (lambda d: d.policy("orders", OWN), True),
    "with a check": (lambda d: d.policy("orders", OWN, check=OWN), True),
    "and more that narrows it": (lambda d: d.policy("orders", f"{OWN} AND customer_id = id"), True),
    "and one that is open": (lambda d: d.policy("orders", OWN).policy("orders", "true", name="open"), False),
    "or by another way": (lambda d: d.policy("orders", f"{OWN} OR customer_id IS NULL"), False),
    "turned round": (lambda d: d.policy("orders", OWN.replace(" = ", " <> ", 1)), False),
    "by another setting": (lambda d: d.policy("orders", OWN.replace("current_tenant_id", "current_user_id")), False),
    "of a column that the table does not have": (lambda d: d.policy("orders", OWN.replace("source_", "other_")), False),
}


@pytest.mark.parametrize("case", OWN_POLICIES)
def test_a_column_that_policies_compare_with_the_tenant_is_its_tenant_column(case: str) -> None:
    add, tells = OWN_POLICIES[case]
    config = Config(tenancy=Tenancy(column="tenant_id", setting="app.current_tenant_id"))
    database = platform(config).table(
        "orders", {"customer_id": "uuid", "source_tenant_id": "uuid"}, tenant=False, rls=True
    )
    assert (findings(add(database.reference("orders", "customer_id", "customers"))) == []) == tells


def test_policies_may_go_another_way_than_the_one_that_was_chosen() -> None:
    config = Config(tenancy=Tenancy(column="tenant_id", setting="app.current_tenant_id"))
    database = platform(config).table("shops").table("lines", {"shop_id": "uuid"}, tenant=False)
    database = database.reference("lines", "shop_id", "shops")
    database = database.table("orders", {"customer_id": "uuid", "line_id": "uuid"}, tenant=False, rls=True)
    database = database.reference("orders", "customer_id", "customers").reference("orders", "line_id", "lines")
    way = f"line_id IN (SELECT l.id FROM lines l JOIN shops s ON s.id = l.shop_id WHERE s.{TENANT})"
    levels = {one.subject.name: one.severity for one in findings(database.policy("orders", way))}
    assert levels == {"lines": "error", "orders": "info"}


def test_policies_isolate_nothing_while_row_level_security_is_off() -> None:
    database = platform().table("orders", {"customer_id": "uuid"}, tenant=False)
    (finding,) = findings(database.reference("orders", "customer_id", "customers").policy("orders", THROUGH))
    assert finding.severity == "error"
