"""`remediate init`: a configuration file to start from."""

from __future__ import annotations

from pathlib import Path

from remediate.commands.workspace import workspace_root
from remediate.config.load import FILE_NAME
from remediate.config.template import TEMPLATE
from remediate.deliver.own_files import write_new


def run(path: Path) -> int:
    """Writes `remediate.toml`; never over one that is there."""
    target = workspace_root(path) / FILE_NAME
    write_new(target, TEMPLATE)
    print(f"{target} written; every setting in it is at its default.")
    return 0
