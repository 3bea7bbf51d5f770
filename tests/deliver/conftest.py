"""Real git repositories in temporary folders, shut off from the configuration of whoever runs the tests."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

UP = "export async function up(knex) {}\n"


@dataclass(frozen=True, slots=True)
class FileChange:
    """A change as the planner hands it over."""

    path: str
    text: str
    before: str | None = None
    service: str = "venue"
    rules: tuple[str, ...] = ("rls-not-forced",)
    findings: tuple[str, ...] = field(default=("0123456789ab",))


class Checkout:
    """A repository with a working tree; calling it runs git there and gives its output."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def write(self, **files: str) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())

    def everything(self) -> dict[str, tuple[bytes, int]]:
        """Bytes and time of every file of the working tree, and of the index and HEAD."""
        files = [path for path in self.root.rglob("*") if path.is_file() and ".git" not in path.parts]
        files += [self.root / ".git" / name for name in ("index", "HEAD", "config")]
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.fixture(autouse=True)
def _own_git(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def empty(tmp_path: Path) -> Checkout:
    """A repository without a commit, with an identity."""
    root = tmp_path / "platform"
    root.mkdir()
    checkout = Checkout(root)
    checkout("init", "--quiet", "--initial-branch=main")
    checkout("config", "user.name", "Ada")
    checkout("config", "user.email", "ada@example.com")
    return checkout


@pytest.fixture
def checkout(empty: Checkout) -> Checkout:
    """A repository with two services and one commit."""
    empty.write(
        **{
            "services/venue/migrations/001_a.ts": UP,
            "services/event/migrations/001_a.ts": UP,
            "services/event/run.sh": "#!/bin/sh\n",
            "README.md": "read me\n",
        }
    )
    (empty.root / "services/event/run.sh").chmod(0o755)
    empty("add", "--all")
    empty("commit", "--quiet", "--message=first")
    return empty


@pytest.fixture
def change() -> Callable[..., FileChange]:
    return FileChange
