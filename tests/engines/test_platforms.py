"""Platforms that nobody wrote: both engines end alike on them, in both modes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from engines.both import MODES, differences
from engines.platforms import platforms
from remediate.postgres.server import Server
from remediate.replay.engine import Assumption

_QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def check(files: dict[str, str], postgres: Server, assume: Assumption) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "remediate.toml").write_text('[workspace]\ndatabase = "shared"\n', encoding="utf-8")
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        assert differences(root, postgres, assume) == []


@pytest.mark.parametrize("assume", MODES)
@settings(max_examples=20, deadline=None, suppress_health_check=_QUIET, derandomize=True)
@given(files=platforms(8))
def test_generated_platforms_end_alike(files: dict[str, str], assume: Assumption, postgres: Server) -> None:
    check(files, postgres, assume)


@pytest.mark.long
@pytest.mark.parametrize("assume", MODES)
@settings(max_examples=400, deadline=None, suppress_health_check=_QUIET)
@given(files=platforms(25))
def test_many_generated_platforms_end_alike(files: dict[str, str], assume: Assumption, postgres: Server) -> None:
    check(files, postgres, assume)
