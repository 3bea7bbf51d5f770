"""What kind of table each is, and which way leads to the tenant."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from detect.builders import Database, platform, q
from remediate.config.model import Config, Tenancy
from remediate.detect.classify import describe
from remediate.detect.model import Classification


def classified(database: Database, table: str) -> Classification:
    return database.facts().classes[q(table)]


def via(classification: Classification) -> list[str]:
    return [f"{step.child.name}.{','.join(step.columns)}>{step.parent.name}" for step in classification.path]


KINDS: dict[str, tuple[Callable[[Database], Database], str]] = {
    "a table with the tenant column is scoped": (lambda d: d.table("orders"), "scoped"),
    "a table that refers to a scoped one by a foreign key is a child": (
        lambda d: d.table("orders", {"buyer": "uuid"}, tenant=False).reference("orders", "buyer", "customers"),
        "child",
    ),
    "a table whose column is named like a scoped table is a child": (
        lambda d: d.table("orders", {"customer_id": "uuid"}, tenant=False),
        "child",
    ),
    "a column named like a table but of another type leads nowhere": (
        lambda d: d.table("orders", {"customer_id": "text"}, tenant=False),
        "unknown",
    ),
    "who created a row does not say whose it is": (
        lambda d: d.table("orders", {"made_by": "uuid"}, tenant=False).reference("orders", "made_by", "customers"),
        "unknown",
    ),
    "a polymorphic pair of columns leads nowhere": (
        lambda d: d.table("entities").table("orders", {"entity_id": "uuid", "entity_type": "text"}, tenant=False),
        "unknown",
    ),
    "an id of the outside world leads nowhere": (
        lambda d: d.table("orders", {"stripe_customer_id": "uuid"}, tenant=False),
        "unknown",
    ),
    "a table that refers to itself only is unknown": (
        lambda d: d.table("orders", {"parent_id": "uuid"}, tenant=False).reference("orders", "parent_id", "orders"),
        "unknown",
    ),
    "a table that refers to the tenants under another name is a child": (
        lambda d: d.table("orders", {"owner": "uuid"}, tenant=False).reference("orders", "owner", "tenants"),
        "child",
    ),
    "reference data that a migration fills is global": (
        lambda d: d.table("orders", tenant=False).data_change("orders", "insert"),
        "global",
    ),
    "data that a migration only updates is not reference data": (
        lambda d: d.table("orders", tenant=False).data_change("orders", "update"),
        "unknown",
    ),
    "a filled table that leads to a tenant is a child all the same": (
        lambda d: d.table("orders", {"customer_id": "uuid"}, tenant=False).data_change("orders", "insert"),
        "child",
    ),
    "a table from which nothing leads anywhere is unknown": (lambda d: d.table("orders", tenant=False), "unknown"),
    "a partition is what its parent is": (
        lambda d: d.table("all_orders", {"customer_id": "uuid"}, tenant=False).table(
            "orders", tenant=False, partition_of="all_orders"
        ),
        "child",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", KINDS)
def test_kind(case: str) -> None:
    build, kind = KINDS[case]
    assert classified(build(platform()), "orders").kind == kind


def test_the_table_of_tenants_is_the_one_that_tenant_columns_refer_to() -> None:
    facts = platform().facts()
    assert facts.tenancy.root == q("tenants")
    assert facts.classes[q("tenants")].kind == "tenant"


def test_bookkeeping_of_migrations_is_global() -> None:
    database = platform().table("knex_migrations", tenant=False).table("knex_migrations_lock", tenant=False)
    assert [classified(database, name).kind for name in ("knex_migrations", "knex_migrations_lock")] == ["global"] * 2


def test_what_is_declared_global_is_global_whatever_it_refers_to() -> None:
    database = platform(Config(tenancy=Tenancy(global_tables=("orders",))))
    database.table("orders", {"customer_id": "uuid"}, tenant=False)
    assert classified(database, "orders").kind == "global"


PATHS: dict[str, tuple[Callable[[Database], Database], list[str]]] = {
    "the shortest way wins": (
        lambda d: d.table("orders", {"customer_id": "uuid"}, tenant=False)
        .reference("orders", "customer_id", "customers")
        .table("items", {"order_id": "uuid", "customer_id": "uuid"}, tenant=False)
        .reference("items", "order_id", "orders")
        .reference("items", "customer_id", "customers"),
        ["items.customer_id>customers"],
    ),
    "a way of several steps is found": (
        lambda d: d.table("orders", {"customer_id": "uuid"}, tenant=False)
        .reference("orders", "customer_id", "customers")
        .table("items", {"order_id": "uuid"}, tenant=False)
        .reference("items", "order_id", "orders"),
        ["items.order_id>orders", "orders.customer_id>customers"],
    ),
    "a key that must be there wins over one that may be NULL": (
        lambda d: d.table("venues").table("events")
        .table("items", {"event_id": "uuid", "venue_id": "uuid"}, tenant=False, nullable=["event_id"])
        .reference("items", "event_id", "events").reference("items", "venue_id", "venues"),
        ["items.venue_id>venues"],
    ),
    "a foreign key wins over a name": (
        lambda d: d.table("venues").table("events")
        .table("items", {"event_id": "uuid", "venue_id": "uuid"}, tenant=False)
        .reference("items", "venue_id", "venues"),
        ["items.venue_id>venues"],
    ),
    "two foreign keys win over one name": (
        lambda d: d.table("events")
        .table("orders", {"customer_id": "uuid"}, tenant=False).reference("orders", "customer_id", "customers")
        .table("items", {"order_id": "uuid", "event_id": "uuid"}, tenant=False)
        .reference("items", "order_id", "orders"),
        ["items.order_id>orders", "orders.customer_id>customers"],
    ),
    "any name wins over a foreign key to a user": (
        lambda d: d.table("users").table("events")
        .table("items", {"user_id": "uuid", "event_id": "uuid"}, tenant=False)
        .reference("items", "user_id", "users"),
        ["items.event_id>events"],
    ),
    "a user is better than nothing": (
        lambda d: d.table("users").table("items", {"buyer": "uuid"}, tenant=False).reference("items", "buyer", "users"),
        ["items.buyer>users"],
    ),
    "the fullest name wins": (
        lambda d: d.table("order_lines").table("lines").table("items", {"order_line_id": "uuid"}, tenant=False),
        ["items.order_line_id>order_lines"],
    ),
    "a word before the table's name is left out": (
        lambda d: d.table("tickets").table("items", {"original_ticket_id": "uuid"}, tenant=False),
        ["items.original_ticket_id>tickets"],
    ),
    "names in camel case are names as well": (
        lambda d: d.table("orderLines").table("items", {"orderLineId": "uuid"}, tenant=False),
        ["items.orderLineId>orderLines"],
    ),
    "a name in -y has its table in -ies": (
        lambda d: d.table("categories").table("items", {"category_id": "uuid"}, tenant=False),
        ["items.category_id>categories"],
    ),
    "a name in -ss has its table in -es": (
        lambda d: d.table("addresses").table("items", {"address_id": "uuid"}, tenant=False),
        ["items.address_id>addresses"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PATHS)
def test_path(case: str) -> None:
    build, path = PATHS[case]
    assert via(classified(build(platform()), "items")) == path


def test_a_path_is_told_in_words() -> None:
    database = platform().table("orders", {"customer_id": "uuid"}, tenant=False)
    path = classified(database, "orders").path
    assert describe(path) == "public.orders.customer_id refers by its name (no foreign key) to public.customers"
