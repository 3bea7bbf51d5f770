"""Which custom settings the objects of a catalog read and write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from remediate.replay.catalog import Catalog, SettingUse
from remediate.source.place import Place
from remediate.sql.settings import find_settings

_Kind = Literal["policy", "function", "default", "view", "check"]


def setting_uses(catalog: Catalog) -> tuple[SettingUse, ...]:
    """By policies, functions, defaults, views and checks, each once, placed at the statement that made them so."""
    return tuple(dict.fromkeys(_all(catalog)))


def _all(catalog: Catalog) -> Iterator[SettingUse]:
    for policy in catalog.policies.values():
        name = f"{policy.table}.{policy.name}"
        for text in (policy.using, policy.check):
            yield from _uses(text, "policy", name, policy.history[-1].place)
    for function in catalog.functions.values():
        yield from _uses(function.body, "function", function.signature, function.history[-1].place)
    for table in catalog.tables.values():
        for column in table.columns:
            yield from _uses(column.default, "default", f"{table.name}.{column.name}", table.history[-1].place)
    for view in catalog.views.values():
        yield from _uses(view.definition, "view", str(view.name), view.history[-1].place)
    for constraint in catalog.constraints.values():
        if constraint.type == "c":
            name = f"{constraint.table}.{constraint.name}"
            yield from _uses(constraint.definition, "check", name, constraint.history[-1].place)


def _uses(text: str | None, kind: _Kind, name: str, place: Place) -> Iterator[SettingUse]:
    # Scanning costs more than looking for the word.
    if text and "set" in text.lower():
        for use in find_settings(text):
            yield SettingUse(use.name, kind, name, place, use.write, use.missing_ok)
