"""Changed copies of the catalog's objects: several to a statement."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

_T = TypeVar("_T")

_names: dict[type, tuple[str, ...]] = {}


def replace(item: _T, **changes: Any) -> _T:
    """As `dataclasses.replace`, which looks at every field of the class anew and takes three times as long."""
    kind: Any = type(item)
    names = _names.get(kind)
    if names is None:
        names = _names[kind] = tuple(field.name for field in fields(kind) if field.init)
    values = [changes.pop(name) if name in changes else getattr(item, name) for name in names]
    if changes:
        raise TypeError(f"{kind.__name__} has no {', '.join(changes)}")
    copy: _T = kind(*values)
    return copy
