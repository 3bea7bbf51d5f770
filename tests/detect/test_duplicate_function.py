"""duplicate-function: who creates a function too, and whether it is the same one."""

from __future__ import annotations

from detect.builders import Database, q
from remediate.detect.detect import detect
from remediate.detect.model import Finding

RULE = "duplicate-function"
BODY = "BEGIN NEW.updated_at = now(); RETURN NEW; END;"


def findings(database: Database) -> list[Finding]:
    return list(detect(database.facts(), [RULE]))


def twice(body: str = BODY, **options: object) -> Database:
    database = Database().function("touch", BODY, service="auth")
    return database.function("touch", body, service="venue", **options)  # type: ignore[arg-type]


def test_equal_functions_are_safe() -> None:
    (finding,) = findings(twice())
    assert (finding.service, str(finding.subject), finding.level) == ("venue", "public.touch()", "safe")
    assert "the same function" in finding.message
    assert [place.file.split("/")[1] for place in finding.locations] == ["venue", "auth"]


def test_layout_and_comments_make_no_difference() -> None:
    (finding,) = findings(twice("BEGIN\n  -- now\n  new.updated_at  = NOW();\n  RETURN NEW;\nEND;"))
    assert finding.level == "safe"


def test_another_body_is_unsafe() -> None:
    (finding,) = findings(twice("BEGIN NEW.updated_at = clock_timestamp(); RETURN NEW; END;"))
    assert finding.level == "unsafe"
    assert finding.message.endswith("differently from auth: another body")


def test_other_attributes_are_unsafe() -> None:
    (finding,) = findings(twice(definer=True))
    assert finding.message.endswith("another SECURITY DEFINER") or "SECURITY DEFINER" in finding.message
    assert finding.level == "unsafe"


def test_each_further_service_is_a_finding() -> None:
    database = twice().function("touch", BODY, service="event")
    assert [finding.service for finding in findings(database)] == ["venue", "event"]


def test_a_service_that_creates_it_twice_counts_with_its_last_version() -> None:
    database = twice("BEGIN RETURN NULL; END;").function("touch", BODY, service="venue")
    (finding,) = findings(database)
    assert finding.level == "safe"


def test_a_creation_that_postgresql_refuses_is_a_difference() -> None:
    database = Database().function("touch", BODY, service="auth")
    database.refusal(
        "42P13",
        "cannot change return type of existing function",
        statement="CREATE OR REPLACE FUNCTION touch() RETURNS void AS $$ $$ LANGUAGE plpgsql",
        service="venue",
    )
    (finding,) = findings(database)
    assert (finding.service, finding.level) == ("venue", "unsafe")
    assert "42P13" in finding.message


def test_triggers_that_run_it_are_evidence() -> None:
    database = twice().table("venues", service="venue").trigger("venues", "touch")
    (finding,) = findings(database)
    assert "Triggers of venue that run it: touch on public.venues." in finding.evidence


def test_leaves_alone_one_service_that_replaces_its_own() -> None:
    assert findings(Database().function("touch", BODY).function("touch", "BEGIN RETURN NULL; END;")) == []


def test_leaves_alone_overloads() -> None:
    database = Database().function("touch", BODY, service="auth")
    assert findings(database.function("touch", BODY, service="venue", arguments="a uuid")) == []


def test_leaves_alone_the_same_name_in_two_schemas() -> None:
    assert findings(Database().function("touch", BODY).function("audit.touch", BODY, service="venue")) == []


def test_leaves_alone_what_has_been_dropped() -> None:
    database = twice()
    del database.functions[q("touch"), ()]
    assert findings(database) == []


def test_an_unresolved_statement_elsewhere_does_not_make_creations_unequal() -> None:
    (finding,) = findings(twice().unknown_effect("eval", service="venue"))
    assert finding.level == "safe"
