"""Fixtures for all tests. Each starts what it needs at first use only: a test that asks for nothing pays nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.node import Node, find_node, prepare_project


@pytest.fixture(scope="session")
def node_project() -> Path:
    """A folder whose node_modules holds knex, pg, tsx, typescript, prettier and the types of Node and pg."""
    return prepare_project()


@pytest.fixture(scope="session")
def node(node_project: Path) -> Node:
    """Runs Node: `node("script.cjs", "argument", stdin="…")` returns stdout or raises `NodeError`."""
    return Node(find_node(), node_project)
