"""New policies are called like those of the tables around them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.config.model import Config, Roles
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


def beside(facts_: Facts, *policies: Policy) -> Facts:
    """The same database with more policies."""
    catalog = facts_.replayed.catalog
    more = {**catalog.policies, **{(policy.table, policy.name): policy for policy in policies}}
    return gather(Replayed("db", replace(catalog, policies=more)), (), Config())


def policy(table: str, name: str, command: Command = "all", using: str | None = "true", *roles: str) -> Policy:
    origin = Origin("orders", "001.ts", Place("001.ts"), "create", "CREATE")
    check = using if command == "all" else None
    return Policy(QName("public", table), name, command, True, roles or ("admin",), using, check, (origin,))


TWO = facts(("a", "tenant_isolation", "all"), ("b", "tenant_isolation", "all"))


def test_what_all_siblings_have_for_another_role_comes_along() -> None:
    given = beside(
        TWO, policy("a", "a_admin"), policy("b", "b_admin"), policy("b", "b_reads", "select", MINE, "reader")
    )
    own, admin = written(given)
    assert (own.name, own.roles) == ("tenant_isolation", ("public",))
    assert (admin.name, admin.command, admin.roles) == ("invoices_admin", "all", ("admin",))
    assert (admin.using, admin.check) == ("true", "true")
    given = beside(
        TWO, policy("a", "a_reads", "select", MINE, "reader"), policy("b", "b_reads", "select", MINE, "reader")
    )
    assert [(one.name, one.using, one.check) for one in written(given)][1:] == [("invoices_reads", "mine", None)]
    assert policy_style(given, "orders").doubts == ()


def test_who_reaches_every_tenant_has_to_be_confirmed() -> None:
    given = beside(TWO, policy("a", "a_admin"), policy("b", "b_admin"))
    (doubt,) = policy_style(given, "orders").doubts
    assert doubt.startswith("admin goes on reaching the rows of every tenant")
    meant = replace(given, config=Config(roles=Roles(bypass=("admin",))))
    assert [one.name for one in written(meant)] == ["tenant_isolation", "invoices_admin"]
    assert policy_style(meant, "orders").doubts == ()


def test_the_application_itself_is_never_let_in_to_all() -> None:
    given = beside(TWO, policy("a", "a_app", "all", "true", "app"), policy("b", "b_app", "all", "true", "app"))
    bound = replace(given, config=Config(roles=Roles(application="app")))
    assert [one.name for one in written(bound)] == ["tenant_isolation"]
    for_app = facts(("a", "mine", "all"), ("b", "mine", "all"), roles=("app",))
    given = beside(for_app, policy("a", "all", "all", "true", "app"), policy("b", "all", "all", "true", "app"))
    assert [one.name for one in written(given)] == ["mine"]


LEFT_OUT = {
    "one sibling of two": ((policy("a", "a_admin"),), 1),
    "a condition of its own": (
        (policy("a", "admin", "all", "owner = 'me'"), policy("b", "admin", "all", "owner = 'me'")),
        1,
    ),
    "what opens on a setting": (
        tuple(policy(table, "bypass", "all", "current_setting('app.bypass', true) = 'on'", "public") for table in "ab"),
        0,
    ),
    "what opens on a setting for a role": (
        tuple(policy(table, "bypass", "all", "current_setting('app.bypass', true) = 'on'") for table in "ab"),
        1,
    ),
    "what is open to everybody": (tuple(policy(table, "open", "select", "true", "public") for table in "ab"), 0),
    "what is open to everybody among others": (
        tuple(policy(table, "open", "select", "true", "admin", "public") for table in "ab"),
        1,
    ),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_not_taken_over_for_another_role_is_said(name: str) -> None:
    more, sentences = LEFT_OUT[name]
    given = beside(TWO, *more)
    assert [one.name for one in written(given)] == ["tenant_isolation"]
    assert len(policy_style(given, "orders").doubts) == sentences


def test_what_one_sibling_of_many_has_is_its_own_affair() -> None:
    three = facts(*((table, "tenant_isolation", "all") for table in "abc"))
    assert policy_style(beside(three, policy("a", "a_admin")), "orders").doubts == ()
