"""examples/ticketing against its expected findings, which were written by hand before any detector, both ways."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from remediate.config.model import Config
from remediate.detect.detect import detect
from remediate.detect.facts import gather
from remediate.detect.model import Finding
from remediate.detect.registry import DETECTORS
from remediate.pipeline import read, replay_all
from remediate.source.tree import WorkingTree

EXAMPLE = Path(__file__).parents[1] / "examples" / "ticketing"
RULES = [detector.rule for detector in DETECTORS]
CAUTION = {"safe": 0, "unsafe": 1, "manual": 2}


class Key(NamedTuple):
    rule: str
    service: str
    subject: str
    file: str


@cache
def found() -> dict[Key, Finding]:
    tree = WorkingTree(EXAMPLE)
    workspace = read(tree, Config())
    findings = [
        finding
        for replayed in replay_all(workspace, tree, Config())
        for finding in detect(
            gather(
                replayed, [service for service in workspace.services if service.database == replayed.database], Config()
            ),
            today=date.max,
            ignores=workspace.ignores,
        )
    ]
    return {Key(one.rule, one.service, str(one.subject), one.locations[0].file): one for one in findings}


@cache
def expected() -> dict[Key, str]:
    document = tomllib.loads((EXAMPLE / "expected-findings.toml").read_text("utf-8"))
    return {
        Key(one["rule"], one["service"], one["subject"], one["file"]): one["level"]
        for one in document["finding"]
        if one["rule"] in RULES
    }


@pytest.mark.parametrize("rule", RULES)
def test_everything_that_is_expected_is_found(rule: str) -> None:
    assert sorted(key for key in expected().keys() - found().keys() if key.rule == rule) == []


@pytest.mark.parametrize("rule", RULES)
def test_nothing_else_is_found(rule: str) -> None:
    assert sorted(key for key in found().keys() - expected().keys() if key.rule == rule) == []


def test_no_fix_is_taken_for_safer_than_expected() -> None:
    bold = [
        (key, found()[key].level, level)
        for key, level in sorted(expected().items())
        if key in found() and CAUTION[found()[key].level] < CAUTION[level]
    ]
    assert bold == []


def test_no_fix_is_taken_for_less_safe_than_expected() -> None:
    timid = [
        (key, found()[key].level, found()[key].reasons)
        for key, level in sorted(expected().items())
        if key in found() and CAUTION[found()[key].level] > CAUTION[level]
    ]
    assert timid == []
