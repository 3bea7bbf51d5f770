"""Every builder call gives the SQL that Knex itself gives: Knex's `toSQL()`, run offline, is the oracle."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from evaluate.knex.queries import query_snippets
from evaluate.knex.snippets import run
from evaluate.knex.tables import table_snippets
from remediate.evaluate.knex import KnexHandle, Query, ThrownError
from remediate.evaluate.knex.builder import Builder, Unbuilt, to_query
from remediate.evaluate.values import Unknown
from support.node import Node

_OWN_WORDING = re.compile("is not a function|Cannot read properties")
HERE = Path(__file__).parent
CASES = [
    line
    for path in sorted((HERE / "cases").glob("*.js"))
    for line in path.read_text().splitlines()
    if line and not line.startswith("//")
]


def ours(snippet: str) -> Any:
    """What we would send for a snippet, in the form of the oracle."""
    try:
        builder = run(snippet, {"knex": KnexHandle(_Nothing())})
        assert isinstance(builder, Builder), f"no builder: {builder!r}"
        sent = []
        for statement in builder.statements():
            assert not isinstance(statement, Unbuilt), statement.unknown.reason
            query = to_query(statement, "builder", None)
            assert not isinstance(query.sql, Unknown), query.sql.reason
            sent.append([query.sql, query.prepared])
    except ThrownError as error:
        return {"error": str(error)}
    return sent


class _Nothing:
    """No database: the oracle tests only compile."""

    reads_rows = False

    def send(self, query: Query) -> Any:
        raise AssertionError(f"sent {query.sql}")

    def has_table(self, name: str, schema: str | None) -> bool:
        raise AssertionError

    def has_column(self, table: str, column: str, schema: str | None) -> bool:
        raise AssertionError


def ask(node: Node, snippets: Sequence[str]) -> list[Any]:
    """What Knex says to all the snippets, in one process."""
    answers: list[Any] = json.loads(node(HERE / "oracle.cjs", stdin=json.dumps(list(snippets))))
    return answers


@pytest.fixture(scope="session")
def knex_says(node: Node) -> dict[str, Any]:
    return dict(zip(CASES, ask(node, CASES), strict=True))


def same(ours: Any, theirs: Any) -> bool:
    """Equal; where both throw, JavaScript's own wording of a TypeError is not ours to repeat."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and _OWN_WORDING.search(theirs["error"]):
        return True
    return bool(ours == theirs)


@pytest.mark.parametrize("snippet", CASES)
def test_sends_what_knex_sends(snippet: str, knex_says: dict[str, Any]) -> None:
    found, expected = ours(snippet), knex_says[snippet]
    assert same(found, expected), f"{snippet}\nours: {found}\nknex: {expected}"


def differences(node: Node, snippets: list[str]) -> list[str]:
    """Where we and Knex say different things."""
    compared = (
        (snippet, ours(snippet), expected) for snippet, expected in zip(snippets, ask(node, snippets), strict=True)
    )
    return [
        f"{snippet}\nours: {found}\nknex: {expected}"
        for snippet, found, expected in compared
        if not same(found, expected)
    ]


# Without shrinking: each try is a process, and the message names the one snippet that differs.
_BATCHES = settings(deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
_ANY = st.one_of(table_snippets(), query_snippets())


@settings(_BATCHES, max_examples=12)
@given(snippets=st.lists(_ANY, min_size=20, max_size=40))
def test_sends_what_knex_sends_for_anything(snippets: list[str], node: Node) -> None:
    assert differences(node, snippets) == []


@pytest.mark.long
@settings(_BATCHES, max_examples=120)
@given(snippets=st.lists(_ANY, min_size=40, max_size=80))
def test_sends_what_knex_sends_for_very_much(snippets: list[str], node: Node) -> None:
    assert differences(node, snippets) == []
