"""Entries as bytes and back.

Pickle, because it alone of what Python brings keeps shared objects shared (every object of a catalog names the
statements that made it) and reads at the speed of C. Reading a pickle may run whatever it names; this one may name
nothing but the data classes and named tuples of the modules in `_MODULES`, whose construction runs nothing. So
even bytes that somebody else has written can only give wrong data, against which stand the folder's rights (`folder`)
and each entry's digest (`store`).
"""

from __future__ import annotations

import io
import pickle
from dataclasses import is_dataclass
from importlib import import_module
from typing import Any, Final

_MODULES: Final = frozenset(
    {
        "remediate.evaluate.knex.session",
        "remediate.evaluate.model",
        "remediate.evaluate.transcript",
        "remediate.evaluate.values",
        "remediate.replay.catalog",
        "remediate.source.place",
    }
)
"""Where the types of entries are defined."""

_CONSTANTS: Final = frozenset({("remediate.evaluate.values", "UNDEFINED")})


class UnreadableEntryError(Exception):
    """The bytes are no entry."""


def encode(value: object) -> bytes:
    """The bytes of plain data. Raises `pickle.PicklingError`, `TypeError` or `AttributeError` for what is none."""
    return pickle.dumps(value, protocol=5)


def decode(data: bytes) -> Any:
    """What `encode` was given. Raises `UnreadableEntryError` for anything that is not plain data of ours."""
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except UnreadableEntryError:
        raise
    except Exception as error:  # hostile bytes may raise anything here
        raise UnreadableEntryError(str(error)) from error


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = getattr(import_module(module), name, None) if module in _MODULES else None
        if (module, name) in _CONSTANTS or _is_data(found, module):
            return found
        raise UnreadableEntryError(f"{module}.{name} is no plain data")


def _is_data(found: object, module: str) -> bool:
    if not isinstance(found, type) or found.__module__ != module:
        return False
    return is_dataclass(found) or (issubclass(found, tuple) and hasattr(found, "_fields"))
