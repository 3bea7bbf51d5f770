"""The workspace that a command was given: its folder, its configuration, and the names that must exist in it.

Nothing here loads the pipeline: what only lists services or writes a file starts without it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from remediate.catalogue.rules import get_rule
from remediate.config.load import FILE_NAME, load
from remediate.config.model import Config
from remediate.errors import RemediateError
from remediate.source.model import FileTree, Workspace


def workspace_root(path: Path) -> Path:
    """The folder that was named, absolute. Raises RemediateError if it is none."""
    root = path.absolute()
    if not root.exists():
        raise RemediateError("no such path", place=str(path), hint="name the folder of a repository or of a service")
    if not root.is_dir():
        raise RemediateError("is not a folder", place=str(path), hint="name the folder that holds the services")
    return root.resolve()


def load_config(tree: Path | FileTree, explicit: Path | None) -> Config:
    """The configuration of a workspace. Raises RemediateError for a rule in it that does not exist, too."""
    config = load(tree, explicit)
    place = str(explicit) if explicit else str(tree / FILE_NAME) if isinstance(tree, Path) else FILE_NAME
    for rule in config.rules:
        check_rule(rule, f"{place}, key rules.{rule}")
    for number, suppression in enumerate(config.suppress, 1):
        check_rule(suppression.rule, f"{place}, key suppress[{number}].rule")
    return config


def check_rule(name: str, place: str) -> None:
    """Raises RemediateError for a rule that does not exist, with the nearest one that does."""
    try:
        get_rule(name)
    except RemediateError as error:
        raise RemediateError(error.cause, place=place, hint=error.hint) from None


def check_services(names: Iterable[str], workspace: Workspace) -> None:
    known = [service.name for service in workspace.services]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            raise RemediateError(f"there is no service {name} here", place="--service", hint=hint)
