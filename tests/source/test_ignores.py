"""Suppressions in place."""

from __future__ import annotations

import pytest


def migration(comment: str) -> dict[str, str]:
    return {"a/migrations/1.ts": f"export async function up(knex) {{\n  {comment}\n  await knex.raw('x');\n}}\n"}


@pytest.mark.parametrize(
    ("comment", "rules", "reason", "until"),
    [
        ("// remediate-ignore rls-not-forced: owned by nobody", ("rls-not-forced",), "owned by nobody", None),
        ("//remediate-ignore a, b-c : two: of them", ("a", "b-c"), "two: of them", None),
        ("// remediate-ignore a until 2027-01-31: later", ("a",), "later", "2027-01-31"),
        ("/* remediate-ignore a: in a block */", ("a",), "in a block", None),
    ],
)
def test_rules_reason_and_day_are_read(found, comment, rules, reason, until):
    workspace = found(migration(comment))
    (ignore,) = workspace.ignores
    assert (ignore.rules, ignore.reason, ignore.until) == (rules, reason, until)
    assert (ignore.place.line, ignore.place.column) == (2, 3)
    assert workspace.unresolved == ()


@pytest.mark.parametrize(
    ("comment", "reason"),
    [
        ("// remediate-ignore rls-not-forced", "gives no reason after a colon"),
        ("// remediate-ignore rls-not-forced:", "gives no reason after a colon"),
        ("// remediate-ignore: all of it", "names no rule"),
        ("// remediate-ignore a until soon: x", "has soon where a date like 2027-01-31 belongs"),
    ],
)
def test_a_comment_that_is_written_wrongly_suppresses_nothing_and_is_said(found, comment, reason):
    workspace = found(migration(comment))
    assert workspace.ignores == ()
    (unresolved,) = workspace.unresolved
    assert unresolved.reason == f"remediate-ignore {reason}; it suppresses nothing"


def test_the_same_words_in_a_string_are_no_comment(found):
    workspace = found(migration("await knex.raw('// remediate-ignore a: b');"))
    assert (workspace.ignores, workspace.unresolved) == ((), ())
