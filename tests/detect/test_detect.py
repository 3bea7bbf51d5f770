"""Order, severities, and what somebody has accepted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from detect.builders import LEGACY, Database, platform
from remediate.config.model import Config, Rule, Suppression
from remediate.detect.baseline import read_baseline, write_baseline
from remediate.detect.detect import detect
from remediate.detect.model import Finding
from remediate.errors import RemediateError
from remediate.source.model import IgnoreComment
from remediate.source.place import Place

TODAY = date(2026, 6, 1)


def faulty(rules: Mapping[str, Rule] | None = None, suppress: tuple[Suppression, ...] = ()) -> Database:
    database = platform(Config(rules=dict(rules or {}), suppress=suppress))
    return database.table("orders").protected("items", using=LEGACY).table("logs", rls=True, service="auth")


def only(database: Database, **options: object) -> dict[str, Finding]:
    found = detect(database.facts(), ["missing-rls", "rls-not-forced"], today=TODAY, **options)  # type: ignore[arg-type]
    return {f"{finding.rule} {finding.subject}": finding for finding in found}


def test_order_is_service_then_rule_then_subject() -> None:
    found = [(finding.service, finding.rule) for finding in detect(faulty().facts())]
    assert found == [
        ("auth", "rls-without-policy"),
        ("auth", "rls-not-forced"),
        ("shop", "missing-rls"),
        ("shop", "rls-not-forced"),
        ("shop", "inconsistent-tenant-setting"),
    ]


def test_the_same_input_gives_the_same_findings() -> None:
    assert detect(faulty().facts()) == detect(faulty().facts())


def test_ids_do_not_depend_on_lines() -> None:
    moved = platform()
    moved.lines = 500
    moved.table("orders")
    (one,) = detect(platform().table("orders").facts(), ["missing-rls"])
    (other,) = detect(moved.facts(), ["missing-rls"])
    assert one.locations != other.locations
    assert one.id == other.id


def test_a_configured_severity() -> None:
    found = only(faulty({"missing-rls": Rule(severity="info")}))
    assert found["missing-rls public.orders"].severity == "info"
    assert found["rls-not-forced public.items"].severity == "error"


def test_a_rule_that_is_switched_off() -> None:
    assert "missing-rls public.orders" not in only(faulty({"missing-rls": Rule(enabled=False)}))


def test_an_unknown_rule_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(RemediateError, match="did you mean missing-rls"):
        detect(faulty().facts(), ["missing_rls"])


# ------------------------------------------------------------------------------------------- suppressions


@pytest.mark.parametrize("subject", ["public.orders", "public.*", "*"])
def test_the_configuration_accepts(subject: str) -> None:
    accepted = (Suppression(rule="missing-rls", subject=subject, reason="a queue"),)
    found = only(faulty(suppress=accepted))
    assert found["missing-rls public.orders"].suppressed == "a queue"
    assert found["rls-not-forced public.items"].suppressed is None


@pytest.mark.parametrize("subject", ["public.order", "orders", "public.order?"])
def test_another_subject_is_not_accepted(subject: str) -> None:
    accepted = (Suppression(rule="missing-rls", subject=subject, reason="a queue"),)
    assert only(faulty(suppress=accepted))["missing-rls public.orders"].suppressed is None


@pytest.mark.parametrize(("until", "accepted"), [("2026-06-01", True), ("2026-05-31", False)])
def test_an_acceptance_runs_out(until: str, accepted: bool) -> None:
    suppression = Suppression(rule="missing-rls", reason="a queue", until=until)
    finding = only(faulty(suppress=(suppression,)))["missing-rls public.orders"]
    assert (finding.suppressed == "a queue") == accepted
    assert any("has passed" in sentence for sentence in finding.evidence) != accepted


def test_a_date_that_is_none_is_an_error() -> None:
    suppression = Suppression(rule="missing-rls", reason="a queue", until="soon")
    with pytest.raises(RemediateError, match="2027-01-31"):
        only(faulty(suppress=(suppression,)))


def test_a_comment_accepts_the_statement_below_it() -> None:
    finding = only(faulty())["missing-rls public.orders"]
    place = finding.locations[0]
    for line, accepted in (
        (place.line, True),
        (place.line - 1, True),
        (place.line - 10, False),
        (place.line + 1, False),
    ):
        comment = IgnoreComment(Place(place.file, line), ("missing-rls",), "a queue")
        found = only(faulty(), ignores=[comment])["missing-rls public.orders"]
        assert (found.suppressed == "a queue") == accepted, line


def test_a_comment_accepts_the_named_rule_only() -> None:
    place = only(faulty())["missing-rls public.orders"].locations[0]
    comment = IgnoreComment(place, ("rls-not-forced",), "a queue")
    assert only(faulty(), ignores=[comment])["missing-rls public.orders"].suppressed is None


# ------------------------------------------------------------------------------------------- baseline


def test_a_baseline_accepts_what_is_there() -> None:
    found = list(only(faulty()).values())
    baseline = read_baseline(write_baseline(found, "before the audit"))
    again = only(faulty().table("fresh"), baseline=baseline)
    assert again["missing-rls public.orders"].suppressed == "baseline: before the audit"
    assert again["missing-rls public.fresh"].suppressed is None


def test_a_baseline_written_again_keeps_reasons() -> None:
    baseline = read_baseline(write_baseline(only(faulty()).values(), "before the audit"))
    found = only(faulty().table("fresh"), baseline=baseline)
    again = read_baseline(write_baseline(found.values(), "later", baseline))
    assert {entry.subject: entry.reason for entry in again.entries.values() if entry.rule == "missing-rls"} == {
        "public.orders": "before the audit",
        "public.fresh": "later",
    }


def test_a_baseline_leaves_out_what_is_accepted_elsewhere() -> None:
    accepted = (Suppression(rule="missing-rls", reason="a queue"),)
    baseline = read_baseline(write_baseline(only(faulty(suppress=accepted)).values(), "now"))
    assert {entry.rule for entry in baseline.entries.values()} == {"rls-not-forced"}


@pytest.mark.parametrize("data", [b"", b"[]", b'{"format": "other/1", "findings": []}', b'{"findings": [{"x": 1}]}'])
def test_a_file_that_is_no_baseline_is_an_error(data: bytes) -> None:
    with pytest.raises(RemediateError, match=r"remediate-baseline\.json"):
        read_baseline(data)
