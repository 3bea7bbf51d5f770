"""Accesses that the catalog does not show: refused for what is not here, or made by services that are not planned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detect.builders import Database, q
from remediate.config.model import Config, Workspace
from remediate.detect.facts import gather
from remediate.detect.notices import warnings
from remediate.detect.rls_not_forced import detect
from remediate.detect.unseen import unseen_accesses
from remediate.source.neighbours import Neighbour

GONE = 'relation "users" does not exist'

# The refused statement, and the tables that it reaches where it was made.
STATEMENTS = {
    "CREATE VIEW v AS SELECT * FROM invoices JOIN users USING (id)": "invoices",
    "create or replace materialized view v AS SELECT * FROM public.Invoices JOIN users USING (id)": "invoices",
    'CREATE VIEW v AS SELECT "invoices" FROM users -- ledger': "invoices",
    "CREATE TRIGGER t AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION bump()": "ledger",
    "CREATE TRIGGER t AFTER INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION bump()": "ledger",
    "CREATE POLICY p ON users USING (EXISTS (SELECT 1 FROM invoices))": "invoices",
    "CREATE FUNCTION f(u users) RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM invoices $$": "invoices",
    "CREATE INDEX i ON users (invoices)": "",
    "ALTER TABLE users ADD COLUMN invoices int": "",
    "INSERT INTO users SELECT FROM invoices": "",
}


def database() -> Database:
    return Database().protected("invoices").protected("ledger").function("bump", "UPDATE ledger SET n = 1")


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_that_lacks_something_here(statement: str) -> None:
    facts = database().refusal("42P01", GONE, statement=statement).facts()
    assert " ".join(name.name for name in unseen_accesses(facts)) == STATEMENTS[statement]


def test_what_is_refused_for_itself_was_never_made() -> None:
    view = "CREATE VIEW v AS SELECT nope FROM invoices"
    assert unseen_accesses(database().refusal("42703", 'column "nope" does not exist', statement=view).facts()) == {}


def test_such_a_table_is_not_safe_to_force() -> None:
    facts = (
        database()
        .refusal("42P01", GONE, statement="CREATE VIEW v AS SELECT * FROM invoices JOIN users USING (id)")
        .file("src/db.ts", sets=["app.current_tenant_id"])
        .facts()
    )
    levels = {finding.subject.name: (finding.level, finding.reasons) for finding in detect(facts)}
    assert levels["ledger"] == ("safe", ())
    level, (reason,) = levels["invoices"]
    assert level == "unsafe"
    assert reason.endswith(f"reaches it, if it was made: what it needs is not here ({GONE}).")


def test_a_neighbour_that_names_it() -> None:
    beside = (Neighbour("stats", frozenset({"invoices", "select"})),)
    facts = replace(database().file("src/db.ts", sets=["app.current_tenant_id"]).facts(), neighbours=beside)
    assert list(unseen_accesses(facts)) == [q("invoices")]
    assert {one.subject.name: one.level for one in detect(facts)} == {"invoices": "unsafe", "ledger": "safe"}
    (warning,) = warnings([facts])
    assert warning.startswith("Planned without stats, which lies beside it")
    config = Config(workspace=Workspace(database="per-service"))
    assert warnings([gather(facts.replayed, facts.services, config, beside)]) == ()


def test_a_service_that_uses_what_nobody_here_makes_is_planned_alone() -> None:
    alone = database().refusal("42P01", GONE)
    (warning,) = warnings([alone.facts()])
    assert warning.startswith("shop is planned alone, but uses what no migration here makes (users)")
    assert warnings([database().facts()]) == ()
    assert warnings([alone.table("other", service="stats").facts()]) == (), "one fault among several services"
    assert warnings([alone.table("users").facts()]) == (), "it is made later"
    own = database().refusal("42P01", 'relation "knex_migrations_lock" does not exist').facts()
    assert warnings([own]) == ()
    assert warnings([Database().table("things", tenant=False).refusal("42P01", GONE).facts()]) == ()
