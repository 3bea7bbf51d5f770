"""The plan as text: what is said, once, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.detect.model import Subject, Tenancy
from remediate.model import Plan
from remediate.plan.model import Fix
from remediate.plan.operations import Lock
from remediate.replay.catalog import Origin, Outcome, QName, Refusal
from remediate.report.lines import plain
from remediate.report.text import PLACES_SHOWN, plan_lines
from remediate.source.place import Place, Unresolved
from report.plans import FILE, change, fix, later, plan, service


def text(made: Plan, width: int | None = None) -> str:
    return "\n".join(plain(line) for line in plan_lines(made, width=width)) + "\n"


def section(made: Plan, title: str) -> str:
    """The lines below a heading, to the next empty line."""
    return text(made).partition(f"\n{title}\n")[2].partition("\n\n")[0]


def test_a_finding_that_is_repaired() -> None:
    one = fix()
    assert section(plan(one, changes=(change(one),)), "shop") == (
        "  rls-not-forced  Row level security does not bind the table's owner (1)\n"
        f"    error    public.orders  {FILE}:7\n"
        "             It has row level security, but it does not bind its owner.\n"
        "           → safe, in services/shop/migrations/002_force.ts"
    )


def test_what_holds_for_all_findings_of_a_rule_is_said_once() -> None:
    reasons = ("The job a.ts reads it.", "Nobody knows.")
    made = plan(fix("orders", reasons=reasons), fix("bills", reasons=reasons[1:]), fix("refunds", reasons=reasons))
    assert section(made, "shop") == (
        "  rls-not-forced  Row level security does not bind the table's owner (3)\n"
        "    Each has row level security, but it does not bind its owner.\n"
        "    - Nobody knows.\n"
        f"    error    public.orders   {FILE}:7\n"
        f"             public.refunds  {FILE}:7\n"
        "           → unsafe, written with --unsafe:\n"
        "             - The job a.ts reads it.\n"
        f"    error    public.bills  {FILE}:7\n"
        "           → unsafe, written with --unsafe"
    )


def test_evidence_that_differs_in_the_subjects_name_only_is_said_once() -> None:
    made = plan(
        fix("orders", evidence=("Its policies are orders_own (for all).", "public.orders.shop_id is a foreign key.")),
        fix("bills", evidence=("Its policies are bills_own (for all).", "public.bills.shop_id is a foreign key.")),
        fix("users", evidence=("Its policies are everybody (for all).",)),
    )
    assert section(made, "shop").splitlines()[2:] == [
        f"    error    public.orders  {FILE}:7",
        f"             public.bills   {FILE}:7",
        "               Its policies are …_own (for all).",
        "               shop_id is a foreign key.",
        f"             public.users   {FILE}:7",
        "               Its policies are everybody (for all).",
        "           → safe, nothing left to write",
    ]


def test_a_finding_alone_keeps_all_names() -> None:
    policy = Subject("policy", "public", "own", "orders")
    message = "Policy own on public.orders reads the tenant as app.tenant"
    one = fix(
        subject=policy, message=message, evidence=("public.orders.own is old.",), reasons=("public.orders is read.",)
    )
    found = section(plan(one), "shop")
    assert (
        f"public.orders.own  {FILE}:7\n             Policy own on public.orders reads the tenant as app.tenant.\n"
        in found
    )
    assert "public.orders.own is old." in found or "It is old." in found
    assert "- public.orders is read." in found


def test_policies_that_say_the_same() -> None:
    fixes = [
        fix(subject=Subject("policy", "public", "own", table), message=f"Policy own on public.{table} reads app.old")
        for table in ("orders", "bills")
    ]
    assert "    Each policy reads app.old.\n" in section(plan(*fixes), "shop")


def test_no_name_is_lost() -> None:
    """Whatever is put together: every subject, place and reason of every finding is there."""
    fixes = [
        fix(
            name,
            reasons=tuple(f"File {name}-{number}.ts says so." for number in range(count)),
            locations=(Place(f"{name}.ts", 3),),
        )
        for count, name in enumerate(("a", "aa", "a_b", "table", "rows", "it", "of"))
    ]
    shown = text(plan(*fixes))
    for one in fixes:
        assert f"public.{one.finding.subject.name} " in shown
        assert f"{one.finding.subject.name}.ts:3\n" in shown
        for reason in one.reasons:
            assert f"- {reason}\n" in shown


def test_what_waits_or_is_accepted_is_no_error() -> None:
    made = plan(fix("orders", waiting="the code is deployed"), fix("bills", suppressed="agreed"))
    found = section(made, "shop")
    assert "    waiting  public.orders" in found
    assert "→ waits: the code is deployed" in found
    assert "    accepted public.bills" in found
    assert "→ accepted: agreed" in found
    assert text(made).splitlines()[-1] == "1 finding (1 waiting); nothing to change; 1 suppressed."
    assert section(made, "Suppressed (1)") == "  1 × agreed"


def test_what_only_people_can_repair_says_how() -> None:
    one = replace(fix(), level="manual", suggestion="Move the job to a role of its own.", reasons=("It is a job.",))
    found = section(plan(one), "shop")
    assert "→ manual: Move the job to a role of its own:\n             - It is a job." in found
    bare = replace(one, suggestion="", reasons=())
    assert section(plan(bare), "shop").endswith("→ manual: see remediate explain rls-not-forced")


def test_the_first_screen_counts_by_rule_and_by_service() -> None:
    one, other = fix("orders"), fix("bills", reasons=("Who knows.",))
    services = (service("shop"), service("mail", depends_on=("shop",)))
    first = text(plan(one, other, changes=(change(one),), services=services)).partition("\n\nshop\n")[0]
    assert first == (
        "2 services, 2 migrations, one database.\n"
        "Tenants are told apart by tenant_id and the setting app.current_tenant_id.\n"
        "2 findings (2 errors); 1 file to add; 1 more repaired with --unsafe.\n"
        "\n"
        "  rls-not-forced      2  Row level security does not bind the table's owner: 1 safe, 1 unsafe\n"
        "      PostgreSQL lets the owner of a table pass its policies, and services commonly connect as the owner.\n"
        "\n"
        "Services, in the order in which they are replayed\n"
        "  shop    1 migration   2 findings   1 change\n"
        "  mail    1 migration   0 findings  0 changes  needs shop"
    )


def test_how_tenants_are_told_apart_is_said_once_where_it_is_the_same() -> None:
    nothing = Tenancy(None, "tenant_id", "uuid", "app.x", (), False, {"enabled": "no tenant column was found."})
    services = (service("shop"), service("mail", database="mail"))
    made = plan(services=services, tenancy=nothing)
    assert text(made).splitlines()[:3] == [
        "2 services, 2 migrations, 2 databases.",
        "No tenancy found: no tenant column was found. "
        "If there are tenants, name their column: [tenancy] column in remediate.toml.",
        "",
    ]
    told = Tenancy(None, "tenant_id", "uuid", "app.tenant", ("app.old",), True)
    made = replace(made, databases=(made.databases[0], replace(made.databases[1], tenancy=told)))
    assert text(made).splitlines()[1:3] == [
        "In shop: No tenancy found: no tenant column was found. "
        "If there are tenants, name their column: [tenancy] column in remediate.toml.",
        "In mail: Tenants are told apart by tenant_id and the setting app.tenant (also in use: app.old).",
    ]


def test_changes_name_their_locks_and_their_mode() -> None:
    one = fix()
    locks = (Lock(QName("public", "a"), "ACCESS EXCLUSIVE"), Lock(QName("public", "b"), "ACCESS EXCLUSIVE"))
    made = plan(one, changes=(change(one, locks=locks, transaction=False, level="unsafe"),))
    assert section(made, "Changes") == (
        "  adds services/shop/migrations/002_force.ts  unsafe, repairs 1 finding, ACCESS EXCLUSIVE on 2 tables, "
        "a transaction per step"
    )


def test_later_phases_that_wait_for_the_same_stand_together() -> None:
    made = plan(later(fix("orders")), later(fix("bills")), later(fix("refunds", suppressed="x")))
    assert section(made, "Next") == ("  contract of 2 findings: drops the old name.\n    waits until no code uses it.")


@pytest.mark.parametrize("number", [1, PLACES_SHOWN, PLACES_SHOWN + 1, 1000])
def test_unread_places_are_grouped_and_all_counted(number: int) -> None:
    places = tuple(Unresolved("shop", Place(f"m/{index}.ts", 2), "a loop without end") for index in range(number))
    made = plan(unresolved=places)
    found = section(made, f"Could not be read ({number:,})")
    assert found.startswith("  a loop without end\n    m/0.ts:2")
    assert f"{number:,} place" in text(made).splitlines()[-1]
    more = number - PLACES_SHOWN
    assert (f" and {more:,} more\n  --format json lists every place." in found) == (more > 0)


def test_refused_statements_are_counted_and_what_stops_a_fresh_database_is_named() -> None:
    origin = Origin("shop", "001.ts", Place(FILE, 9), "create", "CREATE TABLE a ()")
    refusal = Refusal(origin, "42P07", 'relation "a" already exists')
    assert "PostgreSQL would refuse 1 statement of the migrations" in text(plan(refusals=(refusal,)))
    stopped = Outcome("shop", FILE, "42P07", 'error: CREATE TABLE a () - relation "a" already exists')
    shown = text(plan(refusals=(refusal,), outcomes=(stopped,)))
    assert f'migrate:latest of shop stops in {FILE} (42P07: relation "a" already exists).' in shown
    assert "CREATE TABLE a () -" not in shown


def test_what_was_taken_for_granted_is_named() -> None:
    assumed = Unresolved("shop", Place(FILE, 4), "process.env.MODE is not known")
    made = plan(assumptions=(assumed,))
    title = "Taken as on a fresh database, since nothing here can tell (1)"
    assert section(made, title) == f"  process.env.MODE is not known\n    {FILE}:4"


def test_what_discovery_notes_is_passed_on() -> None:
    made = plan()
    made = replace(made, notes=("old/migrations: excluded",))
    assert section(made, "Notes (1)") == "  old/migrations: excluded"


@pytest.mark.parametrize("width", [1, 20, 30, 40, 80, 120, 500])
def test_prose_is_broken_at_words_and_nothing_else_changes(width: int) -> None:
    long = "Because " + "of many words " * 30 + "it is so."
    one = fix("orders", reasons=(long, "Short."), evidence=(long,))
    services = (service("shop"), service("a" * 30, depends_on=("shop", "b" * 40)))
    made = plan(one, fix("bills", reasons=("Short.",)), changes=(change(one),), services=services)
    broken = text(made, width)
    assert broken.split() == text(made).split()
    lines = broken.partition("Changes")[0].splitlines()
    assert max(len(line) for line in lines if "words" in line) <= max(min(width, 120), 45)


def test_without_a_terminal_a_sentence_is_one_line() -> None:
    long = "Because " + "of many words " * 30 + "it is so."
    assert f"- {long}\n" in text(plan(fix("orders", reasons=(long,))))


def test_the_last_line_sums_up() -> None:
    one = fix("a")
    fixes: list[Fix] = [
        one,
        fix("b", severity="warning"),
        fix("c", severity="info"),
        fix("d", waiting="x"),
        fix("e", suppressed="y"),
    ]
    edit = change(one, path="services/shop/migrations/001.ts", kind="rewrite", before="old\n")
    made = plan(*fixes, changes=(change(one), edit), unresolved=(Unresolved("shop", Place(FILE), "r"),))
    lines = text(made).splitlines()
    assert lines[-1] == (
        "4 findings (1 error, 1 warning, 1 info, 1 waiting); 1 file to add and 1 file to edit; "
        "1 place could not be read; 1 suppressed."
    )
    assert lines[-2] == "To put the changes on a branch: remediate apply --branch NAME, with the same options."


def test_a_setting_that_nothing_uses_is_not_named() -> None:
    told = Tenancy(None, "tenant_id", "uuid", "app.current_tenant_id", (), True, setting_is_used=False)
    second = text(plan(tenancy=told)).splitlines()[1]
    assert second == "Tenants are told apart by tenant_id; nothing here sets or reads a setting for the tenant."


def test_what_the_plan_cannot_know_stands_before_what_it_says() -> None:
    made = replace(plan(fix()), warnings=("Planned alone.",), notes=("Nobody needs this.",))
    assert text(made).splitlines()[2] == "Planned alone."
    assert section(made, "Notes (1)") == "  Nobody needs this."
