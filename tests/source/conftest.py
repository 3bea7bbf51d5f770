"""Workspaces made of a few files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from remediate.config.model import Config
from remediate.source.discover import discover
from remediate.source.model import Workspace
from remediate.source.tree import WorkingTree

Files = Mapping[str, str | bytes]
Found = Callable[..., Workspace]


@pytest.fixture
def lay_out(tmp_path: Path) -> Callable[[Files], Path]:
    """Writes files below a folder called platform and gives that folder."""

    def write(files: Files) -> Path:
        root = tmp_path / "platform"
        root.mkdir(exist_ok=True)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write


@pytest.fixture
def found(lay_out: Callable[[Files], Path]) -> Found:
    """The workspace that discovery makes of files."""

    def run(files: Files, config: Config | None = None) -> Workspace:
        return discover(WorkingTree(lay_out(files)), config or Config())

    return run
