"""The same migration files on both engines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from remediate.config.load import load
from remediate.evaluate.evaluate import Evaluator
from remediate.pipeline import databases_of, read
from remediate.postgres.engine import replay_on_server
from remediate.postgres.server import Server
from remediate.replay.catalog import Replayed
from remediate.replay.compare import Comparison, Difference, changed, compare
from remediate.replay.engine import Assumption
from remediate.replay.replay import replay
from remediate.source.tree import WorkingTree

MODES: tuple[Assumption, ...] = ("applied", "fresh")
SERVICE = "service"
MIGRATIONS = f"{SERVICE}/migrations"

_UP = """import type {{ Knex }} from 'knex';

export async function up(knex: Knex): Promise<any> {{
{}
}}

export async function down(): Promise<void> {{}}
"""


def migration(body: str) -> str:
    """A file whose `up` has this body."""
    return _UP.format(body)


def idioms(listing: Path) -> dict[str, dict[str, str]]:
    """Of `# name` and the body of an `up`, or `=== path` and a whole file, once or more: the files by path."""
    found: dict[str, dict[str, str]] = {}
    for block in re.split(r"^# ", listing.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name, _, rest = block.partition("\n")
        assert name not in found, name
        first, *files = re.split(r"^=== ", rest, flags=re.MULTILINE)
        found[name] = {"001_idiom.ts": migration(first.strip())} if first.strip() else {}
        for file in files:
            path, _, text = file.partition("\n")
            found[name][path.strip()] = text
    return found


def write(root: Path, files: Mapping[str, str]) -> Path:
    """Writes files by their paths relative to the folder of migrations of the one service."""
    for path, text in files.items():
        target = (root / MIGRATIONS / path).resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return root


def replay_both(root: Path, server: Server, assume: Assumption) -> list[tuple[Replayed, Replayed]]:
    """For each database of a workspace, what the static engine and what PostgreSQL has."""
    tree = WorkingTree(root)
    pairs = []
    for group in databases_of(read(tree, load(tree)).services):
        static = replay(group, Evaluator(tree), assume=assume)
        pairs.append((static, replay_on_server(server, group, Evaluator(tree), assume=assume)))
    return pairs


def replay_static(root: Path, assume: Assumption) -> list[Replayed]:
    """For each database of a workspace, what the static engine has."""
    tree = WorkingTree(root)
    groups = databases_of(read(tree, load(tree)).services)
    return [replay(group, Evaluator(tree), assume=assume) for group in groups]


def compare_both(root: Path, server: Server, assume: Assumption) -> list[Comparison]:
    return [compare(static, real) for static, real in replay_both(root, server, assume)]


def told(difference: Difference) -> str:
    """One difference, as a test shows it."""
    lines = [f"{difference.sort} {difference.kind} {difference.subject}"]
    if difference.expected is None or difference.found is None:
        lines.append(f"  PostgreSQL {difference.expected}, static {difference.found}")
    for name, expected, found in changed(difference):
        lines.append(f"  {name}: PostgreSQL {expected!r}, static {found!r}")
    return "\n".join(lines)


def differences(root: Path, server: Server, assume: Assumption) -> list[str]:
    return [told(one) for comparison in compare_both(root, server, assume) for one in comparison.differences]
