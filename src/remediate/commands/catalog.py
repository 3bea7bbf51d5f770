"""`remediate catalog`: the schema after replay."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from remediate.commands.output import write_lines, write_text
from remediate.commands.workspace import check_services, load_config, workspace_root
from remediate.pipeline import read, replay_all
from remediate.replay.engine import Assumption
from remediate.report.catalog_json import catalog_document
from remediate.report.console import progress
from remediate.report.listings import catalog_lines
from remediate.source.tree import WorkingTree


def run(
    path: Path,
    config: Path | None,
    service: str | None,
    assume: Assumption,
    format: str,
    output: Path | None,
    no_color: bool,
) -> int:
    root = workspace_root(path)
    tree = WorkingTree(root)
    with progress() as shown:
        settings = load_config(root, config)
        workspace = read(tree, settings)
        if service is not None:
            check_services([service], workspace)
            alone = tuple(one for one in workspace.services if one.name == service)
            workspace = replace(workspace, services=alone)
        shown.step("Replaying migrations")
        databases = replay_all(workspace, tree, settings, assume)
    if format == "json":
        write_text(json.dumps(catalog_document(workspace, databases), indent=1, ensure_ascii=False) + "\n", output)
    else:
        write_lines(catalog_lines(workspace, databases), output, no_color=no_color)
    return 0
