"""New policies are called like those of the tables around them."""

from __future__ import annotations

import pytest

from remediate.config.model import Config
from remediate.detect.facts import gather
from remediate.detect.model import Facts
from remediate.plan.operations import PolicyState
from remediate.plan.siblings import COMMANDS, DEFAULT_STYLE, policy_style
from remediate.replay.catalog import Catalog, Column, Command, Origin, Policy, QName, Replayed, Table
from remediate.source.place import Place

NEW = QName("public", "invoices")
MINE = "tenant_id = current_setting('app.current_tenant_id', true)::uuid"


def facts(*policies: tuple[str, str, Command], service: str = "orders", roles: tuple[str, ...] = ("public",)) -> Facts:
    """A database whose tables have these policies: table, name, command."""
    origin = Origin(service, "001.ts", Place("001.ts"), "create", "CREATE")
    columns = (Column("tenant_id", "uuid"),)
    tables = {QName("public", table): Table(QName("public", table), columns, (origin,)) for table, _, _ in policies}
    made = {
        (QName("public", table), name): Policy(
            QName("public", table),
            name,
            command,
            True,
            roles,
            None if command == "insert" else MINE,
            MINE if command in ("insert", "all") else None,
            (origin,),
        )
        for table, name, command in policies
    }
    return gather(Replayed("db", Catalog(tables=tables, policies=made)), (), Config())


def written(given: Facts, table: QName = NEW, service: str = "orders") -> list[PolicyState]:
    return list(policy_style(given, service).policies(table, "mine"))


NAMES = {
    ("orders", "orders_isolation"): "invoices_isolation",
    ("orders", "tenant_isolation"): "tenant_isolation",
    ("orders", "Orders see orders"): "Orders see invoices",
    ("orders", "rls_orders"): "rls_invoices",
    ("t", "tenant_isolation"): "tenant_isolation",
    ("order", "reorder_order_policy"): "reorder_invoices_policy",
    ("orders", "suborders_policy"): "suborders_policy",
    ("a.b", "a.b policy axb"): "invoices policy axb",
}


@pytest.mark.parametrize("sibling", NAMES)
def test_the_name_of_the_table_is_exchanged_where_it_is_a_word(sibling: tuple[str, str]) -> None:
    (policy,) = written(facts((*sibling, "all")))
    assert policy.name == NAMES[sibling]


def test_long_names_stay_apart() -> None:
    siblings: list[tuple[str, str, Command]] = [("orders", f"orders_{command}_policy", command) for command in COMMANDS]
    policies = written(facts(*siblings), QName("public", "ö" * 31))
    assert len({policy.name for policy in policies}) == 4
    assert all(len(policy.name.encode()) <= 63 for policy in policies)
    assert {policy.name.lstrip("ö") for policy in policies} == {f"_{command}_policy" for command in COMMANDS}


def test_one_policy_for_all_commands_or_one_for_each() -> None:
    assert [policy.command for policy in written(facts(("orders", "p", "all")))] == ["all"]
    each: list[tuple[str, str, Command]] = [("orders", f"p_{command}", command) for command in COMMANDS]
    assert [policy.command for policy in written(facts(*each))] == list(COMMANDS)
    assert {policy.command: (policy.using, policy.check) for policy in written(facts(*each))} == {
        "select": ("mine", None),
        "insert": (None, "mine"),
        "update": ("mine", None),
        "delete": ("mine", None),
    }
    assert policy_style(facts(*each[:3]), "orders") == DEFAULT_STYLE, "a set with a gap is no model"


def test_the_commonest_style_of_the_own_service_wins_over_that_of_others() -> None:
    several = facts(("a", "a_mine", "all"), ("b", "b_mine", "all"), ("c", "tenant_isolation", "all"))
    assert written(several)[0].name == "invoices_mine"
    assert written(several, service="venues")[0].name == "invoices_mine", "without siblings, as other services do"
    assert policy_style(facts(), "orders") == DEFAULT_STYLE


def test_roles_are_those_of_the_siblings() -> None:
    assert written(facts(("orders", "p", "all"), roles=("app_user", "reader")))[0].roles == ("app_user", "reader")
