"""Which module form a service's migrations are written in."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.source.exports import module_form
from remediate.source.folders import MigrationFile
from remediate.source.model import Module

# The newest files show the style of today; how many are asked before package.json decides.
_NEWEST = 10


def module_of(files: Sequence[MigrationFile], package_type: str | None) -> tuple[Module, str]:
    """The form and the reason: the newest migration's own, else what package.json says. `files` in run order."""
    for file in list(reversed(files))[:_NEWEST]:
        form = module_form(file.text)
        if form is not None:
            return form, f"as {file.path} is written"
    if package_type == "module":
        return "esm", 'package.json has "type": "module"'
    return "commonjs", 'package.json does not have "type": "module"'
