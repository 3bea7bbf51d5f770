"""Which role the application connects as, and what that changes about FORCE."""

from __future__ import annotations

from dataclasses import replace

from detect.builders import Database, platform
from remediate.config.model import Config, Roles
from remediate.detect.detect import detect
from remediate.detect.model import Application, Finding
from remediate.detect.roles import application_of
from remediate.replay.catalog import Grant, Role


def behind_a_job(config: Config) -> Database:
    """A protected table that a job reads without a tenant: forced, the job would see nothing, if it came as owner."""
    return platform(config).protected("orders").file("jobs/report.ts", "db('orders').count()", role="job")


def the_finding(database: Database) -> Finding:
    (finding,) = detect(database.facts(), ["rls-not-forced"])
    return finding


def granting(*grants: tuple[str, str], roles: tuple[Role, ...] = (), config: Config | None = None) -> Application:
    """What is found for the table `orders` after these grants of tables to roles."""
    facts = platform(config or Config()).protected("orders").facts()
    catalog = facts.replayed.catalog
    table = next(table for table in catalog.tables.values() if table.name.name == "orders")
    made = tuple(Grant("table", f"public.{name}", role, ("SELECT", "INSERT"), table.history) for role, name in grants)
    changed = replace(catalog, grants=made, roles={role.name: role for role in roles})
    return application_of(replace(facts, replayed=replace(facts.replayed, catalog=changed)), table)


def test_code_that_may_come_as_the_owner_makes_force_unsafe() -> None:
    finding = the_finding(behind_a_job(Config()))
    assert finding.level == "unsafe"
    assert "jobs/report.ts" in " ".join(finding.reasons)


def test_code_that_comes_as_another_role_is_bound_already() -> None:
    finding = the_finding(behind_a_job(Config(roles=Roles(application="app_user", migration="owner"))))
    assert finding.level == "safe"
    assert "app_user" in " ".join(finding.evidence)


def test_an_application_that_is_the_owner_is_bound_by_force_only() -> None:
    database = behind_a_job(Config(roles=Roles(application="owner", migration="owner")))
    table = database.tables[next(name for name in database.tables if name.name == "orders")]
    database.tables[table.name] = replace(table, owner="owner")
    assert the_finding(database).level == "unsafe"


def test_the_only_role_that_is_granted_the_table_is_the_guess() -> None:
    found = granting(("app", "orders"), ("reporting", "customers"))
    assert (found.role, found.certain) == ("app", False)


def test_two_roles_that_are_granted_the_table_are_no_guess() -> None:
    assert granting(("app", "orders"), ("reporting", "orders")).role is None


def test_a_role_that_may_pass_is_none_that_policies_bind() -> None:
    grants = (("jobs", "orders"), ("exporter", "orders"))
    passing = (Role("jobs", False, True, ()),)
    assert granting(*grants, roles=passing).role == "exporter"
    assert granting(*grants, roles=passing, config=Config(roles=Roles(bypass=("exporter",)))).role is None


def test_roles_that_may_pass_are_named_beside_the_finding() -> None:
    finding = the_finding(behind_a_job(Config(roles=Roles(bypass=("exporter",)))))
    assert "exporter" in " ".join(finding.evidence)
