"""Fixtures of the tests of the command line. Workspaces that are only read are made once and shared."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.workspaces import PLATFORM, Repository, repository, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "ticketing"

_GIT = {
    "GIT_OPTIONAL_LOCKS": "0",  # so that a `git status` of ours changes no index
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_DATE": "2025-03-01T12:00:00+00:00",
    "GIT_COMMITTER_DATE": "2025-03-01T12:00:00+00:00",
}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_git(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shut off from the git configuration of whoever runs the tests, with commits that have the same date each time."""
    for name in [name for name in os.environ if name.startswith("GIT_") or name == "EMAIL"]:
        monkeypatch.delenv(name)
    for name, value in {"HOME": str(home), "XDG_CONFIG_HOME": str(home), **_GIT}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with findings of most rules, in no repository; only to be read."""
    return write(tmp_path_factory.mktemp("platform"), PLATFORM)


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """A repository of `PLATFORM`, for a test that changes it."""
    return repository(tmp_path / "repository")
