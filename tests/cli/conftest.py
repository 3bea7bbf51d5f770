"""Fixtures of the tests of the command line. Workspaces that are only read are made once and shared."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.running import run
from cli.workspaces import PLATFORM, Repository, repository, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "ticketing"

_GIT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_DATE": "2025-03-01T12:00:00+00:00",
    "GIT_COMMITTER_DATE": "2025-03-01T12:00:00+00:00",
}


@pytest.fixture(scope="session", autouse=True)
def _own_git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Shut off from the git configuration of whoever runs the tests, with commits that have the same date each time."""
    home = str(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"HOME": home, "XDG_CONFIG_HOME": home, **_GIT}.items():
            patch.setenv(name, value)
        for name in [name for name in os.environ if name.startswith("GIT_") and name not in _GIT]:
            patch.delenv(name)
        patch.delenv("EMAIL", raising=False)
        yield


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with findings of most rules, in no repository; only to be read."""
    return write(tmp_path_factory.mktemp("platform"), PLATFORM)


@pytest.fixture(scope="session")
def document(platform: Path) -> Any:
    """The plan of `platform`, as JSON says it."""
    return json.loads(run("plan", platform, "--format", "json").out)


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """A repository of `PLATFORM`, for a test that changes it."""
    return repository(tmp_path / "repository")
