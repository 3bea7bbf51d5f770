"""What was made by something that could not be read is missed by nobody: no refusal is claimed for it."""

from __future__ import annotations

import pytest

from remediate.evaluate.knex.session import Subject
from remediate.evaluate.values import Unknown
from remediate.replay.catalog import QName
from remediate.replay.engine import Assumption, StaticEngine
from remediate.source.place import Place, Unresolved
from replay.differential import send

UNREAD = Unresolved("service", Place("0.ts"), "calls a function of another package")


@pytest.mark.parametrize("assume", ["applied", "fresh"])
@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX ON made.job (a)",
        "ALTER TABLE jobs ADD COLUMN a int",
        "INSERT INTO jobs VALUES (1)",
        "SELECT made()",
        "CREATE TABLE t (a made)",
        "ALTER TABLE here ENABLE ROW LEVEL SECURITY, DROP COLUMN made",
    ],
)
def test_anything_may_have_been_made(sql: str, assume: Assumption) -> None:
    engine = StaticEngine(strict=True, assume=assume)
    assert send(engine, "CREATE TABLE here (a int)") is None
    assert send(engine, sql) is not None
    engine.miss(UNREAD, None)
    assert send(engine, sql) is None
    assert engine.last_error is None or assume == "fresh"
    assert any("unless something that is not known made it" in told.reason for told in engine.told.unresolved)


def test_what_is_taken_is_refused_all_the_same() -> None:
    engine = StaticEngine(strict=True)
    engine.miss(UNREAD, None)
    assert send(engine, "CREATE TABLE here (a int)") is None
    assert send(engine, "CREATE TABLE here (a int)") == "42P07"
    assert send(engine, "SELECT * FROM here WHERE") == "42601"


def test_only_the_table_that_could_not_be_read() -> None:
    engine = StaticEngine(strict=True)
    engine.miss(UNREAD, Subject("create table", "jobs"))
    assert send(engine, "ALTER TABLE jobs ENABLE ROW LEVEL SECURITY") is None
    assert send(engine, "ALTER TABLE others ENABLE ROW LEVEL SECURITY") == "42P01"
    assert {effect.subjects for effect in engine.told.unknown_effects} == {(QName("public", "jobs"),)}


def test_another_service_is_not_affected() -> None:
    engine = StaticEngine(strict=True)
    engine.miss(Unresolved("other", Place("0.ts"), "calls a function of another package"), None)
    assert send(engine, "ALTER TABLE jobs ENABLE ROW LEVEL SECURITY") == "42P01"


def test_whether_it_is_there_is_not_known() -> None:
    engine = StaticEngine(strict=True)
    engine.miss(UNREAD, Subject("create table", "jobs"))
    assert isinstance(engine.has_table(None, "jobs"), Unknown)
    assert engine.has_table(None, "others") is False


def test_a_library_makes_relations_of_its_own_and_leaves_others_alone() -> None:
    engine = StaticEngine(strict=True)
    engine.miss(UNREAD, Subject("create others", ""))
    assert send(engine, "CREATE INDEX ON made.job (a)") is None
    assert {effect.subjects for effect in engine.told.unknown_effects} == {(QName("made", "job"),)}
    assert send(engine, "CREATE TABLE here (); GRANT SELECT ON here TO somebody") == "42704"


def test_an_unknown_role_doubts_roles_alone() -> None:
    engine = StaticEngine(strict=True)
    engine.miss(UNREAD, Subject("roles", ""))
    assert send(engine, "CREATE TABLE here (a int)") is None
    assert send(engine, "GRANT SELECT ON here TO somebody") is None
    assert send(engine, "ALTER TABLE others ENABLE ROW LEVEL SECURITY") == "42P01"
    assert [effect.subjects for effect in engine.told.unknown_effects if not effect.subjects] == []
