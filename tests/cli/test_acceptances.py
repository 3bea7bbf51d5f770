"""Findings that somebody accepts: by a comment, in the configuration, by a baseline. Counted, never hidden."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.running import one_line, run
from cli.workspaces import ORDERS, PLATFORM, raw, typescript, write

BASELINE = "remediate-baseline.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path, PLATFORM)


def findings(root: Path, *options: str) -> dict[str, Any]:
    """The findings by rule and subject."""
    document = json.loads(run("plan", root, "--format", "json", *options).out)
    return {f"{one['rule']} {one['subject']['name']}": one for one in document["findings"]}


def with_comment(root: Path, comment: str) -> None:
    path = "services/orders/migrations/002_protect.ts"
    text = ORDERS["002_protect.ts"].replace("  await knex.raw", f"  {comment}\n  await knex.raw", 1)
    write(root, {path: text})


def test_by_a_comment(root: Path) -> None:
    with_comment(root, "// remediate-ignore rls-not-forced: the owner never serves requests")
    found = findings(root)
    assert found["rls-not-forced shipments"]["suppressed"] == "the owner never serves requests"
    assert found["rls-not-forced shipments"]["fix"]["changes"] == []
    assert found["rls-not-forced refunds"]["suppressed"] is None, "it holds for the statement below it"
    text = run("plan", root).out
    assert "→ accepted: the owner never serves requests" in text
    assert "Suppressed (1)\n  1 × the owner never serves requests\n" in text
    assert text.splitlines()[-1].endswith("; 1 suppressed.")


def test_until_a_day(root: Path) -> None:
    with_comment(root, "// remediate-ignore rls-not-forced until 2999-01-01: for now")
    assert findings(root)["rls-not-forced shipments"]["suppressed"] == "for now"
    with_comment(root, "// remediate-ignore rls-not-forced until 2001-01-01: for now")
    expired = findings(root)["rls-not-forced shipments"]
    assert expired["suppressed"] is None
    assert "It was accepted until 2001-01-01 (for now), which has passed." in expired["evidence"]


@pytest.mark.parametrize("comment", ["// remediate-ignore rls-not-forced", "// remediate-ignore: because"])
def test_a_comment_without_rule_or_reason_is_named(root: Path, comment: str) -> None:
    with_comment(root, comment)
    assert findings(root)["rls-not-forced shipments"]["suppressed"] is None
    assert "it suppresses nothing" in run("plan", root).out


def test_a_comment_with_an_unknown_rule_is_named(root: Path) -> None:
    with_comment(root, "// remediate-ignore rls-not-force: the owner never serves requests")
    result = run("plan", root)
    assert "1 place could not be read" in result.last
    assert "rls-not-forced" in result.out.partition("Could not be read")[2]


def test_by_the_configuration(root: Path) -> None:
    entry = '[[suppress]]\nrule = "rls-not-forced"\nsubject = "public.ship*"\nreason = "moves next month"\n'
    write(root, {"remediate.toml": entry})
    found = findings(root)
    assert found["rls-not-forced shipments"]["suppressed"] == "moves next month"
    assert found["rls-not-forced refunds"]["suppressed"] is None
    write(root, {"remediate.toml": entry + "until = 2001-01-01\n"})
    assert findings(root)["rls-not-forced shipments"]["suppressed"] is None
    write(root, {"remediate.toml": entry.replace('reason = "moves next month"', 'reason = ""')})
    assert "a suppression needs a reason" in one_line(run("plan", root))


def test_by_a_baseline(root: Path) -> None:
    result = run("plan", root, "--write-baseline")
    assert (result.code, result.out) == (0, f"{BASELINE} accepts 7 findings; commit it to share what it accepts.\n")
    assert {path.name for path in root.iterdir()} == {"services", "README.md", BASELINE}
    found = findings(root)
    assert all(
        one["suppressed"].startswith("baseline: there when the baseline was written on ") for one in found.values()
    )
    planned = run("plan", root, "--fail-on", "info")
    assert planned.code == 0
    assert planned.last == "No findings; nothing to change; 7 suppressed."
    # What is new is reported.
    write(
        root,
        {"services/orders/migrations/003_more.ts": ORDERS["001_create_orders.ts"].replace("'orders', ", "'bills', ")},
    )
    new = [key for key, one in findings(root).items() if one["suppressed"] is None]
    assert new
    assert all("bills" in key for key in new)


def test_a_second_baseline_keeps_the_reasons(root: Path) -> None:
    run("plan", root, "--write-baseline")
    entries = json.loads((root / BASELINE).read_text())
    entries["findings"][0]["reason"] = "agreed with the auditors"
    entries["findings"].append({"id": "0" * 12, "rule": "missing-rls", "subject": "public.gone", "reason": "old"})
    write(root, {BASELINE: json.dumps(entries)})
    run("plan", root, "--write-baseline")
    again = json.loads((root / BASELINE).read_text())["findings"]
    assert "agreed with the auditors" in [entry["reason"] for entry in again]
    assert "public.gone" not in [entry["subject"] for entry in again], "what is repaired needs no entry"


def test_a_baseline_of_a_part_keeps_the_rest(root: Path) -> None:
    run("plan", root, "--write-baseline", "--rule", "missing-rls")
    assert {entry["rule"] for entry in json.loads((root / BASELINE).read_text())["findings"]} == {"missing-rls"}
    run("plan", root, "--write-baseline", "--rule", "duplicate-function")
    rules = [entry["rule"] for entry in json.loads((root / BASELINE).read_text())["findings"]]
    assert sorted(rules) == ["duplicate-function", "missing-rls", "missing-rls"]


@pytest.mark.parametrize("content", ["{", '{"format": "remediate.baseline/9"}', '{"format": 1}'])
def test_a_broken_baseline_is_an_error(root: Path, content: str) -> None:
    write(root, {BASELINE: content})
    assert one_line(run("plan", root)).startswith(f"{BASELINE}: ")
    assert (root / BASELINE).read_text() == content


def notes(root: Path, *options: str) -> list[str]:
    return list(json.loads(run("plan", root, "--format", "json", *options).out)["notes"])


def test_what_accepts_nothing_is_told(root: Path) -> None:
    used = '[[suppress]]\nrule = "rls-not-forced"\nsubject = "public.ship*"\nreason = "moves next month"\n'
    unused = used.replace("ship*", "gone")
    write(root, {"remediate.toml": used + unused})
    with_comment(root, "// remediate-ignore missing-rls: it has some")
    told = [
        "remediate.toml, key suppress[2]: there is no rls-not-forced of public.gone to accept any more.",
        "services/orders/migrations/002_protect.ts:4: there is no missing-rls for remediate-ignore to accept.",
    ]
    result = run("plan", root)
    assert notes(root) == told
    assert all(f"  {one}\n" in result.out for one in told)
    assert run("plan", root, "--fail-on", "never").code == 0
    assert notes(root, "--rule", "rls-not-forced") == told[:1], "another rule was not looked for"
    assert notes(root, "--service", "orders") == told
    write(root, {"remediate.toml": used + unused + "[rules.rls-not-forced]\nenabled = false\n"})
    assert notes(root) == told[1:]


def test_what_has_run_out_or_is_accepted_twice_is_in_use(root: Path) -> None:
    twice = '[[suppress]]\nrule = "rls-not-forced"\nreason = "a"\n'
    write(root, {"remediate.toml": twice + twice + "until = 2001-01-01\n"})
    with_comment(root, "// remediate-ignore rls-not-forced: b")
    assert notes(root) == []


def test_a_baseline_that_accepts_what_is_there_no_more(root: Path) -> None:
    run("plan", root, "--write-baseline")
    assert notes(root) == []
    with_comment(root, "")
    write(
        root,
        {"services/orders/migrations/003_force.ts": typescript(raw("ALTER TABLE shipments FORCE ROW LEVEL SECURITY"))},
    )
    told = "The baseline accepts 1 finding that is there no more: plan --write-baseline takes them out."
    assert notes(root) == [told]
    assert notes(root, "--rule", "missing-rls") == []


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ('column = "tenantid"', "column: no table has a column tenantid; the nearest is tenant_id."),
        ('column = "xyz"', "column: no table has a column xyz."),
        ('table = "tenant"', "table: no migration creates a table tenant; the nearest is tenants."),
        (
            'global-tables = ["shipment"]',
            "global-tables: no migration creates a table shipment; the nearest is shipments.",
        ),
        ('column = "tenant_id"\ntable = "public.tenants"\nglobal-tables = ["shipments"]', ""),
    ],
)
def test_names_of_the_tenancy_that_nothing_has_are_told_first(root: Path, entry: str, told: str) -> None:
    write(root, {"remediate.toml": f"[tenancy]\n{entry}\n"})
    assert notes(root) == ([f"remediate.toml, key tenancy.{told}"] if told else [])
    assert [line for line in run("plan", root).out.splitlines()[:4] if line.startswith("remediate.toml")] == notes(root)
