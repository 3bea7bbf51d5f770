"""inconsistent-tenant-setting: which names are meant, when both are accepted, how safe it is to accept both."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from detect.builders import CURRENT, EXPANDED, LEGACY, Database, platform
from remediate.detect.detect import detect
from remediate.detect.model import Finding
from remediate.replay.catalog import Column

RULE = "inconsistent-tenant-setting"
READ = "current_setting('app.current_tenant', true)"


def findings(database: Database) -> list[Finding]:
    return list(detect(database.facts(), [RULE]))


LEFT_ALONE: dict[str, Callable[[Database], Database]] = {
    "the canonical name": lambda d: d.protected("orders"),
    "a user's setting": lambda d: d.protected(
        "orders", using=f"{CURRENT} AND created_by = current_setting('app.current_user_id', true)::uuid"
    ),
    "a bypass": lambda d: d.protected("orders", using=f"{CURRENT} OR current_setting('app.bypass_rls', true) = 'on'"),
    "a function that reads a user": lambda d: d.function(
        "current_user_id", "SELECT current_setting('app.current_user_id', true)", returns="text", language="sql"
    ),
    "a function that sets the canonical name": lambda d: d.function(
        "set_tenant", "BEGIN PERFORM set_config('app.current_tenant_id', p_tenant::text, true); END", returns="void"
    ),
}


@pytest.mark.parametrize("case", LEFT_ALONE)
def test_leaves_alone(case: str) -> None:
    assert findings(LEFT_ALONE[case](platform())) == []


def test_the_only_name_in_use_is_no_fault() -> None:
    assert findings(Database().protected("orders", using=LEGACY).protected("items", using=LEGACY)) == []


def test_a_policy_that_reads_another_name() -> None:
    (finding,) = findings(platform().protected("orders", using=LEGACY))
    assert str(finding.subject) == "public.orders.tenant_isolation"
    assert finding.message == (
        "Policy tenant_isolation on public.orders reads the tenant as app.current_tenant, "
        "where app.current_tenant_id is meant"
    )
    assert (finding.level, finding.reasons, finding.waiting) == ("safe", (), None)


def test_the_service_is_the_one_that_created_the_policy() -> None:
    (finding,) = findings(platform().table("orders", rls=True).policy("orders", LEGACY, service="till"))
    assert finding.service == "till"


def test_code_that_sets_the_other_name_is_evidence() -> None:
    database = platform().protected("orders", using=LEGACY)
    database.file("old.ts", service="till", sets=["app.current_tenant"])
    (finding,) = findings(database)
    assert "till sets app.current_tenant in services/till/src/old.ts:1." in finding.evidence


SAFE = {
    "one-argument current_setting": LEGACY.replace(", true", ""),
    "NULLIF in a sub-select": "tenant_id = (SELECT NULLIF(current_setting('app.current_tenant', true), '')::uuid)",
    "a condition beside it": f"{LEGACY} AND deleted_at IS NOT NULL",
    "another way in beside it": f"{LEGACY} OR created_by = current_setting('app.current_user_id', true)::uuid",
    "a comparison inside EXISTS": f"EXISTS (SELECT 1 FROM customers c WHERE c.id = customer_id AND c.{LEGACY})",
}


@pytest.mark.parametrize("case", SAFE)
def test_safe_policy(case: str) -> None:
    (finding,) = findings(platform().protected("orders", using=SAFE[case]).protected("x", using=CURRENT))
    assert (finding.level, finding.reasons) == ("safe", ())


UNSAFE = {
    "another column": (f"venue_id::text = {READ}", "is compared with venue_id, not with tenant_id"),
    "another column in a sub-select": (
        f"event_id IN (SELECT id FROM events WHERE venue_id::text = {READ})",
        "is compared with venue_id",
    ),
    "IS NULL": (f"{READ} IS NULL OR {LEGACY}", "more than a comparison"),
    "a default tenant": (f"tenant_id = COALESCE({READ}::uuid, default_tenant())", "more than a comparison"),
    "an inequality": (f"NOT (tenant_id <> {READ}::uuid)", "more than a comparison"),
    "NOT EXISTS": (f"NOT EXISTS (SELECT 1 FROM blocked b WHERE b.{LEGACY})", "decides with NOT"),
    "CASE": (f"CASE WHEN {LEGACY} THEN true ELSE public END", "decides with CASE"),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_unsafe_policy(case: str) -> None:
    using, reason = UNSAFE[case]
    (finding,) = findings(platform().protected("orders", using=using).protected("x", using=CURRENT))
    assert finding.level == "unsafe"
    assert any(reason in given for given in finding.reasons), finding.reasons


def test_a_default_that_reads_another_name_is_manual() -> None:
    default = Column("tenant_id", "uuid", False, default=f"({READ})::uuid")
    (finding,) = findings(platform().protected("x", using=CURRENT).table("orders").column("orders", default))
    assert (finding.subject.kind, str(finding.subject), finding.level) == (
        "column",
        "public.orders.tenant_id",
        "manual",
    )


def test_a_refused_statement_on_the_table_taints_its_policies() -> None:
    database = platform().protected("orders", using=LEGACY).refusal("42P01", "no", subjects=["orders"])
    (finding,) = findings(database)
    assert (finding.level, finding.tainted) == ("unsafe", True)


# ------------------------------------------------------------------------------------------- waiting


def test_a_policy_that_accepts_both_waits() -> None:
    database = platform().protected("orders", using=EXPANDED)
    database.file("old.ts", service="till", sets=["app.current_tenant"])
    (finding,) = findings(database)
    assert finding.severity == "info"
    assert finding.waiting == (
        "till (services/till/src/old.ts:1) still sets app.current_tenant: "
        "it has to set app.current_tenant_id, and be deployed"
    )


def test_it_waits_for_people_when_no_code_sets_the_old_name() -> None:
    (finding,) = findings(platform().protected("orders", using=EXPANDED))
    assert finding.waiting == (
        "no code in the workspace sets app.current_tenant any more; what has been deployed, only you can tell"
    )


NOT_WAITING = {
    "both names in two comparisons": f"{CURRENT} OR {LEGACY}",
    "both names without refusing that they disagree": (
        "tenant_id = (SELECT COALESCE(NULLIF(current_setting('app.current_tenant_id', true), ''), "
        "NULLIF(current_setting('app.current_tenant', true), ''))::uuid)"
    ),
    "one expanded read and one that is not": f"({EXPANDED}) AND ({LEGACY})",
}


@pytest.mark.parametrize("case", NOT_WAITING)
def test_does_not_wait(case: str) -> None:
    (finding,) = findings(platform().protected("orders", using=NOT_WAITING[case]))
    assert finding.waiting is None


# ------------------------------------------------------------------------------------------- functions

RETURNS = f"SELECT {READ}::uuid"


def function(body: str, name: str = "current_tenant_id", **options: str) -> Database:
    return platform().function(name, body, **{"returns": "uuid", "language": "sql", **options})


def test_a_function_that_returns_another_name() -> None:
    (finding,) = findings(function(RETURNS))
    assert (str(finding.subject), finding.level) == ("public.current_tenant_id()", "safe")


def test_policies_that_call_it_are_evidence_and_no_findings() -> None:
    database = function(RETURNS).table("orders", rls=True).policy("orders", "tenant_id = current_tenant_id()")
    (finding,) = findings(database)
    assert finding.subject.kind == "function"
    assert "Policies that call it: tenant_isolation on public.orders." in finding.evidence


FUNCTIONS_UNSAFE: dict[str, tuple[Callable[[], Database], str]] = {
    "raises when unset": (lambda: function(RETURNS.replace(", true", "")), "It raises where"),
    "decides": (
        lambda: function(f"BEGIN IF NEW.tenant_id <> {READ}::uuid THEN RAISE 'no'; END IF; RETURN NEW; END"),
        "more than return",
    ),
    "sets": (
        lambda: function("BEGIN PERFORM set_config('app.current_tenant', p_tenant::text, true); END", "set_it"),
        "It sets app.current_tenant",
    ),
    "is called by another function": (
        lambda: function(RETURNS).function("guard", "BEGIN IF x <> current_tenant_id() THEN RAISE 'no'; END IF; END"),
        "public.guard() calls it",
    ),
}


@pytest.mark.parametrize("case", FUNCTIONS_UNSAFE)
def test_unsafe_function_that(case: str) -> None:
    build, reason = FUNCTIONS_UNSAFE[case]
    (finding,) = findings(build())
    assert finding.level == "unsafe"
    assert any(reason in given for given in finding.reasons), finding.reasons


def test_a_function_that_reads_or_sets_both_waits() -> None:
    both = "CASE WHEN a <> b THEN NULL ELSE COALESCE(current_setting('app.current_tenant_id', true), {}) END"
    reading = function(f"SELECT {both.format(READ)}")
    setting = function(
        "SELECT set_config('app.current_tenant_id', set_config('app.current_tenant', p_tenant::text, true), true)",
        "set_it",
    )
    for database in (reading, setting):
        (finding,) = findings(database)
        assert finding.waiting
