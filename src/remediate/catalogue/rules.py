"""What is known about each rule apart from how it is found: title, severity, level, references, text."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from remediate.catalogue.locate import locate
from remediate.config.model import Severity
from remediate.errors import RemediateError

# The same values as detect's Level, which this layer may not import.
BestLevel = Literal["safe", "unsafe", "manual"]

HEADINGS = ("What it finds", "Why it matters", "What it writes", "When it is unsafe", "References")
"""The second-level headings of every rule's README, in this order."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `why` says in one sentence why it matters.

    `level` is the best that its fix can reach and `level_reason` the argument for it, whole sentences. `since` is the
    version that had it first; `folder` holds its README, templates and example.
    """

    id: str
    title: str
    why: str
    severity: Severity
    level: BestLevel
    level_reason: str
    references: tuple[str, ...]
    since: str
    folder: Path = field(repr=False)

    def text(self) -> str:
        """The README, as `remediate explain` prints it."""
        return (self.folder / "README.md").read_text(encoding="utf-8")


class _FixFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    title: str
    why: str
    severity: Severity
    level: BestLevel
    level_reason: str
    references: tuple[str, ...]
    since: str


@cache
def load_rules() -> Mapping[str, Rule]:
    """Every rule that has a folder in `fixes/`, by id, sorted."""
    folders = sorted(folder for folder in locate("fixes").iterdir() if (folder / "fix.toml").is_file())
    return {folder.name: _load(folder) for folder in folders}


def _load(folder: Path) -> Rule:
    data = tomllib.loads((folder / "fix.toml").read_text(encoding="utf-8"))
    spec = msgspec.convert(data, _FixFile)
    return Rule(folder.name, **msgspec.structs.asdict(spec), folder=folder)


def get_rule(name: str) -> Rule:
    """The rule of that id; raises `RemediateError` with the nearest one's name if there is none."""
    rules = load_rules()
    if name not in rules:
        nearest = nearest_rule(name)
        hint = f"did you mean {nearest}?" if nearest else "see `remediate rules`"
        raise RemediateError(f"there is no rule {name!r}", hint=hint)
    return rules[name]


def nearest_rule(name: str, known: Iterable[str] | None = None) -> str | None:
    """The known rule whose id looks most like `name`, if any does."""
    wanted = name.strip().lower().replace("_", "-").replace(" ", "-")
    return next(iter(difflib.get_close_matches(wanted, list(known or load_rules()), n=1, cutoff=0.5)), None)


def explain(name: str) -> str:
    """The text of a rule. Raises `RemediateError` for a rule that does not exist."""
    return get_rule(name).text()
