"""`remediate catalog`: the schema after replay, by either engine, and where the two differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from remediate.cache.store import Cache
from remediate.commands.caching import opened_cache
from remediate.commands.output import write_lines, write_text
from remediate.commands.workspace import check_services, load_config, workspace_root
from remediate.config.model import Config
from remediate.pipeline import databases_of, read, replay_all
from remediate.replay.catalog import Assumption, Replayed
from remediate.replay.compare import compare
from remediate.report.catalog_json import catalog_document
from remediate.report.comparison import comparison_document, comparison_lines
from remediate.report.console import progress
from remediate.report.lines import Line
from remediate.report.listings import catalog_lines
from remediate.source.model import FileTree, Workspace
from remediate.source.tree import WorkingTree


@dataclass(frozen=True, slots=True)
class CatalogOptions:
    """What is asked for, as typed on the command line."""

    path: Path
    config: Path | None
    service: str | None
    assume: Assumption
    engine: Literal["static", "postgres"]
    compare: bool
    no_cache: bool = False


def run(options: CatalogOptions, format: str, output: Path | None, no_color: bool) -> int:
    """Writes the catalog, or the comparison, which exits with 1 where there are differences."""
    with opened_cache(options.no_cache) as cache:
        return _run(options, format, output, no_color, cache)


def _run(options: CatalogOptions, format: str, output: Path | None, no_color: bool, cache: Cache | None) -> int:
    root = workspace_root(options.path)
    tree = WorkingTree(root)
    with progress() as shown:
        settings = load_config(root, options.config)
        workspace = read(tree, settings)
        if options.service is not None:
            check_services([options.service], workspace)
            alone = tuple(one for one in workspace.services if one.name == options.service)
            workspace = replace(workspace, services=alone)
        databases: tuple[Replayed, ...] = ()
        observed: tuple[Replayed, ...] = ()
        if options.engine == "static" or options.compare:
            shown.step("Replaying migrations")
            databases = replay_all(workspace, tree, settings, options.assume, cache)
        if options.engine == "postgres" or options.compare:
            shown.step("Running migrations on PostgreSQL")
            observed = _observe(workspace, tree, settings, options.assume)
    if options.compare:
        comparisons = [
            compare(static, real, lambda file: _text(tree, file))
            for static, real in zip(databases, observed, strict=True)
        ]
        _write(comparison_document(comparisons), comparison_lines(comparisons), format, output, no_color)
        return 1 if any(comparison.differences for comparison in comparisons) else 0
    catalogs = databases or observed
    _write(catalog_document(workspace, catalogs), catalog_lines(workspace, catalogs), format, output, no_color)
    return 0


def _text(tree: FileTree, file: str) -> str:
    try:
        return tree.read(PurePosixPath(file)).decode("utf-8", "replace")
    except OSError:
        return ""


def _observe(workspace: Workspace, tree: FileTree, settings: Config, assume: Assumption) -> tuple[Replayed, ...]:
    """What `replay_all` gives, of a PostgreSQL that runs for as long as that takes."""
    from remediate.evaluate.evaluate import Evaluator
    from remediate.postgres.engine import replay_on_server
    from remediate.postgres.server import Server
    from remediate.postgres.workroom import memory_folder

    groups = databases_of(workspace.services)
    if not groups:
        return ()
    evaluator = Evaluator(tree, environment=settings.workspace.environment)
    user = settings.roles.migration or "postgres"
    with Server(parent=memory_folder()) as server:
        return tuple(replay_on_server(server, group, evaluator, assume=assume, user=user) for group in groups)


def _write(
    document: Mapping[str, Any], lines: Iterable[Line], format: str, output: Path | None, no_color: bool
) -> None:
    if format == "json":
        write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", output)
    else:
        write_lines(lines, output, no_color=no_color)
