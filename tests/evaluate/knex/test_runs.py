"""What really goes over the wire when a migration runs, held against Knex on a recording connection."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evaluate.knex.recorder import Recorder
from evaluate.knex.snippets import run
from remediate.evaluate.knex import KnexHandle, ThrownError, settle
from remediate.evaluate.values import UNDEFINED, HostObject
from remediate.source.place import Place
from support.node import Node

HERE = Path(__file__).parent
RUNS = [line for line in (HERE / "runs.js").read_text().splitlines() if line and not line.startswith("//")]


def ours(source: str, *, nested: bool) -> dict[str, Any]:
    session = Recorder()
    migration = run(source, {})
    assert isinstance(migration, HostObject)
    try:
        result = settle(migration.call([KnexHandle(session, in_transaction=nested)], Place("m.js")))
        outcome = {"result": "undefined" if result is UNDEFINED else as_json(result)}
    except ThrownError as error:
        outcome = {"error": str(error)}
    return {"sent": session.sent, **outcome}


def as_json(value: Any) -> Any:
    """As `JSON.stringify` has it: a member that is undefined is left out."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items() if item is not UNDEFINED}
    return [as_json(item) for item in value] if isinstance(value, list) else value


def renamed(outcome: Any) -> Any:
    """Savepoints are numbered through the whole process by Knex; only their order counts."""
    names: dict[str, str] = {}
    return json.loads(re.sub(r"\btrx\d+", lambda m: names.setdefault(m[0], f"trx-{len(names)}"), json.dumps(outcome)))


@pytest.fixture(scope="session", params=[False, True], ids=["without transaction", "in a transaction"])
def knex_runs(request: pytest.FixtureRequest, node: Node) -> Mapping[str, Any]:
    answers = json.loads(node(HERE / "runtime.cjs", stdin=json.dumps({"runs": RUNS, "nested": request.param})))
    return {"nested": request.param, **dict(zip(RUNS, answers, strict=True))}


@pytest.mark.parametrize("source", RUNS)
def test_runs_as_knex_runs(source: str, knex_runs: Mapping[str, Any]) -> None:
    found, expected = renamed(ours(source, nested=knex_runs["nested"])), renamed(knex_runs[source])
    assert found == expected
