"""A string of SQL of which whole statements are not known, as of a file of data that is not at hand."""

from __future__ import annotations

import pytest

from evaluate.world import RecordingWorld, in_up, run
from remediate.evaluate.partial import partial_text, subject_of, without_gaps
from remediate.evaluate.values import Unknown
from remediate.source.place import Place

GAP = Unknown("not known")
BOTH = "drop table b; drop table c"


@pytest.mark.parametrize(
    ("pieces", "left"),
    [
        (["create table a ();\n", GAP, "\ncreate table b ();"], "create table a ();\n\ncreate table b ();"),
        ([GAP, "\n  drop table b"], "\n  drop table b"),
        (["drop table b; -- data\n", GAP], "drop table b;"),
        (["drop table b;", GAP, ";drop table c;"], "drop table b;drop table c;"),
        (["drop table b;\n", GAP, "\n", GAP, "\nselect 1"], "drop table b;\n\n\nselect 1"),
        (["drop table b;\n", GAP, "\n-- the views\nset role x;"], "drop table b;\n\n-- the views\nset role x;"),
    ],
)
def test_whole_statements_may_be_left_out(pieces: list[str | Unknown], left: str) -> None:
    rest = without_gaps(partial_text(pieces, Place("1.ts")))
    assert rest is not None
    assert (" ".join(rest.sql.split()), rest.broken) == (" ".join(left.split()), False)


@pytest.mark.parametrize(
    ("pieces", "left", "about"),
    [
        (
            ["drop table b; create user ", GAP, " password '", GAP, "'; drop table c"],
            "drop table b; drop table c",
            "",
        ),
        (["drop table b; alter table c add ", GAP, " int;"], "drop table b;", "c"),
        (["drop table b;\n", GAP, "\ntable c"], "drop table b;", None),
        (["drop table b; do $$ begin ", GAP, "; end $$; drop table c"], "drop table b; drop table c", None),
    ],
)
def test_a_statement_with_a_gap_is_left_out(pieces: list[str | Unknown], left: str, about: str | None) -> None:
    rest = without_gaps(partial_text(pieces, Place("1.ts")))
    assert rest is not None
    assert (" ".join(rest.sql.split()), rest.broken) == (left, True)
    (subject,) = map(subject_of, rest.left_out)
    assert (subject.name if subject else None) == about


@pytest.mark.parametrize(
    "pieces",
    [
        [GAP],
        [GAP, ";\n", GAP],
        [GAP, " table b ()"],
        [GAP, " select 1"],
        ["drop table ", GAP],
        ["drop table ", GAP, ";"],
        ["drop table b\n", GAP, "\nselect 1"],
        ["drop table b; -- ", GAP, "\ndrop table c"],
        ["do $$ begin ", GAP, "; end $$"],
        ["drop table b; select '", GAP],
    ],
)
def test_what_may_reach_anywhere_leaves_nothing(pieces: list[str | Unknown]) -> None:
    assert without_gaps(partial_text(pieces, Place("1.ts"))) is None


def test_a_file_that_is_not_there() -> None:
    world = RecordingWorld()
    body = """
    const data = readFileSync(join(__dirname, 'data.sql'));
    await knex.raw(`
      create table a (id int);
      ${data}
      create table b (id int);
    `);"""
    head = "import { readFileSync } from 'fs';\nimport { join } from 'path';\n"
    evaluation = run(head + in_up(body), world)
    (sent,) = world.sent
    assert "create table a" in sent.sql
    assert "create table b" in sent.sql
    assert sent.gap is not None
    assert "data.sql is not in the repository" in sent.gap
    assert len(evaluation.unresolved) == len(world.missed) == 1


def test_what_stands_beside_a_statement_that_is_not_known_is_conditional() -> None:
    world = RecordingWorld()
    body = """
    await knex.raw(`
      create table a (id int);
      create user ${process.env.API_USER} password '${process.env.API_PASSWORD}';
      alter table b owner to ${process.env.API_USER};
      insert into c values ('${process.env.API_USER}');
    `);"""
    run(in_up(body), world)
    (sent,) = world.sent
    assert sent.sql.split(";")[0].strip() == "create table a (id int)"
    assert "process.env.API_USER is not known" in (sent.conditional or "")
    assert [subject.name if subject else None for _, subject in world.missed] == ["b", ""]
