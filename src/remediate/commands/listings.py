"""`remediate services`, `rules` and `explain`."""

from __future__ import annotations

from pathlib import Path

from remediate.report.console import print_lines, progress, wants_color


def run_services(path: Path, config: Path | None, no_color: bool) -> int:
    from remediate.commands.workspace import load_config, workspace_root
    from remediate.report.listings import service_lines
    from remediate.source.discover import discover
    from remediate.source.tree import WorkingTree

    root = workspace_root(path)
    with progress():
        workspace = discover(WorkingTree(root), load_config(root, config))
    print_lines(service_lines(workspace), color=wants_color(no_color))
    return 0


def run_rules(no_color: bool) -> int:
    from remediate.catalogue.rules import load_rules
    from remediate.report.listings import rule_lines

    print_lines(rule_lines(list(load_rules().values())), color=wants_color(no_color))
    return 0


def run_explain(rule: str) -> int:
    from remediate.catalogue.rules import explain

    print(explain(rule).rstrip())
    return 0
