"""The example, proven: every safe change, as many of them as were expected before there was a detector."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from prove.workshop import Workshop, told
from remediate.postgres.server import Server
from remediate.prove.model import Proofs

EXAMPLE = Path(__file__).parents[2] / "examples" / "ticketing"


@pytest.fixture(scope="module")
def example() -> Workshop:
    return Workshop.of(EXAMPLE)


@pytest.fixture(scope="module")
def proofs(example: Workshop, postgres: Server) -> Proofs:
    return example.prove(postgres)


def test_every_safe_change_is_proven(proofs: Proofs) -> None:
    for proof in proofs.changes:
        assert proof.change.level == "safe"
        assert proof.verdict == "proven", told(proof)


def test_as_many_safe_repairs_are_proven_as_were_expected(proofs: Proofs, example: Workshop) -> None:
    expected = tomllib.loads((EXAMPLE / "expected-findings.toml").read_text("utf-8"))["finding"]
    # A duplicate function is mended by an edit, which is written only with --rewrite.
    safe = Counter(
        one["rule"] for one in expected if one.get("level") == "safe" and one["rule"] != "duplicate-function"
    )
    findings = {finding.id: finding for finding in example.plan.findings}
    proven = Counter(
        findings[id_].rule for proof in proofs.changes if proof.verdict == "proven" for id_ in proof.change.findings
    )
    rules = {finding.rule for finding in findings.values()}
    assert proven == Counter({rule: number for rule, number in safe.items() if rule in rules})


def test_leaks_are_there_before_and_gone_after(proofs: Proofs, example: Workshop) -> None:
    (database,) = proofs.databases
    findings = {finding.id: finding for finding in example.plan.findings}
    closed = {
        (findings[id_].subject.schema, findings[id_].subject.name)
        for proof in proofs.changes
        for id_ in proof.change.findings
        if findings[id_].rule in ("missing-rls", "rls-not-forced")
    }
    matrices = {tuple(matrix.table): matrix for matrix in database.matrices}
    left = {}
    for name in sorted(closed):
        before, after = matrices[name].before, matrices[name].after
        assert before is not None
        assert after is not None
        assert before.leaks(), name
        if after.leaks():
            left[name[1]] = {attempt.statement for attempt in after.leaks()}
    assert left == {"resale_listings": {"move"}}, "its policy goes by the venue, which the listing may change"


def test_nearly_every_table_was_filled_and_attacked(proofs: Proofs) -> None:
    (database,) = proofs.databases
    left = [matrix for matrix in database.matrices if matrix.unfilled]
    assert all("its rows belong to no tenant" in (matrix.unfilled or "") for matrix in left)
    assert len(left) < 10 < len(database.matrices) - 140
    assert database.unlike == 0
